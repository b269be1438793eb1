"""A borrower whose loan is drawn in parts asks for another one: a code to their phone confirms it, a colleague with the
right to send money says yes or no, and from there on it is a part like any other (`draw_part.py`).

The borrower is the first of the two people, the colleague the second. As long as nobody has answered, the borrower can
take it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.customers import sign_in
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.apps.servicing import drawn
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import quote, refused
from usance.core.refusals import Refusal
from usance.ports.actor import Actor
from usance.workflows import draw_part, one_time_codes, serve_loan, served

TOLD_FOR = timedelta(days=30)  # so long the loan's page says why a part was not paid out


class NoFurtherPart(Refusal):
    """Nothing more is lent to this borrower at present: they are on a list, or protected by the law."""

    code = "no_further_part"


class PartAskedAlready(Refusal):
    """A part waits for an answer already, whoever asked for it."""

    code = "part_asked_already"


# --- where it stands -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a loan's page says of its parts: what may come, what waits, is on its way, or came to nothing."""

    drawing: drawn.Drawing
    waiting: Any | None = None  # the proposal that nobody has answered
    on_its_way: Any | None = None  # the order of money, which nobody knows the end of
    failed: Any | None = None  # the last order, if the bank did not take it
    answer: Any | None = None  # the borrower's last request, if the answer was no or none came

    @property
    def may_ask(self) -> bool:
        return self.drawing.left_minor > 0 and self.waiting is None and self.on_its_way is None


def standing(*, loan: loans.Loan, payouts: Sequence[Any], moment: datetime) -> Standing | None:
    """`payouts`: the loan's, newest first, as they were read for the page. None where the money does not come in
    parts."""
    drawing = drawn.drawing(loan.pk)
    if drawing is None:
        return None
    under_way = draw_part.under_way(loan.pk)
    if under_way is not None:
        return Standing(drawing=drawing, on_its_way=under_way)
    last = desk_view.approvals_of(draw_part.DRAW, loan.pk).first()
    if last is not None and last.state == "proposed":
        return Standing(drawing=drawing, waiting=last)
    if last is not None and _in_vain(last, moment):
        return Standing(drawing=drawing, answer=last)
    newest = payouts[0] if payouts and drawing.left_minor else None
    if newest is not None and "drawn_minor" in newest.details and newest.state in ("failed", "cancelled"):
        return Standing(drawing=drawing, failed=newest)
    return Standing(drawing=drawing)


def _in_vain(row: Any, moment: datetime) -> bool:
    """Whether the borrower asked, and not long ago the answer was no, or none came."""
    if row.asked_by is None or row.state not in ("rejected", "expired"):
        return False
    return bool(moment - row.decided_at < TOLD_FOR)


def asked_with(*, loan_id: UUID, key: str) -> Any | None:
    """The request that was made by a form with this key."""
    return desk_view.approvals_of(draw_part.DRAW, loan_id).filter(after__key=key).first()


def waiting_of(*, loan_id: UUID, party_id: UUID) -> Any | None:
    """The borrower's own request that nobody has answered."""
    found = desk_view.open_approval(draw_part.DRAW, loan_id)
    return found if found is not None and found.asked_by == party_id else None


def require_askable(*, loan_id: UUID) -> None:
    """Raises PartAskedAlready, PayoutUnderWay, DrawingIsOver, NoFurtherPart."""
    if desk_view.open_approval(draw_part.DRAW, loan_id) is not None:
        raise PartAskedAlready()
    if draw_part.under_way(loan_id):
        raise draw_part.PayoutUnderWay()
    drawing = drawn.drawing(loan_id)
    if drawing is None or drawing.left_minor <= 0:
        raise refused.DrawingIsOver()
    party_id = loans.loan(loan_id).party_id
    if served.blocks_of(party_id=party_id) or served.is_protected(party_id=party_id):
        raise NoFurtherPart()


# --- asking --------------------------------------------------------------------------------------------------------


def look(*, loan_id: UUID, amount_minor: int, card_id: UUID, key: str, at: datetime) -> tuple[quote.Preview, int]:
    """What the part would do if it came today, and what would be sent of it. Raises as `require_askable`, what the loan
    and the card refuse, and CardOfSomebodyElse."""
    loan = servicing.hold(loan_id=loan_id)
    require_askable(loan_id=loan_id)
    source = serve_loan.source_of(key)
    seen = draw_part.look(loan_id=loan_id, amount_minor=amount_minor, card_id=card_id, source=source, at=at)
    draw_part.require_own_card(loan=loan, card_id=card_id)
    return seen


def send_code(
    *, loan_id: UUID, amount_minor: int, card_id: UUID, key: str, address: str, at: datetime
) -> one_time_codes.CodeSent:
    """The code that confirms it: whoever has the borrower's open page in hand must have their phone number too. Raises
    as `look`, NoVerifiedPhone, CodeTooSoon, TooManyCodes."""
    look(loan_id=loan_id, amount_minor=amount_minor, card_id=card_id, key=key, at=at)
    loan = loans.loan(loan_id)
    return one_time_codes.send_part_code(
        party_id=loan.party_id,
        loan_id=loan.pk,
        amount_minor=amount_minor,
        card_id=card_id,
        card=str(payments.card_of(card_id=card_id, party_id=loan.party_id)),
        address=address,
        at=at,
    )


@audit.written_together()
def ask(
    *, loan_id: UUID, amount_minor: int, card_id: UUID, key: str, code_id: UUID, code: str, at: datetime
) -> Any | Refusal:
    """The borrower asks for the part, with the code; gives the desk's proposal. The same key again gives the same. A
    wrong code is returned, not raised, so that the attempt stays counted. Raises as `look`."""
    loan = servicing.hold(loan_id=loan_id)  # the same form sent twice: the second finds what the first has made
    known = asked_with(loan_id=loan.pk, key=key)
    if known is not None:
        return known
    look(loan_id=loan.pk, amount_minor=amount_minor, card_id=card_id, key=key, at=at)  # before the code is used up
    context = one_time_codes.part_context(loan_id=loan.pk, amount_minor=amount_minor, card_id=card_id)
    checked = sign_in.check_code(code_id=code_id, code=code, context=context, at=at)
    if isinstance(checked, Refusal):
        return checked
    return draw_part.propose(
        loan_id=loan.pk,
        key=key,
        amount_minor=amount_minor,
        card_id=card_id,
        reason="",
        maker=None,
        asked_by=loan.party_id,
        code_id=code_id,
        at=at,
    )


def take_back(*, approval_id: UUID, actor: Actor, at: datetime) -> None:
    """The borrower does not want it any more. Raises NotYourProposal, AlreadyDecided."""
    desk.withdraw(approval_id=approval_id, actor=actor, at=institutions.moment(tenancy.current(), at))


def not_made(*, approval_id: UUID, at: datetime) -> None:
    """A colleague said no, or nobody answered in time: whoever asked is told, and reads on the loan's page why. `at` is
    the desk's business moment."""
    row = desk_view.approval(approval_id)
    if row.asked_by is None:
        return
    draw_part.tell_not_paid_out(
        loan=loans.loan(UUID(row.subject_id)), amount_minor=row.after["amount_minor"], about=row.pk, moment=at
    )
