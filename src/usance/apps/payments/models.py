"""Money on its way: cards we may use, instructions we gave to payment rails, and what rails told us unasked."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from usance.apps.institutions import tallies
from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel


class Card(OrgModel):
    """A card that its holder linked on the provider's page. We keep the provider's token, sealed, and never a number.

    `token_index` is a blind index of the token: the same card linked by two people shows itself."""

    class State(models.TextChoices):
        ACTIVE = "active"
        DEAD = "dead"  # the rail said that it can no longer be charged
        REMOVED = "removed"  # its owner removed it
        BLOCKED = "blocked"  # its owner says that somebody else linked it

    party = TenantForeignKey("customers.Party", related_name="cards")
    provider = models.CharField(max_length=30)
    merchant = models.CharField(max_length=60)
    token = models.BinaryField()
    token_index = models.CharField(max_length=64)
    last4 = models.CharField(max_length=4)
    brand = models.CharField(max_length=30, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    linked_at = models.DateTimeField()
    payout_from = models.DateTimeField(null=True, blank=True, help_text="business time; no money goes to it before")

    class Meta:
        constraints = [models.UniqueConstraint("institution", "party", "token_index", name="card_once_per_party")]
        indexes = [models.Index("institution", "token_index", name="card_token_index")]

    def __str__(self) -> str:
        return f"{self.brand} •••• {self.last4}".strip()

    def waits(self, moment: datetime) -> bool:
        """Whether no money may go to it yet at this business moment."""
        return self.payout_from is not None and moment < self.payout_from


class Instruction(OrgModel):
    """One order of ours to a payment rail, and what is known of it. `key` says what it is for, so that asking twice
    gives one instruction; `order_id` is the key that the rail knows, stored before the first call."""

    class Kind(models.TextChoices):
        CARD_LINK = "card_link"
        CHECKOUT = "checkout"
        DEBIT = "debit"
        PAYOUT = "payout"
        REFUND = "refund"

    class State(models.TextChoices):
        CREATED = "created"  # not sent yet
        SENT = "sent"  # a worker took it; it may have reached the rail
        UNKNOWN = "unknown"  # the rail did not say; asked by status only, never sent again
        PENDING = "pending"  # the rail works on it, or the payer is on its page
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        MISMATCH = "mismatch"  # the rail speaks of another amount or currency: a person reconciles
        CANCELLED = "cancelled"  # before it was sent

    OPEN = (State.CREATED, State.SENT, State.UNKNOWN, State.PENDING)

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    key = models.CharField(max_length=120)
    order_id = models.CharField(max_length=64)
    party = TenantForeignKey("customers.Party", related_name="+")
    card = TenantForeignKey(Card, null=True, blank=True, related_name="instructions")
    refunds = TenantForeignKey("payments.Instruction", null=True, blank=True, related_name="refunded_by")
    subject_type = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    language = models.CharField(max_length=10, default="en")
    details = models.JSONField(default=dict, help_text="what the job `then` needs to know, such as the days to extend")
    then = models.CharField(max_length=80, blank=True, help_text="the job that goes on when this is settled")
    ahead_days = models.IntegerField(default=0, help_text="how far business time ran ahead when it was given")
    provider = models.CharField(max_length=30, blank=True)
    merchant = models.CharField(max_length=60, blank=True)
    page_url = models.URLField(max_length=500, blank=True)
    reference = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=30, blank=True)
    hint = models.CharField(max_length=20, blank=True)
    raw_code = models.CharField(max_length=40, blank=True)
    given_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    asked_count = models.PositiveIntegerField(default=0)
    ask_at = models.DateTimeField(null=True, blank=True, help_text="when the rail is to be asked next")
    value_at = models.DateTimeField(null=True, blank=True, help_text="the rail's own time of the card payment")
    settled_at = models.DateTimeField(null=True, blank=True)
    returned_minor = models.BigIntegerField(default=0, help_text="what the rail took back after it had succeeded")

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "key", name="instruction_key_once"),
            models.UniqueConstraint("institution", "order_id", name="instruction_order_once"),
            models.UniqueConstraint(
                "institution",
                "provider",
                "kind",
                "reference",
                name="instruction_reference_once",
                condition=Q(state="succeeded") & ~Q(reference=""),
            ),
            models.CheckConstraint(name="instruction_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="instruction_settled_has_time",
                condition=Q(settled_at__isnull=False) | ~Q(state__in=["succeeded", "failed", "mismatch", "cancelled"]),
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "subject_id"], name="instruction_subject"),
            models.Index(fields=["institution", "-given_at", "-id"], name="instruction_by_time"),
            models.Index(fields=["institution", "state", "-given_at", "-id"], name="instruction_by_state"),
            models.Index(
                fields=["institution", "-given_at", "-id"],
                name="instruction_returned",
                condition=Q(returned_minor__gt=0),
            ),
            models.Index(fields=["institution", "amount_minor", "-given_at"], name="instruction_by_amount"),
            models.Index(
                fields=["institution", "given_at"],
                name="instruction_open",
                condition=Q(state__in=["created", "sent", "unknown", "pending"]),
            ),
        ]

    @property
    def may_have_moved(self) -> bool:
        """Whether its money is on its way, is in doubt, or has arrived and stayed: then it is not sent again."""
        doubtful = self.state in (*self.OPEN, self.State.MISMATCH)
        return doubtful or (self.state == self.State.SUCCEEDED and self.returned_minor < self.amount_minor)

    @property
    def told_minor(self) -> int | None:
        """What the rail says that it moved, where it is not what we asked for."""
        told: int | None = self.details.get("told_minor")
        return told

    @property
    def booked_minor(self) -> int:
        """What counts: the amount that a person found to be true, else what was asked for."""
        return int(self.details.get("reconciled_minor", self.amount_minor))

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_hosted(self) -> bool:
        """Whether the payer acts on the rail's own page."""
        return self.kind in (self.Kind.CARD_LINK, self.Kind.CHECKOUT)


class InstructionTally(TenantModel):
    """How many instructions of a unit, kind and state were given on a business day, what they move, and of how many
    the bank took money back. Kept by the database; see institutions.tallies."""

    org_path = models.CharField(max_length=200)
    on = models.DateField()
    kind = models.CharField(max_length=12)
    state = models.CharField(max_length=10)
    count = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    returned_count = models.BigIntegerField()

    rule = tallies.Rule(
        source="payments_instruction",
        keys=("org_path", "on", "kind", "state"),
        sums=("count", "amount_minor", "returned_count"),
        rows="SELECT r.institution_id, r.org_path, ((r.given_at + make_interval(hours => 24 * r.ahead_days)) "
        'AT TIME ZONE i.time_zone)::date AS "on", r.kind, r.state, 1 AS count, r.amount_minor, '
        "(r.returned_minor > 0)::int AS returned_count "
        "FROM {rows} AS r JOIN institutions_institution AS i ON i.id = r.institution_id",
        joins=("institutions_institution",),
    )

    class Meta:
        indexes = [models.Index("institution", "on", name="instructiontally_on")]


class Receipt(OrgModel):
    """Money that came to us outside the rails: over the counter or to our bank account. The same bank reference is
    booked once."""

    class How(models.TextChoices):
        BANK = "bank"
        CASH = "cash"
        OTHER = "other"

    how = models.CharField(max_length=10, choices=How.choices)
    reference = models.CharField(max_length=80, blank=True)
    loan_id = models.UUIDField()
    party = TenantForeignKey("customers.Party", related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_on = models.DateField()
    source = models.CharField(max_length=160, help_text="of the loan's event")
    taken_by = models.CharField(max_length=60, help_text="who booked it")
    taken_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "source", name="receipt_source_once"),
            models.UniqueConstraint(
                "institution",
                "how",
                "reference",
                name="receipt_reference_once",
                condition=~Q(reference="") & Q(undone_at__isnull=True),
            ),
            models.CheckConstraint(name="receipt_amount_positive", condition=Q(amount_minor__gt=0)),
        ]
        indexes = [
            models.Index("institution", "loan_id", name="receipt_of_loan"),
            models.Index(fields=["institution", "-value_on", "-id"], name="receipt_newest"),
        ]


class InboundNotice(TenantModel):
    """What a rail told us unasked, as it came (sealed), processed once by the rail's own event id."""

    provider = models.CharField(max_length=30)
    event_id = models.CharField(max_length=200)
    order_id = models.CharField(max_length=64)
    body = models.BinaryField()
    content_type = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "provider", "event_id", name="notice_event_once")]
        indexes = [
            models.Index(
                fields=["institution", "received_at"],
                name="notice_waiting",
                condition=Q(processed_at__isnull=True),
            )
        ]
