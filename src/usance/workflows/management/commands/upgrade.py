"""Brings what this version adds to the institutions that exist; `usance run` and `usance manage migrate` do it too."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from usance.workflows import upgrade


class Command(BaseCommand):
    help = "Give every institution the accounts and the rights of roles that this version adds. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{upgrade.everywhere()} institutions are up to date.")
