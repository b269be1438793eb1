"""Money that is drawn in parts: what came so far, and what may still come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from usance.apps.servicing import folding, selectors
from usance.core.loan import draw, events, quote, refused, replay


@dataclass(frozen=True, slots=True)
class Drawing:
    """The parts of a loan by their days. `left_minor` may still be drawn, in so many parts, until a day."""

    parts: tuple[tuple[date, int], ...]
    left_minor: int
    left_count: int
    until: date

    @property
    def drawn_minor(self) -> int:
        return sum(amount for _on, amount in self.parts)


def drawing(loan_id: UUID) -> Drawing | None:
    """What was drawn and what may be; None where the money comes at once, or has not begun to come."""
    row = selectors.loan(loan_id)
    terms = folding.binding_terms_of(row)
    if terms.drawdowns is None:
        return None
    told = replay.in_force(events.from_json(one.payload) for one in selectors.events_of(loan_id=loan_id))
    parts = tuple((event.effective_on, event.amount_minor) for event in told if isinstance(event, events.Disbursed))
    if not parts:
        return None
    until = parts[0][0] + timedelta(days=terms.drawdowns.until_days)
    open_still = selectors.business_date() <= until and draw.takes_more(selectors.state_on(row))
    left = terms.principal_minor - sum(amount for _on, amount in parts)
    count = terms.drawdowns.most - len(parts)
    return Drawing(parts, left if open_still and count > 0 else 0, max(0, count) if open_still else 0, until)


def preview(*, loan_id: UUID, amount_minor: int, source: str) -> tuple[quote.Preview, int]:
    """What a further part would do if it came today, and what would be sent of it. Raises what the loan refuses."""
    if not draw.takes_more(selectors.state_on(selectors.loan(loan_id))):  # what ended today would count as after it
        raise refused.DrawingIsOver()
    event = events.Disbursed(effective_on=selectors.business_date(), source=source, amount_minor=amount_minor)
    found = selectors.preview(loan_id=loan_id, event=event)
    return found, amount_minor - sum(quote.withheld(found.movements).values())
