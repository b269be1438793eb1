"""Where roles get their players: the only module that names an adapter. Called once, when Django is ready."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction

import usance.apps
import usance.workflows
from usance.adapters import esputnik, fondy, procrastinate_queue, webpush
from usance.apps.institutions import tenancy
from usance.config import figures, jobs, metrics
from usance.config.shifted_clock import ShiftedClock
from usance.ports import clock, outside, queue, registry
from usance.ports import sandbox as sandboxes
from usance.ports.sandbox import Deliver

if TYPE_CHECKING:
    from usance.adapters.sandbox.in_process import InProcess

OF_COMMANDS = frozenset(
    ("cases", "crowd", "demo", "floor", "herd", "herd_copies", "management", "measuring", "simulate")
)


def on_queue_ready(app: Any) -> None:
    """Procrastinate's hook, called when all models are loaded."""
    import_tasks()
    procrastinate_queue.register(app, jobs.run_job)
    ahead = push_the_clock() if settings.USANCE_CLOCK_FILE and settings.USANCE_DEMO else timedelta
    queue.install(
        procrastinate_queue.ProcrastinateQueue(app, whose=tenancy.current_id, savepoint=transaction.atomic, ahead=ahead)
    )
    outside.install(in_transaction)
    choose_providers()
    measure()


def push_the_clock() -> Callable[[], timedelta]:
    """Puts a clock in place that may be pushed; gives how far it runs ahead."""
    pushed = ShiftedClock(Path(settings.USANCE_CLOCK_FILE))
    clock.install(pushed)
    return pushed.shift


def import_tasks() -> None:
    """Imports every module that declares tasks."""
    for name in modules_of_tasks():
        importlib.import_module(name)


def modules_of_tasks() -> Iterator[str]:
    """`tasks` of the apps, and the workflows but for what only commands use: a worker that was killed is back the
    sooner, the less it reads."""
    for found in pkgutil.walk_packages(usance.apps.__path__, "usance.apps."):
        if found.name.endswith(".tasks"):
            yield found.name
    for found in pkgutil.walk_packages(usance.workflows.__path__, "usance.workflows."):
        part = found.name.split(".")[2]
        if not part.startswith("cli_") and part not in OF_COMMANDS:
            yield found.name


def measure() -> None:
    """What the metrics page tells of each institution."""
    for source in figures.OF_AN_INSTITUTION:
        metrics.register(source, by_institution=True)


def in_transaction() -> bool:
    """Whether a transaction is open here, other than the one that a test case wraps around itself."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def choose_providers() -> None:
    """The providers of each institution, by configuration."""
    registry.offer(registry.PAYMENT_RAIL, "fondy", fondy.build)
    registry.offer(registry.MESSENGER, "esputnik", esputnik.build)
    for code, values in settings.FONDY.items():
        in_sandbox = bool(settings.USANCE_SANDBOX_URL) and values["base_url"].startswith(settings.USANCE_SANDBOX_URL)
        more = {"sandbox_date": business_date} if in_sandbox else {}
        registry.choose(registry.PAYMENT_RAIL, "fondy", values | more, institution=code)
    for code, values in settings.ESPUTNIK.items():
        registry.choose(registry.MESSENGER, "esputnik", values, institution=code)
    registry.offer(registry.PUSH, "webpush", webpush.build)
    for code, values in settings.WEBPUSH.items():
        if values["private_key"]:
            registry.choose(registry.PUSH, "webpush", values, institution=code)
    if settings.USANCE_DEMO or settings.USANCE_SANDBOX_URL:
        sandboxes.offer(sandbox_in_process)


def sandbox_in_process(deliver: Deliver, *, shared_book: Path | None, leads: bool) -> InProcess:
    """The sandboxes in this process, over the served sandbox's own book, as every institution's provider: what is
    simulated is known to the sandbox afterwards. They live in the simulation's clock."""
    from usance.adapters import sandbox  # a web server of its own, which no lender's process needs
    from usance.adapters.sandbox import in_process

    book = settings.HOME / "sandbox" / "book.sqlite3"
    book.parent.mkdir(parents=True, exist_ok=True)
    twins = in_process.InProcess(book, deliver, shared=shared_book, leads=leads)
    joined = {"transport": sandbox.transport(twins.app)}
    for code, values in settings.FONDY.items():
        registry.choose(registry.PAYMENT_RAIL, "fondy", values | joined, institution=code)
    for code, values in settings.ESPUTNIK.items():
        registry.choose(registry.MESSENGER, "esputnik", values | joined, institution=code)
    for code, values in settings.WEBPUSH.items():
        if values["private_key"]:
            registry.choose(registry.PUSH, "webpush", values | joined, institution=code)
    return twins


def business_date() -> date:
    """The day that the bound institution lives on, told to the sandbox with each request, so that the card payments of
    an institution whose clock was pushed have that day's value date. Opens a transaction of its own."""
    tenancy.forget_row()
    with transaction.atomic():
        return tenancy.current().business_date
