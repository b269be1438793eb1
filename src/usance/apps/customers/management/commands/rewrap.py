"""After a new key was put in front of USANCE_KEYS: wraps every data key under it, so that the old key can leave."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from usance.apps.customers import vault
from usance.apps.institutions import keyring, selectors, tenancy


class Command(BaseCommand):
    help = (
        "Wrap the data keys of all persons under the newest key of USANCE_KEYS. Safe to interrupt and to repeat; "
        "the data itself is not touched. Afterwards the older keys open no person's key any more."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        newest = next(iter(keyring.ring()))
        for institution_id, host in selectors.all_institutions():
            with tenancy.bound(institution_id):
                count = vault.rewrap()
            self.stdout.write(f"{host}: {count} data keys wrapped anew under the key {newest}")
