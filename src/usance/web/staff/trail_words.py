"""The details of the audit trail in words. What has none here is shown as it is written, so that nothing is hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from usance.apps.customers import consents, fields
from usance.apps.decisioning import reasons
from usance.web import components as ui
from usance.web import words
from usance.web.staff import vocabulary
from usance.web.templatetags import formats

LONGEST = 160
KEYS: Mapping[str, Any] = {
    "about": _("About"),
    "amount_minor": _("Amount"),
    "business_date": _("Business date"),
    "channel": _("Channel"),
    "code": _("Code"),
    "effective_on": _("Effective"),
    "expires_on": _("Until"),
    "factor": _("By"),
    "fields": _("Fields"),
    "from_on": _("From"),
    "key": _("Key"),
    "kind": _("Kind"),
    "language": _("Language"),
    "number": _("Version"),
    "org_path": _("Unit"),
    "outcome": _("Outcome"),
    "problems": _("Left out"),
    "purpose": _("Purpose"),
    "reason": pgettext_lazy("why something was done", "Reason"),
    "reasons": _("Reasons"),
    "role": _("Role"),
    "scheme": _("Scheme"),
    "scope": _("Reaches"),
    "source": _("Source"),
    "starts_on": _("In force from"),
    "version": _("Version"),
    "was": _("Before"),
}
SEEN: Mapping[str, Any] = {  # what a look at personal data names, besides the fields of a person
    "file": _("the file"),
    "instruction": _("the order"),
    "text": _("the words"),
    "to": _("the address"),
    "name": _("name"),
    "phone": _("phone"),
    "email": _("e-mail address"),
    "push": _("notifications"),
    "identity_number": _("identity number"),
}
FACTORS: Mapping[str, Any] = {
    "totp": _("authenticator app"),
    "passkey": _("passkey"),
    "recovery_code": _("recovery code"),
    "person": _("person"),
    "organisation": _("organisation"),
}
TABLES: tuple[Mapping[str, Any], ...] = (SEEN, FACTORS, words.INSTRUCTION_KIND, words.DOCUMENT, vocabulary.SOURCE)


def details(given: Mapping[str, Any], *, currency: str, things: Mapping[str, Any]) -> str:
    """The details in one line; what is long is cut. `things`: what kinds of things are called."""
    parts = [_part(key, value, currency, things) for key, value in given.items() if value not in ("", [], None)]
    text = " · ".join(parts)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _part(key: str, value: Any, currency: str, things: Mapping[str, Any]) -> str:
    if key == "fields":
        return ", ".join(seen(one) for one in value)
    shown = _money(value, currency) if key.endswith("_minor") else SHOWN.get(key, _plain)(value)
    kind, colon, what = str(value).partition(":")
    if colon and kind in things:  # "origination.application:01a2…": the end tells which
        shown = f"{things[kind]} {what[-8:]}"
    return f"{KEYS.get(key, key.replace('_', ' '))}: {shown}"


def seen(name: str) -> str:
    """What was looked at: a field of a person, or a part of a page."""
    if name in fields.FIELDS:
        return str(fields.FIELDS[name].label)
    return str(words.LOOKED.get(name) or SEEN.get(name, name.replace("_", " ")))


def _money(value: Any, currency: str) -> str:
    return formats.money(value, currency) if isinstance(value, int) else str(value)


def _day(value: Any) -> str:
    try:
        return formats.date_l(date.fromisoformat(value), "medium")
    except (TypeError, ValueError):
        return str(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    return str(next((table[value] for table in TABLES if value in table), value))


def _state(value: Any) -> str:
    return str(words.APPLICATION_STATE.get(value, (value,))[0])


def _purpose(value: Any) -> str:
    known = consents.PURPOSES.get(value)
    return str(known.label if known else vocabulary.MESSAGE_PURPOSE.get(value, value))


SHOWN: Mapping[str, Callable[[Any], str]] = {
    "business_date": _day,
    "effective_on": _day,
    "expires_on": _day,
    "from_on": _day,
    "starts_on": _day,
    "was": _state,
    "purpose": _purpose,
    "channel": lambda value: str(vocabulary.MESSAGE_CHANNEL.get(value, value)),
    "language": lambda value: ui.NAMES.get(value, (value,))[0],
    "outcome": lambda value: str(vocabulary.OUTCOME.get(value, (value,))[0]),
    "reasons": lambda value: "; ".join(str(reasons.staff_text(one)) for one in value),
}
