"""PostgreSQL with two additions: an outermost transaction is bound to the institution at hand as it begins, and it has
a memory (`tenancy.memory`) that ends with it."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    usance_memory: dict[Any, Any] | None = None

    def set_autocommit(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        self.usance_memory = None  # whatever ended, its memory ended with it
        super().set_autocommit(autocommit, *args, **kwargs)
        if not autocommit:
            self.usance_memory = {}
            from usance.apps.institutions import tenancy

            tenancy.bind_transaction()
