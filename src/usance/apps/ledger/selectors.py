"""Reading the books: accounts, balances on a date, statements. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from usance.apps.institutions import tenancy
from usance.apps.ledger.models import Account, JournalEntry, Line, LineTally, Period, PostingRule, Transfer

DEBIT_KINDS = frozenset({"asset", "expense"})


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """An account's line of the trial balance, in minor units. `balance_minor` is debit less credit."""

    account: Account
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        return self.debit_minor - self.credit_minor

    @property
    def natural_minor(self) -> int:
        """The balance with the sign that readers expect of this kind of account."""
        return self.balance_minor if self.account.kind in DEBIT_KINDS else -self.balance_minor


def accounts() -> QuerySet[Account]:
    return Account.objects.order_by("code")


def account(account_id: UUID) -> Account:
    return Account.objects.get(pk=account_id)


def posting_rules() -> QuerySet[PostingRule]:
    return PostingRule.objects.select_related("account").order_by("role", "product")


def periods() -> QuerySet[Period]:
    return Period.objects.order_by("-starts_on")


BEFORE_BOOKING = """
SELECT d.day, NULL, NULL, NULL::uuid FROM unnest(%(days)s::date[]) AS d (day) WHERE EXISTS (SELECT FROM ledger_period p
    WHERE p.institution_id = %(institution)s AND p.locked_at IS NOT NULL AND p.starts_on <= d.day AND p.ends_on > d.day)
UNION ALL
SELECT NULL, key, NULL, NULL FROM ledger_journalentry
WHERE institution_id = %(institution)s AND key = ANY(%(keys)s::text[])
UNION ALL
SELECT NULL, role, product, account_id FROM ledger_postingrule
WHERE institution_id = %(institution)s AND role = ANY(%(roles)s::text[])
"""

Accounts = Mapping[tuple[str, str], UUID]  # (role, product) -> account, "" for all products


@dataclass(frozen=True, slots=True)
class BeforeBooking:
    """Those of the days that are locked, those of the keys under which an entry was booked already, and the accounts
    that play the roles."""

    locked: Sequence[date]
    known: Sequence[str]
    accounts: Accounts


def before_booking(*, days: Iterable[date], keys: Iterable[str], roles: Iterable[str]) -> BeforeBooking:
    """What whoever books must know first, by one query."""
    values: dict[str, Any] = {"days": list(days), "keys": list(keys), "roles": list(roles)}
    with connection.cursor() as cursor:
        cursor.execute(BEFORE_BOOKING, values | {"institution": tenancy.current_id()})
        found = cursor.fetchall()
    return BeforeBooking(
        locked=[day for day, _, _, _ in found if day],
        known=[name for day, name, _, account_id in found if not day and not account_id],
        accounts={(name, product): account_id for _, name, product, account_id in found if account_id},
    )


def entry(entry_id: UUID) -> JournalEntry:
    return JournalEntry.objects.get(pk=entry_id)


def entries_by_key(keys: Iterable[str]) -> QuerySet[JournalEntry]:
    return JournalEntry.objects.filter(key__in=list(keys))


def transfers_of(entry_id: UUID) -> QuerySet[Transfer]:
    return Transfer.objects.filter(entry_id=entry_id).select_related("debit", "credit").order_by("booked_on", "id")


def transfers_of_entries(entry_ids: Iterable[UUID]) -> QuerySet[Transfer]:
    """The transfers of many entries, in the order of the newest entry first."""
    return Transfer.objects.filter(entry_id__in=list(entry_ids)).order_by("-booked_on", "-entry_id", "id")


def entries_of_loan(*, loan_id: UUID) -> QuerySet[JournalEntry]:
    """The entries made for this loan alone, newest first; daily accruals are in the entries of the close."""
    return JournalEntry.objects.filter(loan_id=loan_id).order_by("-booked_on", "-id")


def entries(*, starts_on: date, ends_on: date, source: str = "") -> QuerySet[JournalEntry]:
    """The journal of [starts_on, ends_on), newest first."""
    found = JournalEntry.objects.filter(booked_on__gte=starts_on, booked_on__lt=ends_on)
    return (found.filter(source=source) if source else found).order_by("-booked_on", "-id")


TOTALS = """
SELECT account_id, sum(amount_minor) FILTER (WHERE side = 'd'), -sum(amount_minor) FILTER (WHERE side = 'c')
FROM ledger_linetally
WHERE institution_id = %(institution)s AND booked_on <= %(on)s AND booked_on >= %(since)s
  AND (%(branch)s = '' OR branch = %(branch)s OR starts_with(branch, %(branch)s || '.'))
  AND (%(product)s = '' OR product = %(product)s)
GROUP BY account_id
"""
BEGINNING = date(1, 1, 1)


def totals(*, on: date, since: date = BEGINNING, branch: str = "", product: str = "") -> Mapping[UUID, tuple[int, int]]:
    """Debits and credits per account over [since, on], both included; `branch` takes in the units below it."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "institution": tenancy.current_id(),
            "on": on,
            "since": since,
            "branch": branch,
            "product": product,
        }
        cursor.execute(TOTALS, values)
        return {row[0]: (int(row[1] or 0), int(row[2] or 0)) for row in cursor.fetchall()}


def trial_balance(*, on: date, since: date = BEGINNING, branch: str = "", product: str = "") -> list[BalanceLine]:
    """Every account with what was booked on it up to and including a date; debits equal credits over all lines."""
    booked = totals(on=on, since=since, branch=branch, product=product)
    return [BalanceLine(account, *booked.get(account.pk, (0, 0))) for account in accounts()]


def control_totals(*, on: date, branch: str = "") -> Mapping[str, int]:
    """Debit less credit, per role of an account that carries a balance of the loans, up to and including a date;
    `branch` takes in the units below it."""
    booked = totals(on=on, branch=branch)
    found: dict[str, int] = {}
    for row in Account.objects.exclude(role=""):
        debit, credit = booked.get(row.pk, (0, 0))
        found[row.role] = found.get(row.role, 0) + debit - credit
    return found


def account_statement(*, account_id: UUID, starts_on: date, ends_on: date) -> QuerySet[Line]:
    """The lines of an account over [starts_on, ends_on), newest first, with entry and counter-account."""
    lines = Line.objects.filter(account_id=account_id, booked_on__gte=starts_on, booked_on__lt=ends_on)
    return lines.select_related("entry", "other").order_by("-booked_on", "-id")


def account_balance(*, account_id: UUID, on: date) -> int:
    """Debit less credit of one account up to and including a date, in minor units."""
    booked = LineTally.objects.filter(account_id=account_id, booked_on__lte=on)
    return int(booked.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])


def daily_flows(
    *, roles: Iterable[str], starts_on: date, ends_on: date, within: Q | None = None
) -> list[tuple[date, str, int, int]]:
    """(day, role, debits, credits) of the accounts that carry these balances, over [starts_on, ends_on), for charts.
    `within`: a condition on the lines, such as on `branch`."""
    lines = LineTally.objects.filter(within or Q(), account__role__in=list(roles))
    rows = (
        lines.filter(booked_on__gte=starts_on, booked_on__lt=ends_on)
        .values_list("booked_on", "account__role")
        .annotate(
            debit=Coalesce(Sum("amount_minor", filter=Q(side="d")), 0),
            credit=Coalesce(-Sum("amount_minor", filter=Q(side="c")), 0),
        )
        .order_by("booked_on", "account__role")
    )
    return [(day, role, int(debit), int(credit)) for day, role, debit, credit in rows]


CLEARING = ("receipts_clearing", "disbursement_clearing", "refund_clearing")


def cash_flows(*, starts_on: date, ends_on: date, within: Q | None = None) -> list[tuple[date, str, int]]:
    """(day, role, debits less credits) of money on its way to or from customers, over [starts_on, ends_on): what met a
    balance of the loans on a clearing account. What the bank settles later is not in it. `within`: on the lines."""
    roles: dict[UUID, str] = dict(PostingRule.objects.filter(role__in=CLEARING).values_list("account_id", "role"))
    lines = LineTally.objects.filter(within or Q(), account_id__in=list(roles)).exclude(other__role="")
    rows = (
        lines.filter(booked_on__gte=starts_on, booked_on__lt=ends_on)
        .values_list("booked_on", "account_id")
        .annotate(total=Sum("amount_minor"))
        .order_by("booked_on", "account_id")
    )
    return [(day, roles[account_id], int(total)) for day, account_id, total in rows]


def branch_totals(*, on: date, since: date = BEGINNING, within: Q | None = None) -> list[tuple[str, UUID, int]]:
    """(branch, account, debit less credit) over [since, on], both included. `within`: a condition on the lines."""
    lines = LineTally.objects.filter(within or Q(), booked_on__gte=since, booked_on__lte=on)
    rows = lines.values_list("branch", "account_id").annotate(total=Sum("amount_minor"))
    return [(branch, account_id, int(total)) for branch, account_id, total in rows.order_by("branch", "account_id")]


def period(period_id: UUID) -> Period:
    return Period.objects.get(pk=period_id)
