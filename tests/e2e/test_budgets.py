"""What every page weighs over the wire, on a first visit. Times depend on the machine: `make budgets` measures them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_every_page import ENDS_THE_SESSION, visiting
from tests.support import budgets
from tests.support.site import Site
from tests.web.test_routes import ROUTES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CASES = [
    ("ua", "uk", ("borrower", "public"), budgets.BORROWER),
    ("vn", "vi", ("borrower", "public"), budgets.BORROWER),
    ("ua", "uk", ("staff",), budgets.STAFF),
]


@pytest.mark.parametrize(("code", "language", "areas", "budget"), CASES, ids=["uk", "vi", "staff"])
def test_no_page_is_heavier_than_its_budget(
    live_site: Site, chromium: Browser, code: str, language: str, areas: tuple[str, ...], budget: budgets.Budget
) -> None:
    faults, count = [], 0
    routes = [r for r in ROUTES if r.permit and r.name.split(":")[0] in areas and r.name not in ENDS_THE_SESSION]
    with visiting(chromium, live_site, code, language) as visitor:
        scales = budgets.Scales(visitor.page)
        for route in routes:
            with scales.weighing() as seen:
                opened = visitor.open(route)
            if not opened:
                continue
            count += 1
            over = {name: share for name, share in seen.shares(budget).items() if share > 1}
            if over or seen.plain:
                faults.append(f"{route.name}: over its budget {over}, not compressed {seen.plain}, {seen.by_kind}")
    assert count >= 15, f"only {count} pages were weighed"
    assert not faults, "\n".join(faults)
