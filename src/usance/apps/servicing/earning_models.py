"""What loans earn while their days are alike, as it is kept: the line of each running loan, the spans that are over,
and the entries that were booked for many loans at once. `core.loan.quiet` says what a line is."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from usance.apps.institutions import tallies
from usance.apps.institutions.models import TenantForeignKey, TenantModel, institution_key


class EarningLine(models.Model):
    """The lines by which a loan earns interest and penalty on each of a span of days that are alike, as
    `core.loan.quiet` says: after n days the rounded total is (carried + daily * n) / parts, less what was posted; of
    the penalty the first `penalty_since` days do not count."""

    starts_on = models.DateField(help_text="the checkpoint's day: what was earned before is in the loan's row")
    product = models.CharField(max_length=60)
    org_path = models.CharField(max_length=200)
    interest_carried = models.DecimalField(max_digits=60, decimal_places=0, default=0)
    interest_daily = models.DecimalField(max_digits=60, decimal_places=0, default=0)
    interest_parts = models.DecimalField(max_digits=60, decimal_places=0, default=1)
    interest_posted = models.BigIntegerField(default=0)
    penalty_carried = models.DecimalField(max_digits=60, decimal_places=0, default=0)
    penalty_daily = models.DecimalField(max_digits=60, decimal_places=0, default=0)
    penalty_parts = models.DecimalField(max_digits=60, decimal_places=0, default=1)
    penalty_posted = models.BigIntegerField(default=0)
    penalty_since = models.IntegerField(default=0)
    to_even = models.BooleanField(default=False, help_text="halves go to the even neighbour")

    class Meta:
        abstract = True


class Earning(TenantModel, EarningLine):
    """What a running loan earned since its row was written, and by which line it goes on: `id` is the loan's. The close
    moves `closed_until` of all of them at once; on the morning of `agenda_on` the loan itself is folded again."""

    institution = institution_key(db_index=False)
    closed_until = models.DateField(help_text="every day before it is booked")
    agenda_on = models.DateField()
    merchant = models.CharField(max_length=60, blank=True)
    funder = models.CharField(max_length=60, blank=True)
    owner_id = models.UUIDField(null=True)
    status = models.CharField(max_length=12)
    bucket = models.CharField(max_length=8, blank=True)
    interest_minor = models.BigIntegerField(default=0, help_text="earned over [starts_on, closed_until)")
    penalty_minor = models.BigIntegerField(default=0)
    interest_is_late = models.BooleanField(default=False, help_text="it is past due as it accrues")
    due_on = models.DateField(null=True, help_text="an instalment falls due on that morning, before the loan is folded")
    due_minor = models.BigIntegerField(default=0, help_text="what is payable from then on, beside what was")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closed_until__gte=F("starts_on")), name="earning_not_before_its_start"),
        ]
        indexes = [models.Index("institution", "id", name="earning_in_order")]


class Earned(TenantModel, EarningLine):
    """A span of days [starts_on, ends_on) over which a loan earned by one line, and which were booked for many loans at
    once: what became of an Earning when its loan was folded again."""

    append_only = True

    institution = institution_key(db_index=False)
    loan_id = models.UUIDField()
    ends_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "loan_id", "starts_on", name="earned_once")]


class EarnedDay(TenantModel):
    """One entry of the books for what the loans of a product and unit with ids in [first_id, end_id) earned on a day by
    their lines: the entry's loans and amounts follow from it."""

    append_only = True

    entry = TenantForeignKey("ledger.JournalEntry", related_name="+", db_index=False)
    day = models.DateField()
    first_id = models.UUIDField()
    end_id = models.UUIDField(null=True)
    product = models.CharField(max_length=60)
    org_path = models.CharField(max_length=200)
    count = models.IntegerField()
    interest_minor = models.BigIntegerField()
    penalty_minor = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "entry", name="earnedday_of_entry")]
        indexes = [models.Index("institution", "product", "org_path", "day", name="earnedday_by_group")]


class EarningTally(TenantModel):
    """What running loans earned since their rows were written: beside LoanTally, whose keys it has. Kept likewise."""

    org_path = models.CharField(max_length=200)
    owner_id = models.UUIDField(null=True)
    status = models.CharField(max_length=12)
    product = models.CharField(max_length=60)
    bucket = models.CharField(max_length=8)
    interest_minor = models.BigIntegerField()
    penalty_minor = models.BigIntegerField()
    past_due_minor = models.BigIntegerField()

    rule = tallies.Rule(
        source="servicing_earning",
        keys=("org_path", "owner_id", "status", "product", "bucket"),
        sums=("interest_minor", "penalty_minor", "past_due_minor"),
        rows="SELECT institution_id, org_path, owner_id, status, product, bucket, interest_minor, penalty_minor, "
        "penalty_minor + CASE WHEN interest_is_late THEN interest_minor ELSE 0 END AS past_due_minor FROM {rows}",
    )
