"""`usance scan`: is there a card number anywhere where none may be?"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from django.conf import settings
from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.workflows import card_scan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-files", action="store_true", help="look into the database only, not at logs and files")


def main(args: argparse.Namespace) -> int:
    """0 when there is none, 1 when there is one: then each place is named, with the last four digits only."""
    started, count = time.monotonic(), 0
    with transaction.atomic():
        known = [institution_id for institution_id, _host in institutions.all_institutions()]
    places = [card_scan.in_database(list(dict.fromkeys(known)))]
    if not args.no_files:
        places.append(card_scan.in_files(Path(settings.HOME)))
    for place in places:
        for found in place:
            count += 1
            sys.stdout.write(f"CARD NUMBER {found}\n")
    where = f"{len(set(known))} institutions, the queue" + ("" if args.no_files else ", logs and files")
    sys.stdout.write(f"{count or 'no'} card numbers in {where}; {time.monotonic() - started:.1f} s\n")
    return 1 if count else 0
