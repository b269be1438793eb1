"""A portfolio in the browser: handed in by the administrator, checked by the worker, shown with its sums."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.staff import looks_right, sign_in
from tests.workflows.importing import CUSTOMER, LOAN, SCHEDULE, portfolio

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site

NUMBER = "OLD-4711"


def test_files_are_handed_in_checked_and_proposed(live_site: Site, page: Page, tmp_path: Path) -> None:
    person = CUSTOMER | {"phone": "", "email": "", "customer": "K-4711", "city": "Київ"}
    schedule = [row | {"loan": NUMBER} for row in SCHEDULE]
    for file in portfolio(customers=[person], loans=[LOAN | {"loan": NUMBER, "customer": "K-4711"}], schedule=schedule):
        (tmp_path / file.name).write_bytes(file.content)
    sign_in(page, live_site, "administrator")
    page.goto(live_site.url("ua", "/staff/imports/hand-in/"))
    looks_right(page)
    page.set_input_files("[name=uploads]", sorted(tmp_path.glob("*.csv")))
    page.click("main form button[type=submit]")
    page.get_by_role("button", name="Ask a second person").wait_for(timeout=60_000)
    looks_right(page)
    assert "₴900.00" in page.inner_text("main")
    page.get_by_role("button", name="Ask a second person").click()
    page.get_by_role("link", name="See the proposal").click()
    assert page.get_by_role("button", name="Approve").count() == 0  # the maker is never asked
    page.goto(live_site.url("ua", "/staff/imports/"))
    looks_right(page)
