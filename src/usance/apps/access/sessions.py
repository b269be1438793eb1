"""Sessions in the database, each within its institution. What a visit keeps (a phone number on its way to being proved,
for one) is sealed under the key ring, so that a copy of the table tells nothing."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from django.contrib.sessions.backends import db

from usance.apps.institutions import keyring


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> Any:
        from usance.apps.access.models import Session

        return Session

    def encode(self, session_dict: dict[str, Any]) -> str:
        plain = json.dumps(session_dict, separators=(",", ":")).encode()
        return base64.b64encode(keyring.seal(plain, self._context())).decode()

    def decode(self, session_data: Any) -> dict[str, Any]:
        """Empty when it was not sealed for this very session: as if it had ended."""
        try:
            plain = keyring.unseal(base64.b64decode(session_data, validate=True), self._context())
        except (keyring.SealBroken, binascii.Error):
            return {}
        found: dict[str, Any] = json.loads(plain)
        return found

    def _context(self) -> str:
        return f"access.session|{self.session_key}"
