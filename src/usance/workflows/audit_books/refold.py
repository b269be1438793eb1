"""I2, I6: loans recomputed from their events, and compared with everything that was kept of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from usance.apps.servicing import earnings, folding, portfolio, statuses
from usance.apps.servicing import selectors as servicing
from usance.apps.servicing.folding import Kept
from usance.core.calendar import ONE_DAY
from usance.core.loan import checkpoint, quiet, replay, state
from usance.core.loan.movements import Movement
from usance.core.refusals import Refusal
from usance.core.values import UnreadableValue
from usance.workflows.audit_books.difference import Difference

BATCH = 500
UNFOLDABLE = (Refusal, UnreadableValue, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


def choose(*, full: bool, seed: int, sample: int) -> tuple[Sequence[UUID], int]:
    """The loans to recompute, all or a sample drawn by the seed, and how many there are."""
    ids = servicing.loan_ids()
    if full or sample >= len(ids):
        return ids, len(ids)
    return sorted(random.Random(seed).sample(ids, sample)), len(ids)  # noqa: S311 (a repeatable sample, no secret)


def differences(loan_ids: Sequence[UUID]) -> Iterator[Difference]:
    """Of these loans; their statuses too, once the first summing up has marked the loans that there were."""
    marked = portfolio.rolled_until() > portfolio.BEGINNING
    for start in range(0, len(loan_ids), BATCH):
        for kept in servicing.kept(loan_ids[start : start + BATCH]):
            yield from _compare(kept, marked)


def _compare(kept: Kept, marked: bool) -> Iterator[Difference]:
    """One loan: what it should be by its events against row, checkpoint and movements."""
    subject = f"loan {kept.row.number}"
    try:
        agreed, told = folding.terms_of(kept.row), folding.history_of(kept.events)
        step = replay.replay(agreed, told, kept.closed_until)
        written = replay.replay(agreed, told, kept.row.checkpoint_on, daily=False).loan
        expected = folding.columns_of(written) | {
            "max_days_past_due": folding.max_days_past_due(agreed, told, kept.row.checkpoint_on),
            "corrected_terms": folding.corrected_terms(kept.row, written.terms),
        }
    except UNFOLDABLE as reason:
        yield Difference("I2", subject, f"cannot be recomputed ({type(reason).__name__}: {reason})")
        return
    yield from _columns(kept, expected, subject)
    if kept.earning is not None and not _earns_so(kept, written):
        yield Difference("I2", subject, "its line of earning is not what its events make")
    for movement in replay.adjustments(kept.movements, step.movements):
        yield Difference("I2", subject, f"movements lack {_words(movement)}")
    if marked:
        true = statuses.timeline(agreed, told, kept.row.checkpoint_on)
        for change in statuses.difference(statuses.kept(kept.statuses), true):
            mark = " ".join(str(part) for part in change.mark if part)
            yield Difference("I2", subject, f"changes of status lack {change.by:+d} {mark} of {change.on}")
    for name in ("interest", "penalty"):
        accrued = getattr(step.loan, name)
        if abs(accrued.exact - accrued.posted) > 1:
            yield Difference(
                "I6", subject, f"{name} is {float(accrued.exact - accrued.posted):.3f} away from what was booked"
            )


def _earns_so(kept: Kept, written: state.Loan) -> bool:
    """Whether the line is the one of its state; there is none until the close has looked at a loan again."""
    earning = kept.earning
    assert earning is not None
    said, (interest, penalty) = quiet.earning(written), earnings.lines_of(earning)
    last = earning.agenda_on - ONE_DAY
    if last == written.at and (interest, penalty) == (quiet.Line(), quiet.Line()):
        return True
    begins_later = penalty == quiet.Line() and (last - written.at).days <= said.penalty.since
    due = earning.due_on, earning.due_minor
    return (
        earning.agenda_on <= said.until
        and interest == said.interest
        and (penalty == said.penalty or begins_later)
        and (due == (said.due_on, said.due_minor) or (due == (None, 0) and last != said.due_on))
    )


def _columns(kept: Kept, expected: Mapping[str, object], subject: str) -> Iterator[Difference]:
    for name, value in expected.items():
        stands = getattr(kept.row, name)
        if stands == value:
            continue
        if name == "checkpoint":
            if stands["version"] != checkpoint.SCHEMA_VERSION:
                continue  # of an earlier engine: it is made anew from the events whenever it is read
            names = sorted(key for key in {*stands, *value} if stands.get(key) != value.get(key))  # type: ignore[misc,attr-defined]
            yield Difference("I2", subject, f"checkpoint differs from its events in {', '.join(names)}")
        else:
            yield Difference("I2", subject, f"{name} stands at {stands}, its events make {value}")


def _words(movement: Movement) -> str:
    return f"{movement.amount_minor} {movement.balance} ({movement.kind}) of {movement.effective_on}"
