"""A customer's visit, as it is once the code was right: a known device, and a session on it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.test import Client


def session_of(party_id: Any) -> Any:
    """A signed-in session, in the caller's transaction."""
    from django.conf import settings

    from usance.apps.customers import devices
    from usance.ports import clock
    from usance.web.borrower import identity

    token = devices.know(party_id=party_id, at=clock.now())
    device_id = devices.id_of(party_id=party_id, token=token)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    identity.begin(session, party_id=party_id, device_id=device_id, at=clock.now())
    session.create()
    return session


def returning(headers: dict[str, str]) -> Client:
    """A browser whose owner signs in again when a visit has grown old: for tests in which days go by."""
    from django.test import Client

    class Returning(Client):
        def request(self, **asked: Any) -> Any:
            renew(self)
            return super().request(**asked)

    return Returning(headers=headers)


def renew(client: Client) -> None:
    """The visit of this browser, if there is one, begins anew."""
    from django.conf import settings

    from usance.ports import clock
    from usance.web.borrower import identity

    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value) if cookie else {}
    if identity.VISIT in session:
        now = clock.now().isoformat()
        session[identity.VISIT] = {**session[identity.VISIT], "began": now, "seen": now}
        session.save()


def browser_of(party_id: Any, host: str) -> Client:
    """A browser in which this customer is signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client(headers={"host": host})
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(party_id).session_key
    return client
