"""What our pages weigh and how fast they are, against the budgets: `make budgets`. Exit status 1 on a breach.

Starts a site of its own, opens each page as a browser does that was never here (empty cache), and counts what came
over the wire, headers included. Borrower and public pages are also timed on a cheap phone far away: 1.6 Mbit/s,
150 ms, a processor four times slower. We aim at half of each budget; the table shows how much of that half is used.

    tools/budgets.py [--weights] [WORD ...]    only weights; only pages whose name has one of the words
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.budgets import Budget, Seen
    from tests.support.site import Site

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
TRIES = 3  # a time beyond half may be the fault of whatever else this machine does: the best of so many counts
HEAD = f"{'page':34} {'KiB':>6} {'script':>7} {'LCP s':>6} {'shift':>6}   part of the half: total, script, LCP, shift"


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--weights", action="store_true", help="no times")
    words.add_argument("words", nargs="*", help="only pages whose name has one of these words in it")
    options = words.parse_args()
    from tests.support import environment

    environment.set_up()
    import django

    django.setup()
    from tests.support import browser
    from tests.support import site as sites

    with sites.running() as started, sites.looked_into(started) as site, browser.browser() as chromium:
        return measure(site, chromium, options)


def measure(site: Site, chromium: Browser, options: Any) -> int:
    from tests.e2e.test_budgets import CASES

    breaches, beyond = 0, 0
    for code, language, areas, budget in CASES:
        print(f"\n{code}.localhost in {language}: {', '.join(areas)}\n{HEAD}", flush=True)
        for name, seen in visits(site, chromium, code, language, areas, budget, options):
            shares = seen.shares(budget)
            word = "  OVER ITS BUDGET" if max(shares.values()) > 1 or seen.plain else ""
            breaches, beyond = breaches + bool(word), beyond + (max(shares.values()) > 0.5)
            print(line(name, seen, shares) + word, flush=True)
            for address in seen.plain:
                print(f"    not compressed: {address}")
    print(f"\n{breaches} over their budget, {beyond} over half of it.")
    return 1 if breaches else 0


def visits(
    site: Site, chromium: Browser, code: str, language: str, areas: tuple[str, ...], budget: Budget, options: Any
) -> Any:
    """Each page's name with what was seen of it, each in a browser that was never here."""
    from tests.e2e.test_every_page import ENDS_THE_SESSION, visiting
    from tests.support import budgets
    from tests.web.test_routes import ROUTES

    for route in ROUTES:
        if not route.permit or route.name.split(":")[0] not in areas or route.name in ENDS_THE_SESSION:
            continue
        if options.words and not any(word in route.name for word in options.words):
            continue
        best = None
        for _ in range(TRIES):
            with visiting(chromium, site, code, language) as visitor:
                timing = bool(budget.lcp_s) and not options.weights
                visitor.page.set_viewport_size({"width": 360, "height": 740})
                visitor.page.add_init_script(budgets.WATCH)
                scales = budgets.Scales(visitor.page)
                if timing:
                    scales.slow_down()
                with scales.weighing() as seen:
                    opened = visitor.open(route)
                if opened and timing:
                    budgets.timed(visitor.page, seen)
            if best is None or seen.lcp_s < best.lcp_s:
                best = seen
            if not opened or not timing or seen.lcp_s < (budget.lcp_s or 0) / 2:
                break
        if opened and best is not None:
            yield route.name, best


def line(name: str, seen: Seen, shares: dict[str, float]) -> str:
    from tests.support.budgets import KIB

    halves = "  ".join(f"{shares[one] * 2:4.0%}" for one in ("total", "script", "lcp", "shift") if one in shares)
    times = f"{seen.lcp_s:6.2f} {seen.shift:6.3f}" if seen.lcp_s else f"{'':13}"
    return f"{name:34} {seen.total / KIB:6.1f} {seen.script / KIB:7.1f} {times}   {halves}"


if __name__ == "__main__":
    sys.exit(main())
