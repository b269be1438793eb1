"""PostgreSQL with one addition: an outermost transaction is bound to the institution at hand as it begins."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def set_autocommit(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        super().set_autocommit(autocommit, *args, **kwargs)
        if not autocommit:
            from usance.apps.institutions import tenancy

            tenancy.bind_transaction()
