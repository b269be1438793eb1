"""A worker with tripwires: the very one of `usance worker`, killed with SIGKILL at a marked point when told to.

`python -m usance.config.faults.points`. A file named after a point in the folder USANCE_TRIPWIRES is a tripwire; the
first worker that comes by takes it and dies there. Nothing of this is in the product's code: its functions are wrapped
in this process only. The next worker is forked from a parent that has read all modules already: to start one anew takes
seconds of a processor, and shows nothing about money.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRIPWIRES = "USANCE_TRIPWIRES"
PULSE_S = 1.0  # a sign of life so often (the product: every five seconds), as minutes pass in seconds here
KINDS_OF_MONEY = ("payout", "debit", "refund")
# what a tripwire may be called: the operation, and how far it has come
POINTS = (
    *(f"{kind}-{where}" for kind in KINDS_OF_MONEY for where in ("claimed", "sending", "answered", "settling")),
    *("payout-booking", "payout-booked", "debit-booking", "debit-booked", "refund-settled"),
    *("close-chunk", "close-finishing", "close-finished", "close-sweep", "close-item"),
    "notice-taken",
)


def die_at(point: str) -> None:
    """Ends this process at once, where it stands, when a tripwire of that name waits."""
    wire = Path(os.environ[TRIPWIRES]) / point
    try:
        wire.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _after(owner: Any, name: str, point: Callable[[Any, tuple[Any, ...], dict[str, Any]], str]) -> None:
    """Wraps `owner.name`: when it has returned, the point that `point(result, arguments, named)` gives is passed."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        passed = point(result, arguments, named)
        if passed:
            die_at(passed)
        return result

    setattr(owner, name, wrapped)


def _around(owner: Any, name: str, kind: str) -> None:
    """Wraps a call of the provider: just before it goes out, and when its answer is there and nothing is noted."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        die_at(f"{kind}-sending")
        result = real(*arguments, **named)
        die_at(f"{kind}-answered")
        return result

    setattr(owner, name, wrapped)


def lay() -> None:
    """Wraps the marked points. Django must be ready."""
    from usance.adapters.fondy import FondyRail
    from usance.apps.institutions import services as institutions
    from usance.apps.payments import services as rails
    from usance.apps.payments import tasks
    from usance.apps.servicing import closing
    from usance.apps.servicing import services as servicing
    from usance.workflows import fund_loan, take_payment

    _after(rails, "claim", lambda found, *_: f"{found.kind}-claimed" if found else "")
    _around(FondyRail, "payout_to_card", "payout")
    _around(FondyRail, "debit_card", "debit")
    _around(FondyRail, "refund", "refund")
    _after(rails, "settle", lambda found, *_: f"{found.kind}-settling")
    _after(tasks, "_take_in", lambda _, given, __: "refund-settled" if given[0].kind == "refund" else "")
    _after(servicing, "disburse", lambda *_: "payout-booking")
    _after(servicing, "receive_payment", lambda *_: "debit-booking")
    _after(fund_loan, "_money_arrived", lambda *_: "payout-booked")
    _after(take_payment, "_book", lambda *_: "debit-booked")
    _after(closing, "close_chunk", lambda *_: "close-chunk")
    _after(closing, "finish", lambda *_: "close-finishing")
    _after(closing, "mark_swept", lambda *_: "close-sweep")
    _after(institutions, "finish_item", lambda *_: "close-item")
    _after(closing, "make_room", lambda *_: "close-finished")
    _after(rails, "finish_notice", lambda *_: "notice-taken")


def main() -> int:
    """One worker after the other, each in a process of its own, until one ends otherwise than by SIGKILL."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usance.config.settings")
    import django

    django.setup()
    lay()
    from usance.apps.agreements import sealing  # noqa: F401 - a worker reads it with its first paper

    forked: list[multiprocessing.process.BaseProcess] = []
    signal.signal(signal.SIGTERM, lambda *_: forked[-1].terminate())
    while not forked or forked[-1].exitcode == -signal.SIGKILL:
        forked.append(multiprocessing.get_context("fork").Process(target=_work, daemon=True))
        forked[-1].start()
        forked[-1].join()
    return forked[-1].exitcode or 0


def _work() -> None:
    from usance.config import worker

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    worker.HEARTBEAT_S = PULSE_S
    sys.exit(worker.main(argparse.Namespace(lane=None, concurrency=4, once=False)))


if __name__ == "__main__":
    sys.exit(main())
