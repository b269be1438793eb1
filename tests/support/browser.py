"""A real browser: Chromium from PATH (or Playwright's own), and axe to judge what it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",  # the tests may run as root, where Chromium's sandbox cannot
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-prefers-reduced-motion",
]
PHONE, DESKTOP = (360, 740), (1280, 900)


def _use_a_node_that_runs() -> None:
    """Playwright's own Node lacks a library on small systems; `make test` has then installed another one."""
    other = Path(sys.executable).parent / "node"
    told = subprocess.run(
        [str(Path(sys.executable).parent / "playwright"), "--version"], capture_output=True, check=False
    )
    if told.returncode != 0 and other.exists():
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(other)


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window. Fails, never skips, when there is none: `make test` installs it."""
    _use_a_node_that_runs()
    path = os.environ.get("USANCE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=60_000)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def page(started: Browser, size: tuple[int, int], *, javascript: bool = True, locale: str = "en") -> Iterator[Page]:
    """A page in a context of its own. Script errors and refused content (CSP) fail the test at its end."""
    context = started.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=javascript,
        locale=locale,
        has_touch=size == PHONE,
        reduced_motion="reduce",  # nothing is half way between two looks when it is judged
        accept_downloads=True,
    )
    context.set_default_timeout(60_000)  # a busy machine
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(f"{opened.url}: {message.text}")

    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", heard)
    try:
        yield opened
        assert not faults, f"the page complained: {faults}"
    finally:
        context.close()


def seen(opened: Page) -> str:
    """Where a page is and what somebody would read there, for the report of a failure."""
    try:
        return f"{opened.url}\n{opened.inner_text('body', timeout=5_000)[:3000]}"
    except Error as gone:
        return f"nothing any more: {gone}"


def assert_accessible(shown: Page, *, rules: list[str] | None = None) -> None:
    """axe finds nothing serious or critical on what the page shows now. `rules`: only these of axe's rules."""
    # what is loaded for the rules beforehand: of those that are on, only one about sounds and films wants anything, and
    # not the style sheets all over again
    asked: dict[str, Any] = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
    if rules:
        asked["runOnly"] = {"type": "rule", "values": rules}
    if not shown.evaluate("'axe' in window"):
        shown.evaluate(Axe().axe_script)
    found = shown.evaluate("asked => axe.run(asked).then(told => told.violations)", asked)
    serious = [
        f"{v['id']} ({v['impact']}): {v['help']}: " + "; ".join(n["html"][:160] for n in v["nodes"][:5])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious, f"{shown.url}\n" + "\n".join(serious)
