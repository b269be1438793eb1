"""Loans that come from another system, many at once: folded as every loan, written by a few statements.

Our books open with the balances of the take-over, against the account `migration_clearing`; the days between the
take-over and the business date are ours, and booked as the days they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.institutions.models import new_id
from usance.apps.institutions.rows import copy_new
from usance.apps.ledger import services as ledger
from usance.apps.servicing import earnings, folding, posting, statuses
from usance.apps.servicing.models import Loan, LoanEvent, LoanMovement, LoanParty
from usance.core.loan import admit, precedents, replay, state
from usance.core.loan.apply import apply_into
from usance.core.loan.book import Book, Step
from usance.core.loan.close import advance_into
from usance.core.loan.events import Event, TakenOver
from usance.core.loan.movements import Movement
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal
from usance.ports.actor import Actor

OPENING = "taken_over"


class EventRefused(Exception):
    """One of the events cannot have happened: which, and what refused it."""

    def __init__(self, event: Event, refusal: Refusal) -> None:
        super().__init__(f"{event.kind} of {event.effective_on}: {refusal}")
        self.event, self.refusal = event, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A loan that comes in, and what living its events until the business date gave."""

    number: str
    party_id: UUID
    product: str
    product_version_id: UUID
    org_path: str
    terms: Terms
    told: tuple[Event, ...]
    step: Step
    loan_id: UUID = field(default_factory=new_id)

    @property
    def opening(self) -> dict[str, int]:
        """The balances with which our books of it open."""
        return {m.balance: m.amount_minor for m in self.step.movements if m.kind == OPENING}


def lived(terms: Terms, told: Sequence[Event], to: date) -> Step:
    """The fold of all events to the morning of `to`, each admitted in its turn. Raises EventRefused."""
    if any(isinstance(event, replay.Undoing) for event in told):
        return _told_one_by_one(terms, told, to)
    loan, book = state.new(terms, replay.birth(told, to)), Book()
    before: list[Event] = []
    ours = False  # days of the other system need no movement each
    for event in sorted(told, key=lambda event: event.order):
        loan = advance_into(loan, event.effective_on, book, daily=ours)
        _admit(loan, before, event)
        loan = apply_into(loan, event, book, before)
        before.append(event)
        ours = ours or isinstance(event, TakenOver)
    return book.step(advance_into(loan, to, book, daily=True))


def _admit(loan: state.Loan, before: Sequence[Event], event: Event) -> None:
    try:
        precedents.admit_to_history(before, event, loan.terms)
        admit.admit(loan, event)
    except Refusal as refusal:
        raise EventRefused(event, refusal) from None


def _told_one_by_one(terms: Terms, told: Sequence[Event], to: date) -> Step:
    """Where something is undone, what may happen depends on what had been told by then."""
    loan, known = state.new(terms, replay.birth(told, to)), list[Event]()
    for event in told:
        try:
            loan = replay.append(loan, known, event).loan
        except Refusal as refusal:
            raise EventRefused(event, refusal) from None
        known.append(event)
    return replay.replay(terms, known, to)


def numbers_taken(numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that loans have already."""
    return set(Loan.objects.filter(number__in=set(numbers)).values_list("number", flat=True))


def take_in(arrivals: Sequence[Arrival], *, key: str, on: date, actor: Actor) -> None:
    """Writes the loans, their events and movements, and the entries that carry these, in the caller's transaction, on
    the business date `on`, which the caller holds. `key`: the beginning of the entries' keys."""
    rows = [_loan_row(arrival, on) for arrival in arrivals]
    told = {row.pk: _event_rows(row, arrival, on, actor) for row, arrival in zip(rows, arrivals, strict=True)}
    for row in rows:
        row.last_event_seq, row.last_event_hash = told[row.pk][-1].seq, told[row.pk][-1].hash
    copy_new(rows)
    states = [(row, arrival.step.loan) for row, arrival in zip(rows, arrivals, strict=True)]
    folded = [earnings.Folded(row, loan, folding.columns_of(loan), look_again=True) for row, loan in states]
    earnings.replace({one.row.pk: earnings.line(one) for one in folded})
    copy_new([LoanParty(loan=row, party_id=row.party_id, role="borrower") for row in rows])
    copy_new([event for events in told.values() for event in events])
    copy_new(
        [
            change
            for row, arrival in zip(rows, arrivals, strict=True)
            for change in statuses.rows_of(row, statuses.timeline(arrival.terms, arrival.told, on), on)
        ]
    )
    _book([(row, told[row.pk], arrival.step.movements) for row, arrival in zip(rows, arrivals, strict=True)],
          key, on, actor)  # fmt: skip
    _record(rows, told, actor)


def _loan_row(arrival: Arrival, on: date) -> Loan:
    return Loan(
        id=arrival.loan_id,
        number=arrival.number,
        party_id=arrival.party_id,
        product_version_id=arrival.product_version_id,
        product=arrival.product,
        org_path=arrival.org_path,
        currency=arrival.terms.currency.code,
        amount_minor=arrival.terms.principal_minor,
        terms=arrival.terms.to_json(),
        booked_on=on,
        max_days_past_due=folding.max_days_past_due(arrival.terms, arrival.told, on),
        **folding.columns_of(arrival.step.loan),
    )


def _event_rows(row: Loan, arrival: Arrival, on: date, actor: Actor) -> list[LoanEvent]:
    rows: list[LoanEvent] = []
    for seq, event in enumerate(arrival.told, 1):
        made = LoanEvent(
            loan=row,
            seq=seq,
            kind=event.kind,
            schema_version=event.VERSION,
            payload=event.to_json(),
            source=event.source,
            effective_on=event.effective_on,
            booked_on=on,
            actor_kind=actor.kind,
            actor_id=actor.id,
            prev_hash=rows[-1].hash if rows else "",
        )
        made.hash = folding.hash_of(made)
        rows.append(made)
    return rows


# --- the books ---------------------------------------------------------------------------------------------------

Moved = tuple[Loan, Sequence[LoanEvent], Sequence[Movement]]
Group = tuple[bool, date, str, str]  # an opening?, effective date, product, branch


def _book(moved: Iterable[Moved], key: str, on: date, actor: Actor) -> None:
    """One opening entry for all that share day, product and branch, and one for each day that has passed since."""
    lines: list[tuple[Group, Loan, Movement, UUID | None]] = []
    for row, events, movements in moved:
        opened = next((event.pk for event in events if event.kind == TakenOver.__name__), None)
        for movement in movements:
            opening = movement.kind == OPENING
            group = (not opening, movement.effective_on, row.product, row.org_path)
            lines.append((group, row, movement, opened if opening else None))
    lines.sort(key=lambda line: line[0])
    entries, rows = [], []
    for number, (group, members) in enumerate(groupby(lines, key=lambda line: line[0])):
        alike = list(members)
        made = [
            LoanMovement(
                id=new_id(), loan=row, event_id=event_id, booked_on=on, effective_on=m.effective_on, kind=m.kind,
                component=m.component, fee_kind=m.fee_kind, tax_kind=m.tax_kind, amount_minor=m.amount_minor,
            )
            for _, row, m, event_id in alike
        ]  # fmt: skip
        entry_id = new_id()
        for movement_row in made:
            movement_row.entry_id = entry_id
        entries.append(_entry(entry_id, f"{key}:{number}", group, alike, made, on))
        rows += made
    ledger.post_many(entries=entries, actor=actor)
    copy_new(rows)


def _entry(
    entry_id: UUID, key: str, group: Group, lines: Sequence[tuple[Group, Loan, Movement, UUID | None]],
    rows: Iterable[LoanMovement], on: date,
) -> ledger.NewEntry:  # fmt: skip
    transfers = (
        transfer
        for row, members in groupby(lines, key=lambda line: line[1])
        for transfer in posting.transfers_of(row, [line[2] for line in members], name_loan=False)
    )
    return ledger.NewEntry(
        id=entry_id,
        key=key,
        booked_on=on,
        effective_on=group[1],
        description="loan.days_since_take_over" if group[0] else "loan.taken_over",
        transfers=ledger.merged(transfers),
        source=key.rpartition(":")[0],
        cites=f"date:{group[1]}" if group[1] < on else "",
        details_digest=folding.digest_of([folding.movement_text_of(row) for row in rows]),
    )


def _record(rows: Sequence[Loan], told: dict[UUID, list[LoanEvent]], actor: Actor) -> None:
    deeds = []
    for row in rows:
        digest = folding.terms_digest(row.terms)
        deeds.append(audit.Deed(action="loan.booked", subject=row, actor=actor, digest=digest))
        for event in told[row.pk]:
            details = {"kind": event.kind, "effective_on": event.effective_on.isoformat(), "source": event.source}
            action = f"loan.{folding.snake(event.kind)}"
            deeds.append(audit.Deed(action=action, subject=row, actor=actor, details=details, digest=event.hash))
    audit.record_all(deeds)
