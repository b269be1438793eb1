"""`usance db`: the embedded database alone, and throwing the demo data away."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading

from usance.config import database, home, postgres
from usance.config.obstacles import Obstacle, writing_to

DEMO_DATA = (
    "postgres",
    "postgres.new",
    "programs",
    "sandbox",
    "documents",
    "static",
    "secrets.env",
    "demo-logins.txt",
    "log",
    "run",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("serve", "url", "reset"),
        default="serve",
        help="serve: run in the foreground (default); url: print the application's address of a running one; "
        "reset: throw all data of this installation away (refused while it runs)",
    )


def main(args: argparse.Namespace) -> int:
    return {"serve": _serve, "url": _url, "reset": _reset}[args.action]()


def _serve() -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with database.available():
        print(f"application:  {os.environ['DATABASE_URL']}")
        print(f"owner:        {os.environ['DATABASE_OWNER_URL']}")
        print("The database runs until Ctrl-C.", flush=True)
        stop.wait()
    return 0


def _url() -> int:
    if not os.environ.get("DATABASE_URL") and not postgres.is_running(postgres.Cluster(home.home())):
        raise Obstacle("The embedded database is not running.", "Start it with `usance db` or `make run`.")
    with database.available():
        print(os.environ["DATABASE_URL"])
    return 0


def _reset() -> int:
    """Remove the installation's state. The outside database of DATABASE_URL is never touched."""
    folder = home.home()
    cluster = postgres.Cluster(folder)
    if not folder.exists():
        print("There is no demo data.")
        return 0
    if postgres.is_running(cluster):
        raise Obstacle(
            "usance is running on this data.", "Stop it first (Ctrl-C where `make run` is), then run this again."
        )
    if os.environ.get("DATABASE_URL"):
        sys.stderr.write("DATABASE_URL is set: that database is left as it is.\n")
    with writing_to(folder):
        if cluster.base != folder:
            shutil.rmtree(cluster.base, ignore_errors=True)
        for name in DEMO_DATA:
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    print("The demo data is gone; the next start makes new data.")
    return 0
