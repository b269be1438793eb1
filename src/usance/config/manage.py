"""`usance manage`: Django's commands, with the database and the right role."""

from __future__ import annotations

import argparse
import os

from usance.config import database, home, schema

AS_OWNER = frozenset({"migrate", "sqlmigrate", "squashmigrations", "dbshell", "inspectdb"})
WITHOUT_DATABASE = frozenset(
    {"help", "makemessages", "compilemessages", "collectstatic", "findstatic", "version", "--version", "--help", "-h"}
)
ONLY_LOOKS = frozenset({"--plan", "--check", "--help", "-h"})


def main(args: argparse.Namespace) -> int:
    """Run `manage` with these words; Django's own exit status goes through."""
    from django.core.management import execute_from_command_line

    name = args.words[0] if args.words else "help"
    if name in AS_OWNER:
        os.environ["USANCE_DB_ROLE"] = "owner"
    words = ["usance manage", *args.words]
    if name in WITHOUT_DATABASE:
        home.load_secrets(home.prepare(home.home()))
        os.environ.setdefault("DATABASE_URL", "postgresql://127.0.0.1/none")
        execute_from_command_line(words)
    else:
        with database.available():
            if name == "migrate":
                with database.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
                    schema.write(owner, None)
            execute_from_command_line(words)
            if name == "migrate" and not any(word in ONLY_LOOKS or not word.startswith("-") for word in args.words[1:]):
                execute_from_command_line(["usance manage", "upgrade"])
    return 0
