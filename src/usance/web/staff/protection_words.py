"""Protected statuses in words: what each stops, which there were, what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from usance.apps.customers import protections
from usance.apps.servicing import selectors as loans
from usance.web import components as ui
from usance.web import law, words
from usance.web.staff import vocabulary
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats


def stopped(kind: str, on: date) -> str:
    """What a status stops on a day, for its card on the form."""
    names = [str(words) for code, words in law.STOPPED.items() if code in protections.stopped_by(kind, on)]
    return _("stops: %(what)s") % {"what": ", ".join(names)} if names else _("stops nothing")


def stopping(kind: str, on: date) -> str:
    """A status and what it stops on a day."""
    stopped = [str(words) for code, words in law.STOPPED.items() if code in protections.stopped_by(kind, on)]
    named = {"status": vocabulary.PROTECTION[kind], "what": ", ".join(stopped)}
    return _("%(status)s, which stops: %(what)s.") % named if stopped else _("%(status)s, which stops nothing.") % named


def shown(request: StaffRequest, party_id: UUID, *, in_full: bool) -> list[dict[str, Any]]:
    """Every status there was, for the customer's page."""
    today = request.institution.business_date
    return [
        {
            "row": row,
            "what": vocabulary.PROTECTION[row.kind],
            "state": _state(row, today),
            "is_open": row.withdrawn_at is None and (row.ends_on is None or row.ends_on > today),
            "evidence": protections.evidence_of(row) if in_full else "",
        }
        for row in protections.of_party(party_id)
    ]


def _state(row: Any, today: date) -> ui.Tag:
    if row.withdrawn_at:
        return ui.Tag(_("A mistake"), "neutral")
    if row.starts_on > today:
        return ui.Tag(_("To come"), "info")
    return ui.Tag(_("Over"), "neutral") if row.ends_on and row.ends_on <= today else ui.Tag(_("In force"), "warn")


def of_loan(loan_id: UUID, on: date) -> Sequence[str]:
    """The same of everybody who has a part in a loan; who is not its only borrower is named by the role."""
    people = list(loans.parties(loan_id=loan_id))
    return [
        sentence if len(people) == 1 else f"{words.PARTY_ROLE[one.role]}: {sentence}"
        for one in people
        for sentence in sentences(one.party_id, on)
    ]


def sentences(party_id: UUID, on: date) -> Sequence[str]:
    """What protects a person on a day, and what it stops."""
    return [
        f"{stopping(row.kind, on)} {_('Since %(day)s.') % {'day': formats.date_l(row.starts_on)}}"
        for row in protections.in_force(party_id, on)
    ]
