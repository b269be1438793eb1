"""Paying out a further part: proposed with its exact effect, approved by a second person, seen by both sides."""

from __future__ import annotations

from typing import Any

from tests.web.staff.lending import Lender
from tests.web.staff.test_loan_acts import confirm, show, told
from tests.workflows.test_draw_part import in_parts
from usance.apps.desk import selectors as desk
from usance.apps.payments import selectors as payments
from usance.workflows import draw_part

WHY = {"reason": "the roof is on"}


def lent(lender: Lender) -> tuple[Any, dict[str, str]]:
    loan = lender.loan(agreed=in_parts())
    card = lender.card(loan.party_id)
    return loan, {"amount": "4000000", "card": str(card.pk), **WHY}


def test_a_part_is_proposed_shown_and_ordered_by_a_second_person(lender: Lender) -> None:
    loan, answers = lent(lender)
    maker = lender.browser("underwriter")
    page = show(maker, loan, "part", **answers)
    rows = {str(row.label): (row.before, row.after) for row in page.context["difference"]}
    assert [side.minor for side in rows["Owed in all"]] == [6_000_000, 10_000_000]
    assert any("second person" in str(effect.text) for effect in page.context["effects"])
    assert confirm(maker, loan, "part", **answers).status_code == 302
    assert told(loan) == []
    waiting = desk.open_approval(draw_part.DRAW, loan.pk)
    assert waiting is not None
    address = f"/staff/approvals/{waiting.pk}/"
    assert lender.browser("accountant").post(address, {"verdict": "approve"}).status_code == 422
    text = lender.browser("cashier").get(address).content.decode()
    assert "Sent to the card" in text
    assert lender.browser("cashier").post(address, {"verdict": "approve"}).status_code == 302
    ordered = payments.for_subject(loan.pk).get(kind="payout")
    assert (ordered.amount_minor, ordered.details["drawn_minor"]) == (4_000_000, 4_000_000)


def test_the_page_says_what_may_still_come_and_offers_the_act_only_then(lender: Lender) -> None:
    loan, _answers = lent(lender)
    text = lender.browser("underwriter").get(f"/staff/loans/{loan.pk}/").content.decode()
    assert "May still be paid out" in text
    assert f"/staff/loans/{loan.pk}/part/" in text
    other = lender.loan()
    assert "part/" not in lender.browser("underwriter").get(f"/staff/loans/{other.pk}/").content.decode()


def test_bad_answers_and_whoever_may_not(lender: Lender) -> None:
    loan, answers = lent(lender)
    maker = lender.browser("underwriter")
    for wrong, place in (
        ({"amount": "0"}, "amount"),
        ({"amount": "6000001"}, "amount"),
        ({"card": "x"}, "card"),
        ({"reason": ""}, "reason"),
    ):
        page = show(maker, loan, "part", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, [place])
    assert lender.browser("collector").get(f"/staff/loans/{loan.pk}/part/").status_code == 403
    assert desk.open_approval(draw_part.DRAW, loan.pk) is None
