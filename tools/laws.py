"""`make laws`: the engine against the slow reference on 200,000 histories. Exit status 0: they agree in all, to the
minor unit. Interrupted, it goes on where it was: it remembers how far it has come for these sources."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
HISTORIES, CHUNK = 200_000, 500
REMEMBERED = PROJECT / ".cache" / "laws.json"
SOURCES = ("src/usance/core", "tests/laws")


def mark() -> str:
    """A hash of what the result depends on."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def chunk(first: int, count: int) -> list[str]:
    from tests.laws import histories

    return histories.differing(first, count)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make laws", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="number of the first history (default: %(default)s)")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="how many (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="from the beginning, whatever was done before")
    options = parser.parse_args()
    key = f"{mark()}:{options.seed}:{options.histories}"
    known = json.loads(REMEMBERED.read_text()) if REMEMBERED.exists() and not options.again else {}
    done = set(known.get("done", [])) if known.get("key") == key else set()
    ends = options.seed + options.histories
    starts = [first for first in range(options.seed, ends, CHUNK) if first not in done]
    if done:
        print(f"{len(done) * CHUNK:,} histories were compared before.", flush=True)
    return compare(starts, ends=ends, done=done, key=key)


def compare(starts: list[int], *, ends: int, done: set[int], key: str) -> int:
    began, found = time.monotonic(), list[str]()
    REMEMBERED.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(chunk, first, min(CHUNK, ends - first)): first for first in starts}
        for number, future in enumerate(as_completed(running), 1):
            found += future.result()
            if not future.result():
                done.add(running[future])
                REMEMBERED.write_text(json.dumps({"key": key, "done": sorted(done)}))
            seconds = time.monotonic() - began
            left = seconds / number * (len(starts) - number)
            end = "\r" if sys.stdout.isatty() else "\n"
            if sys.stdout.isatty() or number % 20 == 0 or number == len(starts):
                print(
                    f"{number * CHUNK:>9,} histories, {len(found)} differ, {left:,.0f} s left   ", end=end, flush=True
                )
    print(f"\n{len(done) * CHUNK:,} histories agree to the minor unit, {len(found)} differ.")
    print("\n".join(found[:20]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.path[:0] = [str(PROJECT)]
    sys.exit(main())
