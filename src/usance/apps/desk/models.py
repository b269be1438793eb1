"""Work that waits for a person, and changes that wait for a second one."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel
from usance.ports.actor import Actor, borrower, staff


class WorkItem(OrgModel):
    """A case in a queue. Its clock runs in the desk hours of the institution's calendar and stands still while someone
    else must act: then `due_at` is empty, `left_minutes` keeps what is left, and `wake_on` is when we look again."""

    STATES = [("open", "open"), ("waiting", "waiting"), ("done", "done")]

    queue = models.CharField(max_length=40)
    subject_type = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    reference = models.CharField(max_length=60, blank=True, help_text="number of the case; never a person's name")
    priority = models.SmallIntegerField(default=0, help_text="higher comes first")
    state = models.CharField(max_length=10, choices=STATES, default="open")
    owner = TenantForeignKey("access.User", null=True, blank=True, related_name="+")
    budget_minutes = models.PositiveIntegerField(help_text="desk minutes from opening to the due instant")
    due_at = models.DateTimeField(null=True, blank=True)
    left_minutes = models.IntegerField(null=True, blank=True, help_text="negative: it was late already")
    waiting_for = models.CharField(max_length=40, blank=True)
    wake_on = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    taken_minutes = models.IntegerField(
        null=True, blank=True, help_text="of a finished case: desk minutes from opening to its end, pauses left out"
    )
    outcome = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "institution", "queue", "subject_id", condition=~Q(state="done"), name="workitem_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", due_at__isnull=False)
                | Q(state="waiting", due_at__isnull=True, left_minutes__isnull=False, wake_on__isnull=False)
                | Q(state="done", finished_at__isnull=False),
                name="workitem_has_a_timer",
            ),
        ]
        indexes = [
            models.Index(
                "institution",
                "queue",
                F("priority").desc(),
                "due_at",
                "id",
                condition=Q(state="open"),
                name="workitem_queue",
            ),
            models.Index("institution", "owner", condition=~Q(state="done"), name="workitem_owner"),
            models.Index("institution", "subject_id", name="workitem_subject"),
            models.Index("institution", "queue", "finished_at", condition=Q(state="done"), name="workitem_finished"),
        ]


class WorkItemEvent(TenantModel):
    """What happened to a case: opened, taken, assigned, released, paused, resumed, finished."""

    append_only = True

    item = TenantForeignKey(WorkItem, related_name="history")
    act = models.CharField(max_length=20)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index("institution", "item", "id", name="workitemevent_item")]


class Approval(OrgModel):
    """A change that one person made ready and another must confirm before it happens. Where a customer asked for it
    and no colleague made it ready, there is no maker: then any colleague with the right is the second person."""

    STATES = [
        ("proposed", "proposed"),
        ("approved", "approved"),
        ("rejected", "rejected"),
        ("withdrawn", "withdrawn"),
        ("expired", "expired"),
    ]

    kind = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    reference = models.CharField(max_length=120, blank=True, help_text="what it is about, in a few words")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=STATES, default="proposed")
    maker = TenantForeignKey("access.User", null=True, blank=True, related_name="+")
    asked_by = models.UUIDField(null=True, blank=True, help_text="party of the customer who asked for it")
    checker = TenantForeignKey("access.User", null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField()
    expires_on = models.DateField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "institution", "kind", "subject_id", condition=Q(state="proposed"), name="approval_open_once"
            ),
            models.CheckConstraint(
                condition=Q(checker__isnull=True) | ~Q(checker=F("maker")), name="approval_second_person"
            ),
            models.CheckConstraint(
                condition=Q(maker__isnull=False, asked_by__isnull=True) | Q(maker__isnull=True, asked_by__isnull=False),
                name="approval_has_one_maker",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", checker__isnull=True, decided_at__isnull=True)
                | Q(state__in=["approved", "rejected"], checker__isnull=False, decided_at__isnull=False)
                | Q(state__in=["withdrawn", "expired"], checker__isnull=True, decided_at__isnull=False),
                name="approval_decided_by_a_checker",
            ),
        ]
        indexes = [models.Index("institution", "state", "expires_on", "id", name="approval_waiting")]

    @property
    def proposed_by(self) -> Actor:
        """The colleague who made it ready, or the customer who asked for it."""
        return borrower(self.asked_by) if self.asked_by else staff(self.maker_id)
