"""The audit trail: what was done or seen, and the chain of hashes that shows a later change."""

from __future__ import annotations

from django.db import models

from usance.apps.institutions.models import TenantForeignKey, TenantModel, institution_key


class AuditEntry(TenantModel):
    """One act, without personal data. `digest` is the hash of its content; `subject_digest` that of the row it is
    about, where that row must never change (a decision, a journal entry)."""

    append_only = True

    institution = institution_key(db_index=False)
    action = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=60, blank=True)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    subject_digest = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    business_date = models.DateField()
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index("institution", "subject_type", "subject_id", "id", name="auditentry_subject"),
            models.Index("institution", "actor_id", "id", name="auditentry_actor"),
            models.Index("institution", "recorded_at", "id", name="auditentry_recorded"),
            models.Index("institution", "action", "recorded_at", "id", name="auditentry_action"),
        ]


class AuditLink(TenantModel):
    """A link of the institution's chain: `hash` covers the entry, its instant, and the link before."""

    append_only = True

    institution = institution_key(db_index=False)
    seq = models.BigIntegerField()
    entry = TenantForeignKey(AuditEntry, related_name="+")
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "seq", name="auditlink_seq_once"),
            models.UniqueConstraint("institution", "entry", name="auditlink_entry_once"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="auditlink_seq_from_one"),
        ]


class ChainSearch(TenantModel):
    """How far the trail has been looked through for rows to chain: none that is older can come any more."""

    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", name="chainsearch_once")]
