"""The books: accounts, entries made of transfers, and the periods that are locked.

Each row of the ledger is a transfer (debit account, credit account, amount), so an entry balances by construction.
The transfers' table is partitioned by month of `booked_on`; see migrations and `services.ensure_partitions`.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from usance.apps.institutions import tallies
from usance.apps.institutions.models import TenantForeignKey, TenantModel, institution_key, new_id

KINDS = [(kind, kind) for kind in ("asset", "liability", "equity", "income", "expense")]


class Account(TenantModel):
    """An account of the chart. `role` says which control figure of the loans it carries, "" for none."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=KINDS)
    role = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "code", name="account_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def title(self) -> str:
        """The name in the active language, as far as it is one of the default chart's; else as it was given."""
        return gettext(self.name)


class PostingRule(TenantModel):
    """The account that plays a role of `core.accounting`; `product` narrows it to one product's code, "" means all."""

    role = models.CharField(max_length=60)
    product = models.CharField(max_length=60, blank=True)
    account = TenantForeignKey(Account)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "role", "product", name="postingrule_once")]


class JournalEntry(TenantModel):
    """A balanced record of one thing that happened. `key` makes it unique; `source` is the cause in the outer world
    (such as `instruction:<id>`); `cites` names what it corrects; `digest` is over its transfers."""

    append_only = True

    institution = institution_key(db_index=False)
    key = models.CharField(max_length=160)
    booked_on = models.DateField()
    effective_on = models.DateField()
    description = models.CharField(max_length=60, help_text="a code, shown by a translated sentence")
    source = models.CharField(max_length=160, blank=True)
    cites = models.CharField(max_length=160, blank=True)
    loan_id = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)
    transfer_count = models.PositiveIntegerField()
    details_digest = models.CharField(max_length=64, blank=True, help_text="of the loan movements that it carries")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "key", name="entry_key_once"),
            models.CheckConstraint(condition=Q(effective_on__lte=F("booked_on")), name="entry_not_before_effective"),
        ]
        indexes = [
            models.Index("institution", "booked_on", "id", name="entry_by_day"),
            models.Index("institution", "loan_id", "id", name="entry_of_loan", condition=Q(loan_id__isnull=False)),
            models.Index("institution", "source", name="entry_by_source", condition=~Q(source="")),
        ]


class Transfer(TenantModel):
    """An amount from the credited account to the debited. In the database the key is (institution, booked_on, id)."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    entry = TenantForeignKey(JournalEntry, related_name="transfers", db_index=False)
    booked_on = models.DateField()
    debit = TenantForeignKey(Account, related_name="debits", db_index=False)
    credit = TenantForeignKey(Account, related_name="credits", db_index=False)
    amount_minor = models.BigIntegerField()
    branch = models.CharField(max_length=200, blank=True, help_text="path of the organisation unit")
    product = models.CharField(max_length=60, blank=True)
    merchant = models.CharField(max_length=60, blank=True)
    funder = models.CharField(max_length=60, blank=True)
    loan_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transfer_two_accounts"),
        ]
        indexes = [
            models.Index("institution", "entry", name="transfer_of_entry"),
            models.Index("institution", "debit", "booked_on", name="transfer_by_debit"),
            models.Index("institution", "credit", "booked_on", name="transfer_by_credit"),
        ]


class Line(models.Model):
    """One side of a transfer: a view, for statements. `amount_minor` is positive in the debit."""

    id = models.CharField(primary_key=True, max_length=40)
    institution_id = models.UUIDField()
    transfer_id = models.UUIDField()
    entry = models.ForeignKey(JournalEntry, models.DO_NOTHING, related_name="lines", db_constraint=False)
    booked_on = models.DateField()
    account = models.ForeignKey(Account, models.DO_NOTHING, related_name="lines", db_constraint=False)
    other = models.ForeignKey(Account, models.DO_NOTHING, related_name="+", db_constraint=False)
    side = models.CharField(max_length=1)
    amount_minor = models.BigIntegerField()
    branch = models.CharField(max_length=200)
    product = models.CharField(max_length=60)
    merchant = models.CharField(max_length=60)
    funder = models.CharField(max_length=60)
    loan_id = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_line"


class LineTally(TenantModel):
    """What the lines of a day add up to, by account, counter-account, side, unit and product. Kept by the database; see
    institutions.tallies. `amount_minor` is positive in the debit."""

    booked_on = models.DateField()
    account = TenantForeignKey(Account, related_name="+", db_index=False)
    other = TenantForeignKey(Account, related_name="+", db_index=False)
    side = models.CharField(max_length=1)
    branch = models.CharField(max_length=200, blank=True)
    product = models.CharField(max_length=60, blank=True)
    amount_minor = models.BigIntegerField()

    rule = tallies.Rule(
        source="ledger_transfer",
        keys=("booked_on", "account_id", "other_id", "side", "branch", "product"),
        sums=("amount_minor",),
        rows="SELECT institution_id, booked_on, debit_id AS account_id, credit_id AS other_id, 'd' AS side, branch, "
        "product, amount_minor FROM {rows} UNION ALL SELECT institution_id, booked_on, credit_id, debit_id, 'c', "
        "branch, product, -amount_minor FROM {rows}",
    )

    class Meta:
        indexes = [models.Index("institution", "booked_on", name="linetally_on")]


class Period(TenantModel):
    """Days [starts_on, ends_on) of the books; while `locked_at` stands, nothing is booked in them."""

    starts_on = models.DateField()
    ends_on = models.DateField()
    locked_at = models.DateTimeField(null=True)
    locked_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "starts_on", name="period_once"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="period_not_empty"),
        ]
