"""Loans as they are kept: events are the truth, movements their booked effect, the loan's own columns a projection."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from usance.apps.institutions import tallies
from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel, institution_key, new_id
from usance.apps.servicing import carried
from usance.apps.servicing.earning_models import Earned, EarnedDay, Earning, EarningTally
from usance.apps.servicing.prepared_models import Prepared, PreparedCut

__all__ = ["Earned", "EarnedDay", "Earning", "EarningTally", "Prepared", "PreparedCut"]

STATUSES = [(s, s) for s in ("new", "approved", "active", "past_due", "closed", "written_off", "sold", "cancelled")]
ROLES = [(role, role) for role in ("borrower", "co_borrower", "guarantor")]
OPEN = ("approved", "active", "past_due")


class Loan(OrgModel):
    """One obligation. What stands below `checkpoint` is a projection of the events, kept for lists; `usance audit`
    recomputes it. `checkpoint` is the folded state in which all days before `checkpoint_on` are closed.

    While its days are alike, a loan's row stays as it is and its Earning grows: `objects` gives loans as they stand
    with what they earned since, `rows` as they were written."""

    institution = institution_key(db_index=False)
    number = models.CharField(max_length=30)
    party_id = models.UUIDField(help_text="the borrower")
    application_id = models.UUIDField(null=True)
    product_version_id = models.UUIDField(null=True)
    product = models.CharField(max_length=60, help_text="the product's code")
    merchant = models.CharField(max_length=60, blank=True)
    funder = models.CharField(max_length=60, blank=True)
    owner_id = models.UUIDField(null=True, help_text="the member of staff it belongs to, for the scope `own`")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(help_text="the agreed principal")
    terms = models.JSONField(help_text="frozen; core.loan.terms")
    booked_on = models.DateField()

    corrected_terms = models.JSONField(null=True, help_text="as last corrected by an event; none: as agreed")
    checkpoint = models.JSONField()
    checkpoint_on = models.DateField()
    last_event_seq = models.IntegerField(default=0)
    last_event_hash = models.CharField(max_length=64, default="")
    status = models.CharField(max_length=12, choices=STATUSES)
    principal_minor = models.BigIntegerField(default=0)
    interest_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    penalty_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    unapplied_minor = models.BigIntegerField(default=0)
    due_now_minor = models.BigIntegerField(default=0, help_text="past due and due on checkpoint_on")
    past_due_minor = models.BigIntegerField(default=0)
    next_due_on = models.DateField(null=True)
    days_past_due = models.IntegerField(default=0)
    max_days_past_due = models.IntegerField(default=0, help_text="the most there ever was")
    bucket = models.CharField(max_length=8, default="", blank=True)
    loan_class = models.CharField(
        max_length=20, default="", blank=True, help_text="of its country, at the end of the last closed day"
    )
    extension_count = models.IntegerField(default=0)
    disbursed_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    close_problem = models.CharField(max_length=300, blank=True, help_text="why the close left it out")
    # no column: so that a list joins what its loans earned, instead of asking for it once a loan
    line = models.ForeignObject(
        "servicing.Earning", models.DO_NOTHING, from_fields=["id"], to_fields=["id"], null=True, related_name="+"
    )

    objects = carried.CarriedManager()
    rows = models.Manager["Loan"]()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint("institution", "number", name="loan_number_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="loan_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    principal_minor__gte=0,
                    interest_minor__gte=0,
                    fee_minor__gte=0,
                    penalty_minor__gte=0,
                    tax_minor__gte=0,
                    unapplied_minor__gte=0,
                ),
                name="loan_balances_not_negative",
            ),
        ]
        indexes = [
            models.Index("institution", "party_id", name="loan_of_party"),
            models.Index("institution", "status", "id", name="loan_by_status"),
            models.Index("institution", "bucket", "id", name="loan_by_bucket", condition=~Q(bucket="")),
            models.Index("institution", "loan_class", "id", name="loan_by_class", condition=~Q(loan_class="")),
            models.Index("institution", "next_due_on", "id", name="loan_by_due"),
            models.Index(
                "institution", F("next_due_on").desc(nulls_last=True), F("id").desc(), name="loan_by_due_last"
            ),
            models.Index("institution", "amount_minor", "id", name="loan_by_amount"),
            models.Index("institution", "application_id", name="loan_of_application"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def outstanding_minor(self) -> int:
        """All that is owed: principal, interest, fees, penalties and taxes, in minor units."""
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor + self.tax_minor


class LoanTally(TenantModel):
    """How many loans there are of a unit, owner, status, product and bucket, and what they owe. Kept by the database;
    see institutions.tallies."""

    org_path = models.CharField(max_length=200)
    owner_id = models.UUIDField(null=True)
    status = models.CharField(max_length=12)
    product = models.CharField(max_length=60)
    bucket = models.CharField(max_length=8)
    count = models.BigIntegerField()
    principal_minor = models.BigIntegerField()
    interest_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    penalty_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    past_due_minor = models.BigIntegerField()

    rule = tallies.Rule(
        source="servicing_loan",
        keys=("org_path", "owner_id", "status", "product", "bucket"),
        sums=(
            "count", "principal_minor", "interest_minor", "fee_minor", "penalty_minor", "tax_minor", "past_due_minor",
        ),
        rows="SELECT institution_id, org_path, owner_id, status, product, bucket, 1 AS count, principal_minor, "
        "interest_minor, fee_minor, penalty_minor, tax_minor, past_due_minor FROM {rows}",
    )  # fmt: skip


class LendingTally(TenantModel):
    """How many loans of a unit had their money sent (with the sum of it), or were closed, on a day. Kept likewise."""

    org_path = models.CharField(max_length=200)
    act = models.CharField(max_length=6, choices=[(act, act) for act in ("sent", "closed")])
    on = models.DateField()
    count = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    rule = tallies.Rule(
        source="servicing_loan",
        keys=("org_path", "act", "on"),
        sums=("count", "amount_minor"),
        rows="SELECT institution_id, org_path, 'sent' AS act, disbursed_on AS \"on\", 1 AS count, amount_minor "
        "FROM {rows} WHERE disbursed_on IS NOT NULL UNION ALL "
        "SELECT institution_id, org_path, 'closed', closed_on, 1, amount_minor "
        "FROM {rows} WHERE closed_on IS NOT NULL AND status = 'closed'",
    )

    class Meta:
        indexes = [models.Index("institution", "on", name="lendingtally_on")]


class LoanParty(TenantModel):
    """Who answers for a loan, and as what."""

    loan = TenantForeignKey(Loan, related_name="parties", db_index=False)
    party_id = models.UUIDField()
    role = models.CharField(max_length=12, choices=ROLES)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "loan", "party_id", "role", name="loanparty_once")]
        indexes = [models.Index("institution", "party_id", name="loanparty_of_party")]


class LoanEvent(TenantModel):
    """What happened to a loan, as it was told. `payload` is core's JSON; each row's hash covers the one before it."""

    append_only = True

    institution = institution_key(db_index=False)
    loan = TenantForeignKey(Loan, related_name="events", db_index=False)
    seq = models.IntegerField()
    kind = models.CharField(max_length=40)
    schema_version = models.PositiveSmallIntegerField()
    payload = models.JSONField()
    source = models.CharField(max_length=160)
    effective_on = models.DateField()
    booked_on = models.DateField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=60, blank=True)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "loan", "seq", name="event_seq_once"),
            models.UniqueConstraint("institution", "loan", "source", name="event_source_once"),
            models.CheckConstraint(condition=Q(effective_on__lte=F("booked_on")), name="event_not_in_the_future"),
        ]
        indexes = [
            models.Index("institution", "booked_on", "id", name="event_by_day"),
            models.Index("institution", "source", name="event_by_source"),
        ]


class LoanClassChange(TenantModel):
    """A loan came into another class at the end of a day. Its first class has no row."""

    append_only = True

    loan = TenantForeignKey(Loan, related_name="class_changes", db_index=False)
    day = models.DateField(help_text="at whose end it was so")
    was = models.CharField(max_length=20)
    now = models.CharField(max_length=20)
    days_past_due = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "loan", "day", name="classchange_once_a_day")]
        indexes = [models.Index("institution", "day", "id", name="classchange_by_day")]


class LoanMovement(TenantModel):
    """A change of one balance of a loan, and the entry that carries it in the books. `amount_minor` is signed as in
    core. In the database the key is (institution, booked_on, id)."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    loan = TenantForeignKey(Loan, related_name="movements", db_index=False)
    entry = TenantForeignKey("ledger.JournalEntry", related_name="+", db_index=False)
    event_id = models.UUIDField(null=True, help_text="the event that caused it; none: the passing of a day did")
    booked_on = models.DateField()
    effective_on = models.DateField()
    kind = models.CharField(max_length=40)
    component = models.CharField(max_length=12)
    fee_kind = models.CharField(max_length=40, blank=True)
    tax_kind = models.CharField(max_length=40, blank=True)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="movement_not_zero"),
            models.CheckConstraint(condition=Q(effective_on__lte=F("booked_on")), name="movement_not_in_the_future"),
        ]
        indexes = [
            models.Index("institution", "loan", "booked_on", "id", name="movement_of_loan"),
            models.Index("institution", "entry", name="movement_of_entry"),
            # what was learned late: little beside all that is booked on its own day
            models.Index(
                "institution",
                "effective_on",
                "booked_on",
                name="movement_late",
                condition=Q(effective_on__lt=F("booked_on")),
            ),
        ]


class MovementLine(models.Model):
    """Every movement of a loan, those that follow from an Earning or Earned too: a view, for reading."""

    id = models.UUIDField(primary_key=True)
    institution_id = models.UUIDField()
    loan = models.ForeignKey(Loan, models.DO_NOTHING, related_name="+", db_constraint=False)
    entry = models.ForeignKey("ledger.JournalEntry", models.DO_NOTHING, related_name="+", db_constraint=False)
    event_id = models.UUIDField(null=True)
    booked_on = models.DateField()
    effective_on = models.DateField()
    kind = models.CharField(max_length=40)
    component = models.CharField(max_length=12)
    fee_kind = models.CharField(max_length=40)
    tax_kind = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "servicing_movementline"


class StatusChange(TenantModel):
    """So many times more (or less) the loan bears a status from `effective_on` on, as told on `booked_on`: summed until
    two dates they say in which status it was, as movements say what it owed. See statuses.py."""

    append_only = True

    institution = institution_key(db_index=False)
    loan = TenantForeignKey(Loan, related_name="status_changes", db_index=False)
    booked_on = models.DateField()
    effective_on = models.DateField()
    status = models.CharField(max_length=12)
    past_due_since = models.DateField(null=True, help_text="the oldest due date unpaid; days past due follow from it")
    count = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(count=0), name="statuschange_not_zero"),
            models.CheckConstraint(
                condition=Q(effective_on__lte=F("booked_on")), name="statuschange_not_in_the_future"
            ),
        ]
        indexes = [
            models.Index("institution", "loan", "booked_on", name="statuschange_of_loan"),
            models.Index("institution", "booked_on", name="statuschange_by_day"),
            models.Index("institution", "status", "effective_on", name="statuschange_by_status"),
        ]


class PortfolioSum(TenantModel):
    """What the loans of a product and branch added on one day of booking for one day of effect: money by component, and
    loans by status. Made of movements and status changes when the day is over; see portfolio.py."""

    append_only = True

    booked_on = models.DateField()
    effective_on = models.DateField()
    product = models.CharField(max_length=60)
    branch = models.CharField(max_length=200)
    measure = models.CharField(max_length=12, help_text="a component of money, or `loans`")
    status = models.CharField(max_length=12, blank=True)
    past_due_since = models.DateField(null=True)
    amount = models.BigIntegerField(help_text="minor units, or a number of loans")

    class Meta:
        indexes = [models.Index("institution", "booked_on", name="portfoliosum_by_day")]


class PortfolioRollup(TenantModel):
    """The days of booking [starts_on, ends_on) have been summed up."""

    append_only = True

    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "starts_on", name="portfoliorollup_once")]


class CloseRun(TenantModel):
    """The ending of one business day: how far it is, and how many more days were asked for after it."""

    business_date = models.DateField()
    state = models.CharField(max_length=10, default="running", choices=[(s, s) for s in ("running", "done")])
    total_count = models.IntegerField(default=0, help_text="loans")
    done_count = models.IntegerField(default=0)
    problem_count = models.IntegerField(default=0)
    days_after = models.IntegerField(default=0, help_text="closes that follow by themselves")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True, help_text="what fell due on the next day has been handed out")
    asked_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "business_date", name="closerun_day_once")]


class CloseChunk(TenantModel):
    """Loans with ids in [first_id, end_id) (no end: all later ones), closed in one transaction."""

    run = TenantForeignKey(CloseRun, related_name="chunks", db_index=False)
    number = models.IntegerField()
    first_id = models.UUIDField()
    end_id = models.UUIDField(null=True)
    loan_count = models.IntegerField()
    to_fold = models.IntegerField(default=0, help_text="of these, as far as was known")
    done_at = models.DateTimeField(null=True)
    jobs = models.JSONField(default=dict, help_text="name -> loans for which it is named when the day has ended")

    class Meta:
        constraints = [models.UniqueConstraint("institution", "run", "number", name="closechunk_once")]


class CloseProblem(TenantModel):
    """A loan that a close left out, and why. It is tried again by each following close, or by a person."""

    run = TenantForeignKey(CloseRun, related_name="problems", db_index=False)
    loan = TenantForeignKey(Loan, related_name="close_problems", db_index=False)
    business_date = models.DateField()
    reason = models.CharField(max_length=300)
    solved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "run", "loan", name="closeproblem_once")]
        indexes = [
            models.Index("institution", "loan", name="closeproblem_open", condition=Q(solved_at__isnull=True)),
        ]
