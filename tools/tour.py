"""Takes the pictures of the README from a running demo: `make run` in one window, `make tour` in another.

A new borrower walks from the calculator to the money, and staff look at what the demo's first months left behind. The
pictures go to docs/tour/.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
PICTURES = PROJECT / "docs" / "tour"
LARGEST = 150 * 1024


def main() -> int:
    options = _options()
    from tests.support import environment

    environment.set_up()  # the tests' helpers are used, not their database
    import django

    django.setup()
    from tests.support import browser
    from tests.support import site as sites

    site = sites.Site(options.port, options.port + 1, "", options.home)
    PICTURES.mkdir(exist_ok=True)
    with browser.browser() as started:
        context = started.new_context(
            viewport={"width": 360, "height": 740}, device_scale_factor=1.5, locale="en", has_touch=True
        )
        _borrower(context.new_page(), site)
        context.close()
        context = started.new_context(viewport={"width": 1280, "height": 800}, locale="en")
        _staff(context.new_page(), site)
        context.close()
    large = [path.name for path in sorted(PICTURES.glob("*.png")) if path.stat().st_size > LARGEST]
    if large:
        print(f"larger than {LARGEST // 1024} KiB: {', '.join(large)}", file=sys.stderr)
    return 1 if large else 0


def _options() -> argparse.Namespace:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, default=8000, help="port of the running demo (default: 8000)")
    words.add_argument("--home", type=Path, default=PROJECT / "var", help="its data (default: var)")
    return words.parse_args()


def _picture(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/tour/{name}.png")


def _borrower(page: Page, site: Site) -> None:
    """One new customer of the Ukrainian demo institution."""
    from tests.e2e.borrower import Borrower

    number = int(datetime.now(UTC).timestamp()) % 9000 + 1000
    person = Borrower(page, site, "ua", number)
    person.open("/")
    _picture(page, "1-calculator")
    person.apply("7000", "20")
    person.arrives("/offer/")
    page.get_by_role("link", name="Read the agreement").wait_for()
    _picture(page, "2-offer")
    person.sign()
    loan = person.get_money()
    person.open(loan)
    _picture(page, "3-loan")


def _staff(page: Page, site: Site) -> None:
    """What the staff of the demo institution see: by address, so that the tour says where a page is."""
    _sign_in(page, site, "underwriter")
    page.goto(site.url("ua", "/staff/queue/"))
    cases = page.locator("main table a[href*='/applications/']")
    if cases.count():
        cases.first.click()
    _picture(page, "4-case")
    _sign_in(page, site, "accountant")
    page.goto(site.url("ua", "/staff/dashboard/"))
    _picture(page, "5-dashboard")
    page.goto(site.url("ua", "/staff/loans/"))
    page.locator("main table a[href*='/loans/']").first.click()
    _picture(page, "6-loan")
    page.goto(site.url("ua", "/staff/books/"))
    _picture(page, "7-trial-balance")
    _sign_in(page, site, "product.manager")
    page.goto(site.url("ua", "/staff/products/"))
    page.locator("main a[href*='/products/']").first.click()
    _picture(page, "8-product")


def _sign_in(page: Page, site: Site, role: str) -> None:
    """By password and the code of the minute. A code counts once: each role is a person of its own."""
    from usance.apps.access import totp

    page.context.clear_cookies()
    password, secret = (re.search(p, site.logins) for p in (r"password\s+(\S+)", r"secret (\w+)"))
    if not password or not secret:
        raise SystemExit("the logins of the demo are not known")
    page.goto(site.url("ua", "/staff/sign-in/"))
    page.fill("[name=email]", f"{role}@ua.localhost")
    page.fill("[name=password]", password[1])
    page.click("main button[type=submit]")
    page.fill("[name=code]", totp.code(secret[1], datetime.now(UTC)))
    page.click("main button[type=submit]")
    page.context.add_cookies([{"name": "language", "value": "en", "url": site.url("ua")}])


if __name__ == "__main__":
    sys.exit(main())
