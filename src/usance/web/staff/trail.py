"""The audit trail: who did or saw what, and whether the chain of hashes still holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from usance.apps.access import selectors as access
from usance.apps.audit import selectors as trail
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.origination import selectors as applications
from usance.apps.servicing import selectors as servicing
from usance.ports import clock, queue
from usance.web import acts, pages, permits
from usance.web import components as ui
from usance.web import forms as house
from usance.web import words as common
from usance.web.staff import trail_words
from usance.web.staff.links import link
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats

SUBJECTS: Mapping[str, tuple[Any, str, str]] = {  # words, permission and page of the thing
    "access.user": (gettext_lazy("Person on the staff"), "user.view", "staff:person"),
    "access.role": (gettext_lazy("Role"), "user.view", "staff:role"),
    "access.rolegrant": (gettext_lazy("Role of a person"), "", ""),
    "agreements.document": (gettext_lazy("Paper"), "", ""),
    "audit.chain": (gettext_lazy("Audit trail"), "", ""),
    "customers.party": (gettext_lazy("Customer"), "customer.view", "staff:customer"),
    "decisioning.decision": (gettext_lazy("Decision of the rules"), "", ""),
    "decisioning.ruleversion": (gettext_lazy("Decision rules"), "rules.view", "staff:rule_version"),
    "decisioning.ruleset": (gettext_lazy("Decision rules"), "", ""),
    "desk.approval": (gettext_lazy("Change for two people"), "approval.view", "staff:approval"),
    "ledger.account": (gettext_lazy("Account"), "ledger.view", "staff:ledger_account"),
    "ledger.journalentry": (gettext_lazy("Journal entry"), "ledger.view", "staff:entry"),
    "ledger.period": (gettext_lazy("Period of the books"), "", ""),
    "messaging.message": (gettext_lazy("Message"), "message.view", "staff:message"),
    "origination.application": (gettext_lazy("Application"), "application.view", "staff:application"),
    "origination.offer": (gettext_lazy("Offer"), "", ""),
    "payments.instruction": (gettext_lazy("Order to a payment provider"), "payment.view", "staff:instruction"),
    "products.product": (gettext_lazy("Product"), "", ""),
    "products.productversion": (gettext_lazy("Product version"), "product.view", "staff:product_version"),
    "servicing.closerun": (gettext_lazy("Close"), "", ""),
    "servicing.loan": (gettext_lazy("Loan"), "loan.view", "staff:loan"),
}
AREAS: Mapping[str, Any] = {
    "personal.": gettext_lazy("Looks at personal data"),
    "access.": gettext_lazy("People, roles and sign-in"),
    "desk.": gettext_lazy("Changes for two people"),
    "customer.": gettext_lazy("Customers"),
    "consent.": gettext_lazy("Consents"),
    "decision.": gettext_lazy("Decisions"),
    "loan.": gettext_lazy("Loans"),
    "payments.": gettext_lazy("Payments"),
    "product.": gettext_lazy("Products"),
    "rules.": gettext_lazy("Decision rules"),
    "ledger.": gettext_lazy("Books"),
    "close.": gettext_lazy("Close of the day"),
}


class TrailForm(house.FilterForm):
    """What to narrow the trail by."""

    action = forms.ChoiceField(label=gettext_lazy("What"))
    actor = forms.ChoiceField(label=gettext_lazy("Who"))
    subject_type = forms.ChoiceField(label=gettext_lazy("About"))
    subject_id = forms.CharField(label=gettext_lazy("Its id"), max_length=64)
    since = forms.DateField(label=gettext_lazy("From"))
    until = forms.DateField(label=gettext_lazy("To"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = [("", _("All"))]
        kinds = [(f"kind:{code}", words) for code, words in common.ACTOR.items() if code != "staff"]
        staff = [(str(user.pk), user.name) for user in access.users()]
        known = sorted(acts.WORDS.items(), key=lambda item: str(item[1]))
        self._choose("action", [*everything, (_("Area"), list(AREAS.items())), (_("Act"), known)])
        self._choose("actor", [*everything, *kinds, (_("Staff"), [("kind:staff", _("anyone on the staff")), *staff])])
        self._choose("subject_type", [*everything, *((code, words) for code, (words, *_rest) in SUBJECTS.items())])

    def _choose(self, name: str, choices: list[Any]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


@permits.staff("audit.view")
@require_GET
def show(request: StaffRequest) -> HttpResponse:
    """The trail, newest first; a filter that is no choice is shown as an error and filters nothing."""
    form = TrailForm(request.GET)
    form.is_valid()
    page = pages.of(request, trail.search(**_asked(request, form.cleaned_data)))
    context = {
        "table": _table(request, page),
        "filters": form,
        "is_filtered": any(form.cleaned_data.values()) or bool(form.errors),
        "head": trail.head(),
        "verified": _outcome(trail.latest(trail.VERIFIED)),
        "is_asked": "asked" in request.GET,
        "may_verify": "audit.export" in request.permissions,
    }
    return render(request, "staff/trail/show.html", context)


def _asked(request: StaffRequest, given: Mapping[str, Any]) -> dict[str, Any]:
    """The filters as the trail knows them: days become instants of the institution's place."""

    def bound(day: date | None, which: int) -> Any:
        return institutions.bounds_of_day(request.institution, day)[which] if day else None

    who = given.get("actor") or ""
    kind = who.removeprefix("kind:") if who.startswith("kind:") else ""
    return {
        "action": given.get("action") or "",
        "actor_kind": kind,
        "actor_id": "" if kind else who,
        "subject_type": given.get("subject_type") or "",
        "subject_id": (given.get("subject_id") or "").strip(),
        "since": bound(given.get("since"), 0),
        "until": bound(given.get("until"), 1),
    }


def _table(request: StaffRequest, page: Any) -> ui.DataTable:
    rows = list(page.object_list)
    references = _references(rows)
    things = {code: words for code, (words, *_rest) in SUBJECTS.items()}
    names = access.names_of({row.actor_id for row in rows if row.actor_kind == "staff"})
    columns = [
        ui.Column("what", _("What")),
        ui.Column("at", _("When")),
        ui.Column("who", _("Who")),
        ui.Column("about", _("About")),
        ui.Column("details", _("Details")),
        ui.Column("day", _("Business date")),
    ]
    shown = [
        ui.Row(
            [
                acts.words(row.action),
                row.recorded_at,
                names.get(row.actor_id) or str(common.ACTOR.get(row.actor_kind, row.actor_kind)),
                _about(row, references),
                trail_words.details(row.details, currency=request.institution.currency, things=things),
                row.business_date,
            ],
            href=_page_of(request, row),
        )
        for row in rows
    ]
    empty = ui.Empty(_("Nothing fits"), _("Every act and every look at personal data is written here by itself."))
    query = {name: value for name, value in request.GET.items() if name not in ("page", "asked")}
    return ui.DataTable(_("Audit trail"), columns, shown, empty, page=page, query=query)


def _about(row: Any, references: Mapping[tuple[str, str], str]) -> str:
    words = SUBJECTS.get(row.subject_type, (row.subject_type,))[0]
    reference = references.get((row.subject_type, row.subject_id)) or row.subject_id[-8:]
    return f"{words} {reference}" if row.subject_id else str(words)


def _references(rows: list[Any]) -> dict[tuple[str, str], str]:
    """The numbers by which people know the loans, applications and customers of a page."""
    found: dict[tuple[str, str], str] = {}
    known: tuple[tuple[str, Any, str], ...] = (
        ("servicing.loan", servicing.loan_register(), "number"),
        ("origination.application", applications.applications(), "reference"),
        ("customers.party", customers.parties(), "reference"),
    )
    for kind, register, name in known:
        ids = {row.subject_id for row in rows if row.subject_type == kind}
        if ids:
            found |= {(kind, str(one.pk)): getattr(one, name) for one in register.filter(pk__in=ids)}
    return found


def _page_of(request: StaffRequest, row: Any) -> str:
    _words, permission, name = SUBJECTS.get(row.subject_type, ("", "", ""))
    try:
        return link(request, permission, name, UUID(row.subject_id)) if name else ""
    except ValueError:
        return ""


def _outcome(entry: Any) -> dict[str, Any] | None:
    """What the last verification found."""
    if entry is None:
        return None
    found = entry.details["differences"]
    links = ngettext("%(count)s link", "%(count)s links", entry.details["links"]) % {
        "count": formats.number(entry.details["links"])
    }
    return {
        "at": entry.recorded_at,
        "links": links,
        "is_whole": not found,
        "count": found,
        "first": entry.details["first"],
    }


@permits.staff("audit.export")
@require_POST
def verify(request: StaffRequest) -> HttpResponse:
    """Has the whole chain walked in the background; the page shows the outcome."""
    queue.enqueue("audit.verify", key=f"audit.verify:{clock.now():%Y-%m-%dT%H:%M}", asked_by=str(request.user.pk))
    messages.info(request, _("The chain is being verified. The outcome appears here in a moment."))
    return redirect("staff:trail")
