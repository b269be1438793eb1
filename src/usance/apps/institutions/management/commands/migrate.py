"""Django's migrate, then what the database enforces and the sums it keeps, and the rules of countries. Runs as the
tables' owner."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connection

from usance.apps.institutions import country_rules, guard, tallies


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            user = cursor.fetchone()[0]
        if user == settings.USANCE_APP_ROLE:
            raise CommandError(
                "Tables are made by their owner: run `usance manage migrate`, which connects as the owner."
            )
        super().handle(*args, **options)
        if not options["check_unapplied"] and not options["plan"]:
            guard.apply()
            tallies.apply()
            country_rules.load_country_rules()
