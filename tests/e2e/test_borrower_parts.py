"""A further part of a loan in a real browser: asked for on a phone, agreed to at the desk, on the card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.apps.servicing import loans
from tests.e2e import behind
from tests.e2e.borrower import PATIENCE_MS, Borrower
from tests.support.browser import assert_accessible
from tests.workflows.test_draw_part import in_parts
from usance.apps.access.models import User
from usance.apps.desk import selectors as desk
from usance.apps.desk import services as approvals
from usance.apps.payments import selectors as payments
from usance.core.money import Currency
from usance.ports import clock
from usance.workflows import draw_part

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site


def lent_in_parts(person: Borrower) -> Any:
    """Half of a loan has come to a person with a card."""
    party_id = behind.party_of(person)
    behind.give_card(person)
    with behind.inside(person.code) as institution:
        currency = Currency(institution.currency, institution.currency_digits)
        on = institution.business_date
        return loans.lend(on=on, agreed=in_parts(currency=currency), party_id=party_id, product="short")


def test_a_part_is_asked_for_on_the_phone_and_arrives_when_a_colleague_agrees(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    loan = lent_in_parts(person)
    behind.enter(person)
    person.open(f"/loans/{loan.pk}/")
    person.press("Get another part")
    person.main.get_by_role("textbox", name="How much more do you need?").fill("70 000")
    person.press("Continue")
    person.sees("Enter ₴60,000.00 or less.")
    assert_accessible(phone)
    person.main.get_by_role("textbox", name="How much more do you need?").fill("10 000")
    person.press("Continue")
    person.sees("₴10,000.00 goes to your card")
    assert_accessible(phone)
    person.press("Send me the code to confirm")
    assert_accessible(phone)
    code = person.code_from_sms()
    phone.get_by_label("Code from the SMS").fill("000000" if code != "000000" else "111111")
    person.press("Ask for this part")
    person.sees("code")
    phone.get_by_label("Code from the SMS").fill(code)
    phone.locator("main form button").first.dblclick()
    person.arrives(f"/loans/{loan.pk}/$")
    person.sees("you asked for ₴10,000.00 more")
    assert_accessible(phone)
    with behind.inside("ua"):
        (waiting,) = desk.approvals_of("loan.draw", loan.pk)
    person.press("Take the request back")
    person.press("Do not do this")
    with behind.inside("ua"):
        approvals.approve(approval_id=waiting.pk, checker=colleague(), at=clock.now())
    person.open(f"/loans/{loan.pk}/")
    arrived = person.main.locator(".u-timeline").get_by_text("Money sent")
    expect(arrived).to_have_count(2, timeout=PATIENCE_MS)  # the page looks again by itself
    expect(phone.get_by_role("link", name="Get another part")).to_be_visible()

    refuse_another(person, loan)
    person.open(f"/loans/{loan.pk}/")
    person.sees("Pay what is due first.")
    assert_accessible(phone)


def refuse_another(person: Borrower, loan: Any) -> None:
    """They ask for a second part, and a colleague says no."""
    party_id = behind.party_of(person)
    with behind.inside("ua"):
        card, at = payments.cards_of(party_id).get(), clock.now()
        asked = draw_part.propose(
            loan_id=loan.pk, key="second", amount_minor=2_000_000, card_id=card.pk, reason="", maker=None,
            asked_by=party_id, at=at,
        )  # fmt: skip
        approvals.reject(approval_id=asked.pk, checker=colleague(), at=at, note="Pay what is due first.")


def colleague() -> Any:
    """Somebody with the right to send money."""
    return User.objects.get(email="cashier@ua.localhost")
