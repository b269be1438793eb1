"""Rules as data, their versions, and every decision with what it was made from."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel

DRAFT, PROPOSED, PUBLISHED = "draft", "proposed", "published"
STATES = [(state, state) for state in (DRAFT, PROPOSED, PUBLISHED)]
APPROVE, DECLINE, REFER = "approve", "decline", "refer"
OUTCOMES = [(outcome, outcome) for outcome in (APPROVE, DECLINE, REFER)]


class RuleSet(TenantModel):
    """A question that rules answer, by its code (`first_loan`)."""

    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "code", name="ruleset_code_once")]

    def __str__(self) -> str:
        return self.code


class RuleVersion(TenantModel):
    """A rule set as a decision graph (JDM) with a hash of its text. Never changed once proposed; the published version
    whose `starts_on` is the latest rules."""

    rule_set = TenantForeignKey("decisioning.RuleSet", related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=STATES, default=DRAFT)
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    made_by = models.UUIDField(null=True)
    published_by = models.UUIDField(null=True)
    starts_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "rule_set", "number", name="ruleversion_number_once"),
            models.CheckConstraint(
                condition=~Q(state=PUBLISHED) | Q(starts_on__isnull=False), name="ruleversion_published_from"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_set_id} v{self.number}"


class Decision(OrgModel):
    """What rules said about a subject, and everything needed to say it again. `inputs` hold ids, bands, counts and
    amounts, never a name or a number of a person. History: rows are added only."""

    append_only = True

    subject_type = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    rule_version = TenantForeignKey("decisioning.RuleVersion", related_name="decisions")
    outcome = models.CharField(max_length=10, choices=OUTCOMES)
    reasons = ArrayField(models.CharField(max_length=60), default=list)
    limit_minor = models.BigIntegerField(null=True)
    inputs = models.JSONField()
    trace = models.JSONField()
    engine = models.CharField(max_length=40)
    decided_on = models.DateField()
    decided_at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index("institution", "subject_type", "subject_id", "decided_at", name="decision_of_subject"),
            models.Index("institution", "decided_on", "outcome", name="decision_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.subject_type} {self.subject_id}"
