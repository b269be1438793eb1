"""Between rows and the engine: terms, events and state out of rows, and the standing columns out of a state."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from usance.apps.servicing.models import EarnedDay, Earning, Loan, LoanEvent, LoanMovement, StatusChange
from usance.core.loan import apply, checkpoint, close, events, forecast, quiet, replay, state, terms
from usance.core.loan.book import Book
from usance.core.loan.movements import Movement
from usance.core.values import UnreadableValue

BUCKETS = ((0, ""), (30, "1-30"), (60, "31-60"), (90, "61-90"))
WORST_BUCKET = "90+"


def bucket_of(days_past_due: int) -> str:
    """The band of an age in days past due; "" when nothing is past due."""
    return next((name for most, name in BUCKETS if days_past_due <= most), WORST_BUCKET)


def span_of(bucket: str) -> tuple[int, int]:
    """From how many days past due a band is, and until how many; 0 for no end. An unknown band is nobody's."""
    starts = 1
    for most, name in BUCKETS[1:]:
        if name == bucket:
            return starts, most
        starts = most + 1
    return starts, 0


def bucket_names() -> list[str]:
    return [name for _, name in BUCKETS if name] + [WORST_BUCKET]


# --- rows to values ----------------------------------------------------------------------------------------------


# what differs between the loans of one product; the rest of an agreement is read once and shared
OWN_TERMS = ("principal_minor", "signed_on")
# as SQL: l is the loan; a digest of what its agreement has in common with others, and its own terms
CONVENTIONS = "md5((l.terms - ARRAY['principal_minor', 'signed_on'])::text)"
OWN = "(l.terms->>'principal_minor')::bigint", "l.terms->>'signed_on'"
MOST_REMEMBERED = 500
_remembered: dict[str, terms.Terms] = {}


def know_conventions(row: Loan, digest: str, own: Sequence[Any]) -> None:
    """The row was read with CONVENTIONS and OWN in the place of its terms: those that are known need not be read."""
    row.__dict__.update(conventions=digest, own_terms=dict(zip(OWN_TERMS, own, strict=True)))


def terms_of(row: Loan) -> terms.Terms:
    """The frozen agreement, as the loan was booked."""
    digest = row.__dict__.get("conventions")
    return _terms(row.terms) if digest is None else _of_another(digest, row.own_terms, lambda: row.terms)  # type: ignore[attr-defined]


def binding_terms_of(row: Loan) -> terms.Terms:
    """The terms that count: the agreement, or as it was last corrected."""
    return terms_of(row) if row.corrected_terms is None else _terms(row.corrected_terms)


def corrected_terms(row: Loan, binding: terms.Terms) -> dict[str, Any] | None:
    """What the column of that name holds of the terms that count."""
    return None if binding == terms_of(row) else binding.to_json()


def _terms(plain: Mapping[str, Any]) -> terms.Terms:
    conventions = json.dumps({name: item for name, item in plain.items() if name not in OWN_TERMS})
    return _of_another(conventions, plain, lambda: plain)


def _of_another(conventions: str, own: Mapping[str, Any], whole: Callable[[], Mapping[str, Any]]) -> terms.Terms:
    """The terms of these conventions with a loan's own; read whole where nobody has yet."""
    known = _remembered.get(conventions)
    if known is None:
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        known = _remembered[conventions] = terms.Terms.from_json(whole())
    signed_on = own["signed_on"]
    return known.of_another(own["principal_minor"], date.fromisoformat(signed_on) if signed_on else None)


def state_of(row: Loan, lines: tuple[quiet.Line, quiet.Line] | None = None) -> state.Loan:
    """The loan on the morning of `checkpoint_on`: its checkpoint, with the days that passed alike since (by its lines,
    where they are at hand). One that an earlier version of the engine wrote is made anew from the events."""
    try:
        loan = checkpoint.from_json(row.checkpoint, binding_terms_of(row))
        if loan.at == row.checkpoint_on:
            return loan
        if lines is not None:
            return quiet.advance_by_lines(loan, row.checkpoint_on, *lines)
        return close.advance(loan, row.checkpoint_on, daily=False).loan
    except UnreadableValue:
        told = history_of(row.events.order_by("seq"))
        return replay.replay(terms_of(row), told, row.checkpoint_on, daily=False).loan


def event_of(row: LoanEvent) -> events.Event:
    return events.from_json(row.payload)


def history_of(rows: Iterable[LoanEvent]) -> tuple[events.Event, ...]:
    return tuple(event_of(row) for row in rows)


def snake(kind: str) -> str:
    """`PaymentReceived` -> `payment_received`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()


# --- values to columns -------------------------------------------------------------------------------------------

STANDING = (
    "checkpoint", "checkpoint_on", "status", "principal_minor", "interest_minor", "fee_minor", "penalty_minor",
    "tax_minor", "unapplied_minor", "due_now_minor", "past_due_minor", "next_due_on",
    "days_past_due", "bucket", "extension_count", "disbursed_on", "closed_on",
)  # fmt: skip


OF_EVENTS = ("last_event_seq", "last_event_hash", "max_days_past_due", "corrected_terms")


def columns_of(loan: state.Loan) -> dict[str, Any]:
    """Every standing column of a state: a function of the state alone, so that the audit can make it again."""
    sums = dict.fromkeys(("principal", "interest", "fee", "penalty", "tax", "unapplied"), 0)
    for balance, amount in loan.balances.items():
        component = balance.partition(":")[0]
        if component in sums:  # what was charged off is owed in the others
            sums[component] += amount
    late = state.days_past_due(loan)
    live = loan.status in state.LIVE
    next_due_on = state.next_due_on(loan) if live else None
    past_due, due = state.past_due_and_due(loan) if live else (0, 0)
    return {
        "checkpoint": checkpoint.to_json(loan),
        "checkpoint_on": loan.at,
        "status": loan.status,
        **{f"{component}_minor": amount for component, amount in sums.items()},
        "due_now_minor": past_due + due,
        "past_due_minor": past_due,
        "next_due_on": next_due_on,
        "days_past_due": late,
        "bucket": bucket_of(late),
        "extension_count": loan.extension_count,
        "disbursed_on": loan.disbursed_on,
        "closed_on": loan.closed_on,
    }


def next_due_minor(loan: state.Loan) -> int:
    """What falls due on the next due date if what is payable now is paid: the engine lives on until that day."""
    on = state.next_due_on(loan)
    payable = state.due_now(loan)
    if on is None or on == loan.at:
        return payable if on else 0
    settled = forecast.paid_up(loan) if payable else loan
    if settled is not None and (coming := forecast.coming(settled, most=1)):
        return sum(coming[0].due.values())
    if payable:
        payment = events.PaymentReceived(effective_on=loan.at, source="projection", amount_minor=payable)
        loan = apply.apply(loan, payment).loan
    then = close.advance(loan, on, daily=False).loan
    return then.bills[-1].asked_minor if then.bills and then.bills[-1].due_on == on else 0


def max_days_past_due(agreed: terms.Terms, history: Sequence[events.Event], to: date) -> int:
    """The most days past due the loan ever had until `to`. Only an event makes an age fall, or jump (a loan comes in
    past due, a payment of last month is disputed): it is looked at before each and after it, and at the end."""
    loan, book, most = replay.begin(agreed, history, to), Book(), 0
    past: list[events.Event] = []
    for event in replay.in_force(history):
        if event.effective_on > to:
            break
        loan = close.advance_into(loan, event.effective_on, book, daily=False)
        most = max(most, state.days_past_due(loan))
        loan = apply.apply_into(loan, event, book, past)
        past.append(event)
        most = max(most, state.days_past_due(loan))
    return max(most, state.days_past_due(close.advance_into(loan, to, book, daily=False)))


def undoes_earlier(event: events.Event) -> bool:
    return isinstance(event, events.PaymentReturned | events.Reversed)


# --- the chain of a loan's events --------------------------------------------------------------------------------

# as SQL: e is the event; payload::text is how PostgreSQL prints JSON, which `json_text` imitates
EVENT_TEXT = (
    "concat_ws('|', e.prev_hash, e.loan_id, e.seq, e.kind, e.schema_version, e.source, e.effective_on, e.booked_on, "
    "e.actor_kind, e.actor_id, e.payload::text)"
)


def hash_of(row: LoanEvent) -> str:
    """SHA-256 in hex over the event and the hash of the one before it."""
    parts = (row.prev_hash, row.loan_id, row.seq, row.kind, row.schema_version, row.source, row.effective_on,
             row.booked_on, row.actor_kind, row.actor_id, json_text(row.payload))  # fmt: skip
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()


def json_text(value: Any) -> str:
    """JSON as PostgreSQL's jsonb prints it: shorter keys first, then by their bytes; a blank after colon and comma."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{json_text(key)}: {json_text(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


# --- the digest of an entry's movements --------------------------------------------------------------------------

# as SQL: m is the movement
MOVEMENT_TEXT = (
    "concat_ws('|', m.id, m.loan_id, coalesce(m.event_id::text, ''), m.booked_on, m.effective_on, m.kind, m.component, "
    "m.fee_kind, m.tax_kind, m.amount_minor)"
)
# the same text read again, as SQL: m holds its parts
FROM_MOVEMENT_TEXT = {
    "id": "m[1]::uuid", "loan_id": "m[2]::uuid", "event_id": "nullif(m[3], '')::uuid", "booked_on": "m[4]::date",
    "effective_on": "m[5]::date", "kind": "m[6]", "component": "m[7]", "fee_kind": "m[8]", "tax_kind": "m[9]",
    "amount_minor": "m[10]::bigint",
}  # fmt: skip


# and of an entry for what many loans earned on a day: d is that day
EARNED_DAY_TEXT = (
    "concat_ws('|', d.day, d.first_id, coalesce(d.end_id::text, ''), d.product, d.org_path, d.count, d.interest_minor, "
    "d.penalty_minor)"
)


def movement_text(*parts: object) -> str:
    """The text that stands for a movement in the digest: the fields of MOVEMENT_TEXT, in their order."""
    return "|".join("" if part is None else str(part) for part in parts)


def terms_digest(plain: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the frozen agreement as it is stored (in SQL: over `terms::text`)."""
    return hashlib.sha256(json_text(plain).encode()).hexdigest()


def movement_text_of(row: LoanMovement) -> str:
    return movement_text(row.pk, row.loan_id, row.event_id, row.booked_on, row.effective_on, row.kind, row.component,
                         row.fee_kind, row.tax_kind, row.amount_minor)  # fmt: skip


def earned_day_text_of(row: EarnedDay) -> str:
    return movement_text(row.day, row.first_id, row.end_id, row.product, row.org_path, row.count, row.interest_minor,
                         row.penalty_minor)  # fmt: skip


def digest_of(texts: Sequence[str]) -> str:
    """SHA-256 in hex over the movements of one entry, in the order of their ids."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


# --- what is kept of a loan --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """One loan with all its events, movements and changes of status, as stored, the movements of days that were booked
    for many loans at once too; its row as it was written, and until when its days are booked."""

    row: Loan
    events: Sequence[LoanEvent]
    movements: Sequence[Movement]
    statuses: Sequence[StatusChange]
    earning: Earning | None
    closed_until: date
