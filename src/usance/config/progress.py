"""Showing a person how far a long start has come: each step's name, and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(name: str) -> Iterator[None]:
    """Announce a step; say at its end how long it took. In a terminal both are one line."""
    live = sys.stdout.isatty()
    sys.stdout.write(f"  {name} ... " if live else f"  {name} ...\n")
    sys.stdout.flush()
    began = time.monotonic()
    word = "failed"
    try:
        yield
        word = "done"
    finally:
        lead = "\r\033[K" if live else ""
        sys.stdout.write(f"{lead}  {name}: {word} in {time.monotonic() - began:.1f} s\n")
        sys.stdout.flush()


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
