"""What the benches that need a database of their own have in common: which database, what is told meanwhile, and how
the figures are printed."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from usance.workflows import filling

Figures = dict[str, Any]


class Spoilt(RuntimeError):
    """What was measured is not what was asked for: no figures are printed."""


def run(measure: Callable[[filling.Tell], Figures], as_text: Callable[[Figures], str], *, as_json: bool) -> int:
    """Measures and prints. `measure` hears of nothing and tells its steps; its figures name what missed its goal in
    "breaches". 0 when nothing did, 1 when something did, 2 when this database is not for measuring, or the measuring
    was spoilt."""
    if not settings.USANCE_DEMO or not os.environ.get("DATABASE_OWNER_URL"):
        sys.stderr.write("usance: this fills a database with invented data: set USANCE_DEMO=1 for one of its own\n")
        return 2
    logging.getLogger("usance").setLevel(logging.WARNING)  # a line for each request would hide the figures
    began = time.monotonic()

    def tell(step: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.0f} s  {step}\n")

    try:
        figures = measure(tell)
    except (filling.OtherData, Spoilt) as problem:
        sys.stderr.write(f"usance: {problem}\n")
        return 2
    sys.stdout.write(json.dumps(figures, indent=1) + "\n" if as_json else as_text(figures))
    return 1 if figures["breaches"] else 0
