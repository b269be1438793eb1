"""Sessions in the database, each within its institution."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> Any:
        from usance.apps.access.models import Session

        return Session
