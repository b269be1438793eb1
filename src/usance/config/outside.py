"""What `usance doctor` says of the outside: who each institution's providers are, whether they answer in their own
language, and what money waits for their word."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from usance.config.finding import FAULT, GOOD, NOTE, Finding

TIMEOUT_S = 3.0
NIGHT = 'docs/operations.md, "At three in the morning"'


def findings() -> Iterator[Finding]:
    """Inside `database.available()`: providers by address and by protocol, pushes, money in doubt."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usance.config.settings")
    for name in ("FONDY", "ESPUTNIK"):  # nobody waits here as long as a payment does
        os.environ[f"{name}_READ_TIMEOUT_S"] = str(TIMEOUT_S)
    from django.conf import settings

    silent: set[str] = set()
    for name in ("FONDY", "ESPUTNIK"):
        accounts: dict[str, dict[str, str]] = getattr(settings, name, {})
        for base in sorted({values.get("base_url", "") for values in accounts.values()}):
            codes = ", ".join(sorted(code for code, values in accounts.items() if values.get("base_url", "") == base))
            found = _listens(name.capitalize(), codes.replace("*", "all others"), base)
            yield found
            silent |= {name} if found.level != GOOD else set()
    yield from _pushes(getattr(settings, "WEBPUSH", {}), demo=settings.USANCE_DEMO)
    yield from _institutions(silent)


def _listens(name: str, codes: str, base: str) -> Finding:
    parts = urlsplit(base)
    if not parts.hostname:
        return Finding(
            NOTE,
            name,
            f"no address for {codes}",
            f"`make run` uses its sandbox; the real one is named by {name.upper()}_BASE_URL and its keys.",
        )
    port = parts.port or (443 if parts.scheme == "https" else 80)
    kind = "sandbox" if parts.hostname in ("127.0.0.1", "localhost") else "provider"
    try:
        socket.create_connection((parts.hostname, port), timeout=TIMEOUT_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        fact = f"the {kind} at {parts.hostname}:{port} does not answer ({reason}); used by {codes}"
        return Finding(
            FAULT, name, fact, f"Nothing is lost meanwhile: {NIGHT}. Else check the address and the network."
        )
    return Finding(GOOD, name, f"the {kind} at {parts.hostname}:{port} takes connections; used by {codes}")


def _pushes(accounts: dict[str, dict[str, str]], *, demo: bool) -> Iterator[Finding]:
    """Whether browsers can be sent reminders; push services need no account, only a key and somebody to write to."""
    for code, values in sorted(accounts.items()):
        who = code.replace("*", "all others")
        if not values.get("private_key"):
            yield Finding(NOTE, "Pushes", f"none for {who}", "Set WEBPUSH_PRIVATE_KEY; see docs/operations.md.")
        elif values["contact"].endswith(".localhost") and not demo:
            yield Finding(FAULT, "Pushes", f"nobody to write to for {who}", "Set WEBPUSH_CONTACT to an e-mail address.")
        else:
            yield Finding(GOOD, "Pushes", f"a key, and {values['contact']} to write to; used by {who}")


# --- each institution's own accounts and money -----------------------------------------------------------------------


def _institutions(silent: Iterable[str]) -> Iterator[Finding]:
    """`silent`: providers of which it is known already that nobody is there."""
    import django
    from django.db import DatabaseError

    django.setup()
    from usance.apps.institutions import selectors as institutions

    try:
        known = institutions.all_institutions()
    except DatabaseError:
        return  # without tables there are none; the findings above say so
    for institution_id, _host in known:
        yield from _institution(institution_id, silent)


def _institution(institution_id: object, silent: Iterable[str]) -> Iterator[Finding]:
    from django.db import transaction

    from usance.apps.institutions import tenancy
    from usance.apps.payments import selectors as payments
    from usance.ports import clock, registry

    with tenancy.bound(institution_id):  # type: ignore[arg-type]
        with transaction.atomic():
            code = tenancy.current().code
            doubt = payments.doubt(at=clock.now())
        if "FONDY" not in silent:
            yield _speaks("Fondy", code, lambda: registry.payment_rail(code).is_alive())
        if "ESPUTNIK" not in silent:
            yield _speaks("Esputnik", code, lambda: registry.messenger(code).is_alive())
    if doubt.count:
        since = f"{doubt.since:%Y-%m-%d %H:%M} UTC" if doubt.since else "-"
        text = f"{doubt.count} orders of {code} wait for the provider's word, the oldest since {since}"
        yield Finding(NOTE, "money in doubt", text, f"It is asked about by itself and never sent twice: {NIGHT}.")


def _speaks(name: str, code: str, asked: Callable[[], bool]) -> Finding:
    """A harmless question in the provider's own protocol: what only takes connections would look well otherwise."""
    if asked():
        return Finding(GOOD, name, f"answers {code} in its own protocol, with the keys of {code}")
    return Finding(
        FAULT,
        name,
        f"takes connections, but does not answer {code} as agreed",
        f"It is down or slow, or the keys of {code} are wrong. Nothing is lost meanwhile: {NIGHT}.",
    )
