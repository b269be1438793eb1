"""The style guide in a real browser: each frame reflows, is accessible, keeps the content policy, works by keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import browser
from usance.web import styleguide

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("frame", styleguide.FRAMES)
def test_a_frame_is_accessible_at_every_width_by_day_and_by_night(chromium: Browser, guide: str, frame: str) -> None:
    for width, scheme in ((320, "light"), (768, "dark"), (1440, "light")):
        with browser.page(chromium, (width, 800)) as page:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(f"{guide}?frame={frame}", wait_until="networkidle")
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{frame} is {over} px too wide at {width}"
            browser.assert_accessible(page)


@pytest.mark.parametrize("language", ["vi", "uk"])
def test_words_of_other_languages_fit_a_phone(phone: Page, guide: str, language: str) -> None:
    for frame in ("borrower", "staff", "calculator"):
        phone.goto(f"{guide}?frame={frame}&lang={language}")
        assert phone.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert phone.locator("html").get_attribute("lang") == language


def test_text_of_twice_the_size_still_fits_the_page(page: Page, guide: str) -> None:
    for frame in ("question", "calculator", "confirm"):
        page.goto(f"{guide}?frame={frame}")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, frame


def test_a_borrowers_targets_are_44_pixels_high(phone: Page, guide: str) -> None:
    for frame in ("question", "calculator", "confirm"):
        phone.goto(f"{guide}?frame={frame}")
        small = phone.evaluate(
            "[...document.querySelectorAll('main :is(button, .u-btn, .u-box, .u-choice), header :is(a, button)')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).map(e => e.outerHTML.slice(0, 90))"
        )
        assert not small


def test_a_slider_moves_by_typing_by_buttons_and_by_arrows(phone: Page, guide: str) -> None:
    phone.goto(f"{guide}?frame=calculator")
    box, bar = phone.get_by_role("textbox", name="How much"), phone.get_by_role("slider", name="How much")
    phone.get_by_role("button", name="More: How much").click()
    assert box.input_value() == "5,500,000"
    box.fill("7 200 000")
    box.press("Tab")
    assert box.input_value() == "7,000,000"  # the nearest step
    assert bar.input_value() == "7000000"
    bar.press("ArrowRight")
    assert box.input_value() == "7,500,000"
    box.press("ArrowDown")
    assert box.input_value() == "7,000,000"
    box.fill("99000000")
    box.press("Tab")
    assert box.input_value() == "15,000,000"


def test_a_slider_without_script_is_a_number_box(phone_without_javascript: Page, guide: str) -> None:
    page = phone_without_javascript
    page.goto(f"{guide}?frame=calculator")
    assert page.get_by_role("textbox", name="How much").input_value() == "5,000,000"
    assert page.locator("input[type=range]").first.is_hidden()
    assert page.get_by_role("button", name="More").first.is_hidden()


def test_a_refused_form_says_so_in_the_title_and_leads_to_the_field(phone: Page, guide: str) -> None:
    phone.goto(f"{guide}?frame=refused")
    assert phone.title().startswith("Error: ")
    assert phone.evaluate("document.activeElement.hasAttribute('data-errors')")
    phone.get_by_role("alert").get_by_role("link").click()
    assert phone.evaluate("document.activeElement.name") == "birthday_day"


def test_the_theme_is_chosen_by_hand_and_remembered(page: Page, guide: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(guide)
    day = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") != day


def test_the_desk_is_worked_by_keys(page: Page, guide: str) -> None:
    page.goto(f"{guide}?frame=staff", wait_until="networkidle")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "L-1001"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**#loan-0")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("jk?")
    assert page.evaluate("document.activeElement.value") == "jk?"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    browser.assert_accessible(page)
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog", name="Keys").is_hidden()


def test_the_desks_drawer_opens_on_a_phone_without_script(phone_without_javascript: Page, guide: str) -> None:
    page = phone_without_javascript
    page.goto(f"{guide}?frame=staff")
    queue = page.get_by_role("link", name="Queue")
    assert queue.count() == 0 or not queue.is_visible()
    page.get_by_role("link", name="Menu", exact=True).click()
    queue.wait_for(state="visible")
    page.get_by_role("link", name="Close the menu").click()
    queue.wait_for(state="hidden")


def test_a_chart_draws_the_figures_of_its_table(page: Page, guide: str) -> None:
    page.goto(f"{guide}?frame=staff", wait_until="networkidle")
    assert page.locator("[data-chart] svg").count() == 4
    shown = page.locator("[data-chart]").first.inner_text()
    assert re.search(r"Jun[\s\S]*Nov", shown)
    figure = page.locator("figure").first
    figure.get_by_text("Show as a table").click()
    assert figure.get_by_role("cell", name="₫82,000,000").is_visible()


def test_ticking_the_head_ticks_the_page_and_counts(page: Page, guide: str) -> None:
    page.goto(f"{guide}?frame=staff")
    page.get_by_label("Select all on this page").check()
    assert page.locator("[data-bulk-count]").inner_text() == "6"
    page.get_by_label("Select L-1002").uncheck()
    assert page.locator("[data-bulk-count]").inner_text() == "5"


def test_a_form_is_sent_once_however_often_it_is_pressed(phone: Page, guide: str) -> None:
    phone.goto(f"{guide}?frame=confirm")
    phone.evaluate(
        "window.sent = 0;"
        "addEventListener('submit', e => { if (!e.defaultPrevented) sent++; e.preventDefault(); })"  # after the guard
    )
    phone.get_by_role("button", name="Pay 4,400,000").click()
    phone.get_by_role("button", name="One moment…").click(force=True)
    assert phone.evaluate("window.sent") == 1
