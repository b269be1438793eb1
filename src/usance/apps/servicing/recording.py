"""The one road by which an event reaches a loan: lock, load, admit, append, apply, record.

Each event becomes a row of its own, its movements rows of the loan, and their sum one entry of the books; the standing
columns follow. A back-dated event is refolded and the difference booked today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.audit import services as audit
from usance.apps.institutions import services as institutions
from usance.apps.institutions.models import new_id
from usance.apps.institutions.rows import insert_together
from usance.apps.ledger import services as ledger
from usance.apps.servicing import earnings, folding, posting, statuses
from usance.apps.servicing.models import Loan, LoanEvent, LoanMovement, StatusChange
from usance.apps.servicing.refusals import NoSuchLoan, SourceUsedOtherwise, ValueDateInTheFuture
from usance.core.loan import close, replay, state
from usance.core.loan.events import Event
from usance.core.loan.movements import Movement
from usance.ports import queue
from usance.ports.actor import Actor

# status reached -> the job that others may have declared for it
TRANSITIONS = {
    "closed": "loans.closed",
    "past_due": "loans.became_past_due",
    "written_off": "loans.written_off",
    "sold": "loans.sold",
    "cancelled": "loans.cancelled",
}
CHANGED_BY_HAND = "loans.changed_by_hand"  # the job for each event that a colleague told

# of an event's payload, what the trail leaves to the event itself, whose hash it keeps
NOT_RECORDED = {"reason", "why", "version", "before", "after"}


@dataclass
class Taking:
    """One loan while events are taken in: its row, its state, what happened so far, and what is to be written."""

    row: Loan
    loan: state.Loan
    history: tuple[Event, ...]
    today: date
    most_days_late: int
    events: list[LoanEvent] = field(default_factory=list)
    movements: list[LoanMovement] = field(default_factory=list)
    statuses: list[StatusChange] = field(default_factory=list)


def tell(*, loan_id: UUID, events: Sequence[Event], actor: Actor) -> Loan:
    """Takes events in, in the caller's transaction, and gives the loan's row as it then stands. Events whose source is
    known change nothing. Raises NoSuchLoan, ValueDateInTheFuture, SourceUsedOtherwise, and what `admit` refuses."""
    today = institutions.hold_business_date()
    row = lock(loan_id)
    known = list(row.events.order_by("seq"))
    fresh = _not_yet_told(events, known)
    if not fresh:
        return row
    taking = Taking(row, folding.state_of(row), folding.history_of(known), today, row.max_days_past_due)
    before = taking.loan
    with audit.written_together():
        for event in fresh:
            _take_in(taking, event, actor)
        _write(taking, actor)
    announce(row.pk, before, taking.loan)
    if actor.is_staff:
        _announce_by_hand(row.pk, fresh)
    return row


def lock(loan_id: UUID) -> Loan:
    """The loan's row, nobody else's until the transaction ends."""
    for _ in range(MOST_CHANGES):
        row = earnings.lock_running(loan_id) or _lock_resting(loan_id)
        if row is not None:
            return row
    raise RuntimeError(f"loan {loan_id} runs, and has no Earning")


MOST_CHANGES = 3  # a loan begins to run, or ends, while somebody waits for it


def _lock_resting(loan_id: UUID) -> Loan | None:
    """A loan that does not run. None for one that was disbursed while we waited for it: it is let go again, as its
    Earning is locked before it, and a close may be between the two."""
    with transaction.atomic():
        row = Loan.rows.select_for_update(no_key=True).filter(pk=loan_id).first()
        if row is None:
            raise NoSuchLoan()
        runs = row.status in state.LIVE
        transaction.set_rollback(runs)
    return None if runs else row


def _not_yet_told(events: Sequence[Event], known: Sequence[LoanEvent]) -> list[Event]:
    by_source = {row.source: row for row in known}
    fresh = []
    for event in events:
        row = by_source.get(event.source)
        if row is None:
            fresh.append(event)
        elif _essence(event.to_json()) != _essence(row.payload):
            raise SourceUsedOtherwise(source=event.source)
    return fresh


def _essence(payload: dict[str, Any]) -> dict[str, Any]:
    """What must be the same when something is told twice; a repetition may come on a later day."""
    return {name: item for name, item in payload.items() if name != "effective_on"}


def _take_in(taking: Taking, event: Event, actor: Actor) -> None:
    if event.effective_on > taking.today:
        raise ValueDateInTheFuture(value_on=event.effective_on, business_date=taking.today)
    before, told_before = taking.loan, taking.history
    movements: list[tuple[UUID | None, Movement]] = []
    if event.effective_on > taking.loan.at:
        movements += _pass_days(taking, event.effective_on)
    in_order = event.effective_on == taking.loan.at
    row = _event_row(taking, event, actor)
    step = replay.append(taking.loan, taking.history, event)
    movements += [(row.pk, movement) for movement in step.movements]
    taking.loan, taking.history = step.loan, (*taking.history, event)
    if taking.loan.at < taking.today:
        movements += _pass_days(taking, taking.today)
    in_order = in_order and (before.last_order is None or before.last_order < event.order)
    if not in_order or folding.undoes_earlier(event):
        agreed = folding.terms_of(taking.row)
        taking.most_days_late = folding.max_days_past_due(agreed, taking.history, taking.loan.at)
    taking.most_days_late = max(taking.most_days_late, state.days_past_due(taking.loan))
    taking.events.append(row)
    taking.statuses += statuses.rows_of(taking.row, _new_statuses(taking, before, told_before, event), taking.today)
    taking.movements += _book(taking, row, movements, actor)


def _new_statuses(
    taking: Taking, before: state.Loan, told_before: Sequence[Event], event: Event
) -> list[statuses.Change]:
    """What the event changed of the loan's status, on which days. What happens today changes nothing but today."""
    if before.at == taking.loan.at == event.effective_on and not folding.undoes_earlier(event):
        return statuses.between(before, taking.loan)
    agreed = folding.terms_of(taking.row)
    known = statuses.timeline(agreed, told_before, before.at)
    return statuses.difference(known, statuses.timeline(agreed, taking.history, taking.loan.at))


def _pass_days(taking: Taking, to: date) -> list[tuple[UUID | None, Movement]]:
    """Days that no close has closed yet for this loan."""
    step = close.advance(taking.loan, to)
    taking.loan = step.loan
    taking.most_days_late = max(taking.most_days_late, state.days_past_due(taking.loan))
    return [(None, movement) for movement in step.movements]


def _event_row(taking: Taking, event: Event, actor: Actor) -> LoanEvent:
    last = taking.events[-1] if taking.events else None
    row = LoanEvent(
        loan=taking.row,
        seq=(last.seq if last else taking.row.last_event_seq) + 1,
        kind=event.kind,
        schema_version=event.VERSION,
        payload=event.to_json(),
        source=event.source,
        effective_on=event.effective_on,
        booked_on=taking.today,
        actor_kind=actor.kind,
        actor_id=actor.id,
        prev_hash=last.hash if last else taking.row.last_event_hash,
    )
    row.hash = folding.hash_of(row)
    return row


def _book(
    taking: Taking, event: LoanEvent, movements: Sequence[tuple[UUID | None, Movement]], actor: Actor
) -> list[LoanMovement]:
    """The event's movements as rows, and the entry that carries them. While a day is being ended, a loan that its close
    has passed stands at tomorrow: what then follows of tomorrow is booked on tomorrow, by an entry of its own."""
    by_day: dict[date, list[tuple[UUID | None, Movement]]] = {}
    for event_id, movement in movements:
        by_day.setdefault(max(taking.today, movement.effective_on), []).append((event_id, movement))
    return [row for day in sorted(by_day) for row in _book_on(day, taking, event, by_day[day], actor)]


def _book_on(
    day: date, taking: Taking, event: LoanEvent, movements: Sequence[tuple[UUID | None, Movement]], actor: Actor
) -> list[LoanMovement]:
    rows = [
        LoanMovement(
            id=new_id(), loan=taking.row, event_id=event_id, booked_on=day, effective_on=m.effective_on,
            kind=m.kind, component=m.component, fee_kind=m.fee_kind, tax_kind=m.tax_kind, amount_minor=m.amount_minor,
        )
        for event_id, m in movements
    ]  # fmt: skip
    transfers = posting.transfers_of(taking.row, [movement for _, movement in movements], name_loan=True)
    if not transfers:
        return []
    is_later = day > taking.today
    entry = ledger.post(
        entry=ledger.NewEntry(
            key=f"loan:{taking.row.pk}:{event.source}{f':{day}' if is_later else ''}",
            booked_on=day,
            effective_on=day if is_later else event.effective_on,
            description=f"loan.{folding.snake(event.kind)}",
            transfers=transfers,
            source=event.source,
            cites=_cites(event, taking.today),
            loan_id=taking.row.pk,
            details_digest=folding.digest_of([folding.movement_text_of(row) for row in rows]),
        ),
        actor=actor,
    )
    for row in rows:
        row.entry = entry
    return rows


def _cites(event: LoanEvent, today: date) -> str:
    """What an entry corrects: the event undone, or the earlier day that it is about."""
    undone = event.payload.get("undoes")
    if undone:
        return f"event:{undone}"
    return f"date:{event.effective_on}" if event.effective_on < today else ""


def _write(taking: Taking, actor: Actor) -> None:
    row = taking.row
    insert_together(taking.events, taking.movements, taking.statuses)
    columns = folding.columns_of(taking.loan)
    look_again = (
        not row.loan_class
        or columns["days_past_due"] > 0
        or any(columns[name] != getattr(row, name) for name in ("days_past_due", "extension_count"))
    )
    for name, value in columns.items():
        setattr(row, name, value)
    row.last_event_seq, row.last_event_hash = taking.events[-1].seq, taking.events[-1].hash
    row.max_days_past_due = taking.most_days_late
    row.corrected_terms = folding.corrected_terms(row, taking.loan.terms)
    written = {name: getattr(row, name) for name in (*folding.STANDING, *folding.OF_EVENTS)}
    if Loan.rows.filter(pk=row.pk).update(**written) != 1:  # not `save`: it would ask for what the loan earned
        raise NoSuchLoan()
    earnings.replace({row.pk: earnings.line(earnings.Folded(row, taking.loan, columns, look_again))})
    for event in taking.events:
        audit.record(
            action=f"loan.{folding.snake(event.kind)}",
            subject=row,
            actor=actor,
            details={name: item for name, item in event.payload.items() if name not in NOT_RECORDED},
            digest=event.hash,
        )


def announce(loan_id: UUID, before: state.Loan, after: state.Loan) -> None:
    """Names the jobs that follow from what changed, in the caller's transaction."""
    for name in announced(before, after):
        if name in queue.declared():
            queue.enqueue(name, loan_id=str(loan_id))


def _announce_by_hand(loan_id: UUID, told: Sequence[Event]) -> None:
    if CHANGED_BY_HAND in queue.declared():
        each = [{"loan_id": str(loan_id), "source": event.source} for event in told]
        queue.enqueue_all(CHANGED_BY_HAND, each)


Jobs = dict[str, list[str]]  # name -> ids of loans


def announce_all(jobs: Jobs) -> None:
    """Names the jobs of many loans, as far as somebody declared them: one query for each kind."""
    for name in jobs.keys() & queue.declared():
        queue.enqueue_all(name, [{"loan_id": loan_id} for loan_id in jobs[name]])


def announced(before: state.Loan, after: state.Loan) -> list[str]:
    """The names of the jobs that follow from what changed."""
    names = []
    if before.status != after.status and after.status in TRANSITIONS:
        names.append(TRANSITIONS[after.status])
    if before.status == "past_due" and after.status == "active":
        names.append("loans.cured")
    if before.status == "sold" and after.status != "sold":
        names.append("loans.sale_undone")
    if before.status == "closed" and after.status in state.LIVE:
        names.append("loans.reopened")
    if before.withdrawn_on is None and after.withdrawn_on is not None:
        names.append("loans.withdrawn")
    if before.disbursed_on is None and after.disbursed_on is not None:
        names.append("loans.disbursed")
    elif after.status in state.LIVE and _dates_to_come(before, after.at) != after.due_dates:
        names.append("loans.rescheduled")
    return names


def _dates_to_come(loan: state.Loan, on: date) -> tuple[date, ...]:
    return tuple(day for day in loan.due_dates if day > on)
