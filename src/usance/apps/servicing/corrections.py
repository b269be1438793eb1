"""Terms that turned out wrong, a rule that we had released or a figure that was agreed: an event says what is right."""

from __future__ import annotations

from uuid import UUID

from usance.apps.servicing import selectors
from usance.apps.servicing.models import Loan, LoanEvent
from usance.apps.servicing.recording import tell
from usance.core.loan import events, quote
from usance.core.loan.terms import Terms
from usance.ports.actor import Actor

SOURCE = "preview:correction"


def preview(*, loan_id: UUID, before: Terms, after: Terms) -> quote.Preview:
    """The exact effect, before it is told. Raises what `admit` refuses, TermsContradicted too."""
    return selectors.preview(loan_id=loan_id, event=_event(loan_id, SOURCE, before, after, ""))


def correct_terms(*, loan_id: UUID, source: str, before: Terms, after: Terms, reason: str, actor: Actor) -> Loan:
    """From its beginning on the loan is bound by `after`; the difference is booked today. `before`: the terms that the
    correction was made against. Raises CorrectionOutdated, TermsContradicted."""
    return tell(loan_id=loan_id, events=[_event(loan_id, source, before, after, reason)], actor=actor)


def _event(loan_id: UUID, source: str, before: Terms, after: Terms, reason: str) -> events.TermsCorrected:
    told = list(LoanEvent.objects.filter(loan_id=loan_id).order_by("seq"))
    corrections = [row.source for row in told if row.kind == events.TermsCorrected.__name__]
    known = corrections.index(source) if source in corrections else len(corrections)
    return events.TermsCorrected(
        effective_on=min((row.effective_on for row in told), default=selectors.business_date()),
        source=source, number=known + 1, before=before, after=after, reason=reason,
    )  # fmt: skip
