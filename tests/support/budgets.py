"""What a page weighs and how long it takes on a cheap phone with a slow connection, as a real browser sees it:
everything that came over the wire for a first visit, headers included, with nothing in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

KIB = 1024
# bytes a second, milliseconds, and how much slower the processor is
DOWN, UP, ROUND_TRIP_MS, SLOWER = 200_000, 93_750, 150, 4

WATCH = """
window.usanceSeen = {lcp: 0, cls: 0};
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) usanceSeen.lcp = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) usanceSeen.cls += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that is allowed, and half of it: what we aim at. `total` and `script` in bytes, `lcp_s` in seconds."""

    total: int
    script: int | None = None
    lcp_s: float | None = None
    shift: float | None = None


BORROWER = Budget(total=100 * KIB, script=30 * KIB, lcp_s=2.5, shift=0.1)
STAFF = Budget(total=300 * KIB)


@dataclass(slots=True)
class Seen:
    """One visit. `by_kind`: bytes over the wire by the browser's kinds of resource (Document, Script, Font, ...)."""

    by_kind: dict[str, int] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)
    lcp_s: float = 0.0
    shift: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())

    @property
    def script(self) -> int:
        return self.by_kind.get("Script", 0)

    def shares(self, budget: Budget) -> dict[str, float]:
        """Each figure as a part of what is allowed."""
        found = {"total": self.total / budget.total}
        if budget.script:
            found["script"] = self.script / budget.script
        if budget.lcp_s and self.lcp_s:
            found["lcp"] = self.lcp_s / budget.lcp_s
        if budget.shift and self.lcp_s:
            found["shift"] = self.shift / budget.shift
        return found


class Scales:
    """Listens to what the browser fetches for one page after another."""

    def __init__(self, page: Page) -> None:
        self.page, self.seen = page, Seen()
        self._kinds: dict[str, str] = {}
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.on("Network.responseReceived", self._begun)
        self.session.on("Network.loadingFinished", self._done)
        self.session.send("Network.enable")
        self.session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.session.send("Network.setBypassServiceWorker", {"bypass": True})

    def _begun(self, told: dict[str, Any]) -> None:
        self._kinds[told["requestId"]] = told["type"]
        headers = {name.lower(): value for name, value in told["response"]["headers"].items()}
        kind = headers.get("content-type", "")
        is_text = any(word in kind for word in ("text/", "javascript", "json", "svg"))
        address, size = told["response"]["url"], int(headers.get("content-length", KIB))
        if is_text and address.startswith("http") and "content-encoding" not in headers and size >= KIB:
            self.seen.plain.append(address)  # what is smaller than that gains nothing

    def _done(self, told: dict[str, Any]) -> None:
        kind = self._kinds.get(told["requestId"], "Other")
        self.seen.by_kind[kind] = self.seen.by_kind.get(kind, 0) + int(told["encodedDataLength"])

    def slow_down(self) -> None:
        """From now on a cheap phone far from the city."""
        asked = {"offline": False, "latency": ROUND_TRIP_MS, "downloadThroughput": DOWN, "uploadThroughput": UP}
        self.session.send("Network.emulateNetworkConditions", asked)
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

    @contextmanager
    def weighing(self) -> Iterator[Seen]:
        """What is fetched inside the block, to its end."""
        self.seen, self._kinds = Seen(), {}
        yield self.seen
        for _ in range(3):  # a page that waits for something may lead on meanwhile
            self.page.wait_for_load_state("load")
            with suppress(Error):
                self.page.evaluate("document.fonts.ready.then(() => null)")
                return


def timed(page: Page, seen: Seen) -> Seen:
    """Adds when the largest part was there, and how much moved (WATCH must be in the page)."""
    page.wait_for_load_state("networkidle")
    told = page.evaluate("usanceSeen")
    seen.lcp_s, seen.shift = told["lcp"] / 1000, told["cls"]
    return seen
