"""Booking, and locking what has been booked. An entry consists of transfers, so it cannot be out of balance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from usance.apps.audit import services as audit
from usance.apps.institutions import tenancy
from usance.apps.institutions.rows import insert_together
from usance.apps.ledger import chart, digests, selectors
from usance.apps.ledger.models import Account, JournalEntry, Period, PostingRule, Transfer
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor

if TYPE_CHECKING:
    from usance.apps.access.models import User
    from usance.apps.desk.models import Approval

PARTITIONED = ("ledger_transfer", "servicing_loanmovement")
MONTHS_AHEAD = timedelta(days=92)


class PeriodLocked(Refusal):
    """Nothing may be booked on this day any more."""

    code = "period_locked"
    booked_on: date


class PeriodNotOver(Refusal):
    """Only days that are over can be locked."""

    code = "period_not_over"
    ends_on: date
    business_date: date


class PeriodLockedAlready(Refusal):
    """The days, or some of them, are locked already."""

    code = "period_locked_already"
    starts_on: date
    ends_on: date


class PeriodNotLocked(Refusal):
    code = "period_not_locked"


class NoAccountForRole(Refusal):
    """The posting rules name no account for a role."""

    code = "no_account_for_role"
    role: str


class AccountPlaysAnotherRole(Refusal):
    """A control account must hold one balance of the loans and nothing else, or it could not be checked."""

    code = "account_plays_another_role"
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """An amount in minor units, > 0, from the account of one role to that of another, with its dimensions."""

    debit: str
    credit: str
    amount_minor: int
    branch: str = ""
    product: str = ""
    merchant: str = ""
    funder: str = ""
    loan_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What to book. `details_digest` covers rows of another app that belong to the entry (movements of loans)."""

    key: str
    booked_on: date
    effective_on: date
    description: str
    transfers: Sequence[NewTransfer]
    source: str = ""
    cites: str = ""
    loan_id: UUID | None = None
    details_digest: str = ""
    id: UUID | None = None


def open_books() -> None:
    """The default chart and posting rules, and room for the coming months. Safe to repeat; keeps what was changed."""
    Account.objects.bulk_create(
        [Account(code=a.code, name=a.name, kind=a.kind, role=a.role) for a in chart.default()], ignore_conflicts=True
    )
    by_code = {account.code: account for account in Account.objects.all()}
    PostingRule.objects.bulk_create(
        [PostingRule(role=role, account=by_code[code]) for role, code in chart.default_rules().items()],
        ignore_conflicts=True,
    )
    ensure_partitions(since=tenancy.current().business_date)


def ensure_partitions(*, since: date, until: date | None = None) -> int:
    """Partitions for the months from `since` to `until` (three months ahead by default); says how many were made."""
    made = 0
    with connection.cursor() as cursor:
        for table in PARTITIONED:
            cursor.execute("SELECT usance.ensure_partitions(%s, %s, %s)", [table, since, until or since + MONTHS_AHEAD])
            made += cursor.fetchone()[0]
    return made


def post(*, entry: NewEntry, actor: Actor = SYSTEM) -> JournalEntry:
    """Books one entry; the same key again gives the first one. Raises PeriodLocked, NoAccountForRole."""
    return post_many(entries=[entry], actor=actor)[0]


def post_many(*, entries: Sequence[NewEntry], actor: Actor = SYSTEM) -> list[JournalEntry]:
    """Books entries in a few statements, in their order; those whose key is known stay as they are."""
    roles = {role for entry in entries for one in entry.transfers for role in (one.debit, one.credit)}
    there = selectors.before_booking(
        days={entry.booked_on for entry in entries}, keys=[entry.key for entry in entries], roles=roles
    )
    for day in there.locked:
        raise PeriodLocked(booked_on=day)
    known = {row.key: row for row in selectors.entries_by_key(there.known)} if there.known else {}
    made = [_build(entry, there.accounts) for entry in entries if entry.key not in known]
    insert_together([row for row, _ in made], [transfer for _, transfers in made for transfer in transfers])
    _record(made, actor)
    known |= {row.key: row for row, _ in made}
    return [known[entry.key] for entry in entries]


def _record(made: Sequence[tuple[JournalEntry, list[Transfer]]], actor: Actor) -> None:
    """One is written together with what else its act records, many by one query."""
    posted = "ledger.posted"
    if len(made) == 1:
        ((row, _),) = made
        audit.record(action=posted, subject=row, actor=actor, details={"key": row.key}, digest=row.digest)
        return
    audit.record_all(
        audit.Deed(action=posted, subject=row, actor=actor, details={"key": row.key}, digest=row.digest)
        for row, _ in made
    )


def _build(entry: NewEntry, accounts: selectors.Accounts) -> tuple[JournalEntry, list[Transfer]]:
    row = JournalEntry(
        key=entry.key,
        booked_on=entry.booked_on,
        effective_on=entry.effective_on,
        description=entry.description,
        source=entry.source,
        cites=entry.cites,
        loan_id=entry.loan_id,
        currency=tenancy.current().currency,
        transfer_count=len(entry.transfers),
        details_digest=entry.details_digest,
        **({"id": entry.id} if entry.id else {}),
    )
    transfers = [
        Transfer(
            entry=row,
            booked_on=entry.booked_on,
            debit_id=_account(accounts, wanted.debit, wanted.product),
            credit_id=_account(accounts, wanted.credit, wanted.product),
            amount_minor=wanted.amount_minor,
            branch=wanted.branch,
            product=wanted.product,
            merchant=wanted.merchant,
            funder=wanted.funder,
            loan_id=wanted.loan_id,
        )
        for wanted in entry.transfers
    ]
    row.digest = digests.digest_of(row, transfers)
    return row, transfers


def _account(accounts: selectors.Accounts, role: str, product: str) -> UUID:
    found = accounts.get((role, product)) or accounts.get((role, ""))
    if found is None:
        raise NoAccountForRole(role=role)
    return found


def merged(transfers: Iterable[NewTransfer]) -> list[NewTransfer]:
    """Transfers between the same roles with the same dimensions as one, in a stable order."""
    sums: dict[tuple[str, ...], int] = {}
    loans: dict[str, UUID | None] = {}
    for one in transfers:
        loan = str(one.loan_id or "")
        loans[loan] = one.loan_id
        alike = (one.debit, one.credit, one.branch, one.product, one.merchant, one.funder, loan)
        sums[alike] = sums.get(alike, 0) + one.amount_minor
    return [
        NewTransfer(
            debit=debit, credit=credit, amount_minor=amount, branch=branch, product=product, merchant=merchant,
            funder=funder, loan_id=loans[loan],
        )
        for (debit, credit, branch, product, merchant, funder, loan), amount in sorted(sums.items())
    ]  # fmt: skip


def add_account(*, code: str, name: str, kind: str, actor: Actor) -> Account:
    """Another account of the chart."""
    account = Account.objects.create(code=code, name=name, kind=kind)
    audit.record(action="ledger.account_added", subject=account, actor=actor, details={"code": code})
    return account


def set_posting_rule(*, role: str, account_id: UUID, actor: Actor, product: str = "") -> PostingRule:
    """From now on this account plays the role, for one product or for all; earlier entries stay where they are. An
    account that carries a balance of the loans carries no other. Raises AccountPlaysAnotherRole."""
    account = Account.objects.select_for_update().get(pk=account_id)
    control = role if role in chart.CONTROL else ""
    if account.role != control:
        if account.role or account.debits.exists() or account.credits.exists():
            raise AccountPlaysAnotherRole(role=account.role or account.name)
        account.role = control
        account.save(update_fields=["role"])
    rule, _ = PostingRule.objects.update_or_create(role=role, product=product, defaults={"account_id": account_id})
    details = {"role": role, "product": product, "account": str(account_id)}
    audit.record(action="ledger.rule_set", subject=rule, actor=actor, details=details)
    return rule


def lock_period(*, starts_on: date, ends_on: date, actor: Actor, at: datetime) -> Period:
    """Nothing more is booked in [starts_on, ends_on). Raises PeriodNotOver, PeriodLockedAlready."""
    today = tenancy.current().business_date
    if ends_on > today:
        raise PeriodNotOver(ends_on=ends_on, business_date=today)
    if Period.objects.filter(locked_at__isnull=False, starts_on__lt=ends_on, ends_on__gt=starts_on).exists():
        raise PeriodLockedAlready(starts_on=starts_on, ends_on=ends_on)
    period, _ = Period.objects.update_or_create(
        starts_on=starts_on, defaults={"ends_on": ends_on, "locked_at": at, "locked_by": actor.id}
    )
    details = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
    audit.record(action="ledger.period_locked", subject=period, actor=actor, details=details)
    return period


UNLOCK = "ledger.unlock_period"


def propose_unlock(*, period_id: UUID, maker: User, reason: str, at: datetime) -> Approval:
    """Asks a second person to open a locked period. Raises PeriodNotLocked."""
    from usance.apps.desk import services as desk

    period = Period.objects.select_for_update().get(pk=period_id)
    if period.locked_at is None:
        raise PeriodNotLocked()
    days = {"starts_on": period.starts_on.isoformat(), "ends_on": period.ends_on.isoformat()}
    return desk.propose(
        kind=UNLOCK,
        subject=period,
        before={**days, "locked": True},
        after={**days, "locked": False},
        maker=maker,
        at=at,
        reason=reason,
    )


def unlock_period(*, subject_id: str, actor: Actor, at: datetime, **approval: Any) -> None:
    """What an approval of the kind `ledger.unlock_period` does. Raises PeriodNotLocked."""
    period = Period.objects.select_for_update().get(pk=subject_id)
    if period.locked_at is None:
        raise PeriodNotLocked()
    period.locked_at, period.locked_by = None, ""
    period.save(update_fields=["locked_at", "locked_by"])
    details = {"maker": str(approval.get("maker_id", "")), "starts_on": period.starts_on.isoformat()}
    audit.record(action="ledger.period_unlocked", subject=period, actor=actor, details=details)
