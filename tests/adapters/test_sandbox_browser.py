"""The twin's pages in a real browser: they can be used by everybody, at phone and desktop width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contracts.harness import OverHttp, Provider, Receiver, sandbox_process
from usance.ports.messenger import EmailOrder, SmsOrder
from usance.ports.payment_rail import Accepted, Opened, OrderKind

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    receiver = Receiver()
    book: Path = tmp_path_factory.mktemp("pages") / "book"
    with sandbox_process(book) as (_, address):
        yield Provider(OverHttp(address, receiver), "")
    receiver.close()


def fits(page: Page) -> bool:
    """Nothing sticks out at the side."""
    page.wait_for_load_state()  # after a click, the new page may still be empty
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("width", ["page", "phone", "phone_without_javascript"])
def test_linking_a_card(request: pytest.FixtureRequest, served: Provider, width: str) -> None:
    from tests.support.browser import assert_accessible

    shown: Page = request.getfixturevalue(width)
    scripted = width != "phone_without_javascript"
    order_id = f"link-{width}"
    back = f"{served.reach.base_url}/health"
    opened = served.rail().open_card_link(served.hosted(order_id, return_url=back))
    assert isinstance(opened, Opened)
    shown.goto(opened.url)
    shown.get_by_role("button", name="Link this card").click()
    assert "Error" in shown.title()
    if scripted:
        assert fits(shown)
        assert_accessible(shown)
    shown.get_by_role("button", name="Approved after 3-D Secure 4444 5555").click()
    if scripted:
        assert_accessible(shown)
    shown.get_by_role("button", name="Confirm").click()
    if scripted:
        assert fits(shown)
        assert_accessible(shown)
    told = shown.locator("#held-amount").inner_text()
    shown.get_by_label("Held amount").fill(told)
    shown.get_by_role("button", name="Confirm").click()
    assert shown.get_by_role("heading", name="Your card is linked").is_visible()
    if scripted:
        assert_accessible(shown)
    with shown.expect_navigation(url="**/health"):
        shown.get_by_role("button", name="Back to the lender").click()
    assert isinstance(served.rail().status(order_id=order_id, kind=OrderKind.LINK_CARD), Accepted)


def test_a_declined_card_says_so_and_goes_back_by_itself(phone: Page, served: Provider) -> None:
    from tests.support.browser import assert_accessible

    back = f"{served.reach.base_url}/health"
    opened = served.rail().open_checkout(served.hosted("declined", return_url=back))
    assert isinstance(opened, Opened)
    phone.goto(opened.url)
    phone.get_by_role("button", name="Declined, no 3-D Secure").click()
    assert "declined" in phone.get_by_role("heading").first.inner_text()
    assert_accessible(phone)
    phone.wait_for_url("**/health", timeout=10_000)


def test_every_page_in_the_dark(phone: Page, served: Provider) -> None:
    from tests.support.browser import assert_accessible

    phone.emulate_media(color_scheme="dark")
    opened = served.rail().open_card_link(served.hosted("dark"))
    assert isinstance(opened, Opened)
    served.messenger().send_sms(SmsOrder(key="k", to="+380501234567", text="Your code is 482913."))
    for address in (opened.url, f"{served.reach.base_url}/inbox/", f"{served.reach.base_url}/dials/"):
        phone.goto(address)
        assert_accessible(phone)
    for card, where in (("4444555566661111", "bank"), ("4444555511116666", "held"), ("4444111155556666", "done")):
        made = served.rail().open_card_link(served.hosted(f"dark-{where}"))
        assert isinstance(made, Opened)
        phone.goto(made.url)
        phone.locator(f'button[value="{card}"]').click()
        assert phone.url.endswith(where)
        assert_accessible(phone)


@pytest.mark.parametrize("width", ["page", "phone"])
def test_inbox_and_dials(request: pytest.FixtureRequest, served: Provider, width: str) -> None:
    from tests.support.browser import assert_accessible

    shown: Page = request.getfixturevalue(width)
    served.reset()
    post = served.messenger()
    text = (
        "Your code is 482913. Read http://ua.localhost:8000/a/very/long/address/that/does/not/fit/on/a/phone at home."
    )
    post.send_sms(SmsOrder(key="k", to="+380501234567", text=text))
    post.send_email(EmailOrder(key="k", to="someone@example.com", subject="Your agreement", text="Hello"))
    shown.goto(f"{served.reach.base_url}/inbox/")
    assert fits(shown)
    assert_accessible(shown)
    post.send_sms(SmsOrder(key="k", to="+380501234567", text=f"A later message to {width}"))
    shown.get_by_text(f"A later message to {width}").wait_for(timeout=8_000)  # comes without a reload
    shown.get_by_role("link", name="Fault dials").click()
    shown.get_by_label("Where").select_option("fondy:p2pcredit")
    shown.get_by_label("What", exact=True).select_option("decline")
    shown.get_by_role("button", name="Set", exact=True).click()
    shown.get_by_role("button", name="Remove").wait_for()
    assert fits(shown)
    assert_accessible(shown)
    shown.get_by_role("button", name="Put everything right").click()
    shown.get_by_text("everything goes right").wait_for()
    assert_accessible(shown)
