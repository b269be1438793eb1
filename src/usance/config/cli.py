"""`usance`: the one command-line entry. Every command has the database it needs while it runs, and one clear sentence
for whatever stands in its way."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from usance.config.obstacles import Obstacle

Main = Callable[[argparse.Namespace], int]
LEAST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Command:
    """One word after `usance`. `module` has `add_arguments(parser)` and `main(args) -> status`; it is loaded on demand.

    `needs_database`: start (or join) the database around it. `needs_django`: set Django up before its module is loaded.
    """

    name: str
    module: str
    summary: str
    details: str
    needs_database: bool = True
    needs_django: bool = True


COMMANDS = (
    Command(
        "run",
        "usance.config.run",
        "start everything: database, web server, workers, provider sandboxes",
        "Starts all parts under one supervising process, prepares the database on the first start, and prints the "
        "addresses and the demo logins. Ctrl-C stops everything; data stay in var/ (or USANCE_HOME).",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "manage",
        "usance.config.manage",
        "run one of Django's own commands (migrate, shell, makemigrations, ...)",
        "Everything after `manage` goes to Django; `usance manage help` lists the commands. Those that change tables "
        "connect as their owner, all others as the application, which sees no institution's rows until it is bound.",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "close",
        "usance.workflows.cli_close",
        "end the business day of an institution",
        "Runs the nightly close: what falls due on the day happens, interest accrues, the business date moves on. "
        "Safe to repeat.",
    ),
    Command(
        "simulate",
        "usance.workflows.cli_simulate",
        "live months of an institution with simulated or given applicants",
        "Customers apply, are decided upon, get money, pay on time, late, partly or never; all through the services "
        "that people use. The same seed gives the same lives.",
    ),
    Command(
        "bench",
        "usance.workflows.cli_bench",
        "measure what an application, a payment, a quiet day, the desk's pages and the nightly close cost",
        "Lives them in an institution with sandboxes and prints queries and milliseconds of one of each, beside what "
        "as many trivial queries take on this machine.",
    ),
    Command(
        "audit",
        "usance.workflows.cli_audit",
        "check the books, the loans and the audit trail against each other",
        "Checks every invariant over all rows and recomputes a sample of loans from their events (--full: all loans). "
        "Names each difference; the exit status is 0 only when there is none.",
    ),
    Command(
        "import",
        "usance.workflows.cli_import",
        "take in a portfolio from another system, from CSV files",
        "Checks every line of the files (customers, loans, schedules, events) and names each that is wrong, with what "
        "to do; takes in all or nothing; what came in before does not come in again. --check only looks. The format "
        "is described in docs/import.md.",
    ),
    Command(
        "faults",
        "usance.config.faults.command",
        "attack a product of its own from every side, and see what holds",
        "Starts a database, web server, workers and sandboxes for itself, injects faults by seed (killed workers, lost "
        "replies, doubled and forged callbacks, races, jumps of the clock, altered rows, ...), and compares the "
        "provider's own book with ours. Prints for each kind what was injected, lost, double, stuck; the exit status "
        "is 0 only when nothing was. It never touches a database that it has not made itself.",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "scan",
        "usance.workflows.cli_scan",
        "look for card numbers where none may be",
        "Looks at every column of every table (opened where it is sealed), the queue, the papers, the logs and the "
        "files of the installation. Names each place; the exit status is 0 only when there is none.",
    ),
    Command(
        "explain",
        "usance.workflows.cli_explain",
        "show how the balances of a loan came about, cent by cent",
        "Prints the lines (day, formula, inputs, rule, event) whose sum is each balance of the loan on the date.",
    ),
    Command(
        "cases",
        "usance.workflows.cli_cases",
        "reproduce published numbers: schedules, rates, instalments",
        "Reads files of cases, runs each through the engine of the product and compares it cell by cell with what is "
        "published. The exit status is 0 only when none differs.",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "doctor",
        "usance.config.doctor",
        "say what is configured, what answers, what does not, and what to do",
        "Checks Python, disk, secrets, database and its roles, migrations, ports, front end, queue and providers.",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "code",
        "usance.config.code",
        "print the second factor's code of this minute for the demo staff",
        "What an authenticator app would show; the demo's secret is among the logins that `usance run` prints.",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "db",
        "usance.config.db",
        "run only the embedded database, or drop the demo data",
        "Without more words: keeps the embedded PostgreSQL running in the foreground and prints how to connect.",
        needs_database=False,
        needs_django=False,
    ),
    Command(
        "worker",
        "usance.config.worker",
        "run a worker of the job queue in the foreground",
        "Takes jobs from the database and does them until it is stopped (Ctrl-C lets running jobs finish).",
    ),
    Command(
        "sandbox",
        "usance.config.sandbox",
        "run the provider sandboxes in the foreground",
        "Starts the twins of the payment and message providers: a server that speaks the providers' real protocols.",
        needs_database=False,
        needs_django=False,
    ),
)


def parser() -> argparse.ArgumentParser:
    """The parser of the first word; each command's own arguments are added when it is the one asked for."""
    top = argparse.ArgumentParser(
        prog="usance",
        description="An open platform for online lenders.",
        epilog="`usance COMMAND --help` explains one. Settings come from the environment; see docs/operations.md.",
    )
    words = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        words.add_parser(
            command.name, help=command.summary, description=f"{command.summary}. {command.details}", add_help=False
        )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (1: something is in the way, 2: wrong arguments, 130: interrupted)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _check_python()
        first, rest = parser().parse_known_args(words[:1])[0], words[1:]
        return _run(next(c for c in COMMANDS if c.name == first.command), rest)
    except Obstacle as obstacle:
        sys.stderr.write(f"usance: {obstacle.fact}\n        {obstacle.remedy}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _check_python() -> None:
    if sys.version_info < LEAST_PYTHON:
        raise Obstacle(
            f"This is Python {sys.version_info[0]}.{sys.version_info[1]}; usance needs 3.11 or newer.",
            "Install a newer Python and run `make run PYTHON=python3.11`.",
        )


def _run(command: Command, words: list[str]) -> int:
    if importlib.util.find_spec(command.module) is None:
        raise Obstacle(
            f"The command `usance {command.name}` is not part of this version.", "`usance --help` lists what there is."
        )
    only_help = bool({"-h", "--help"} & set(words)) and command.name != "manage"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usance.config.settings")
    if command.needs_django:
        _recall_site()
    with _database() if command.needs_database and not only_help else nullcontext():
        if command.needs_django:
            _set_up_django(only_help)
        module = importlib.import_module(command.module)
        if command.name == "manage":
            return int(module.main(argparse.Namespace(words=words)))
        own = argparse.ArgumentParser(
            prog=f"usance {command.name}", description=f"{command.summary}. {command.details}"
        )
        module.add_arguments(own)
        return int(module.main(own.parse_args(words)))


def _database() -> AbstractContextManager[None]:
    from usance.config import database

    return database.available()


def _recall_site() -> None:
    from usance.config import home, services

    services.recall(home.prepare(home.home()))


def _set_up_django(only_help: bool) -> None:
    import django

    if only_help:  # the text needs the settings to load, not a database to answer
        from usance.config import home

        home.load_secrets(home.prepare(home.home()))
        os.environ.setdefault("DATABASE_URL", "postgresql://127.0.0.1/none")
    django.setup()


if __name__ == "__main__":
    sys.exit(main())
