"""Messages to customers: the register, and one of them. Reading its words is in the trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.customers import selectors as customers
from usance.apps.customers import vault
from usance.apps.messaging import selectors
from usance.apps.messaging import services as messaging
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits, words
from usance.web.staff import masks, message_rows, vocabulary
from usance.web.staff.request import StaffRequest

VIEWS = {
    "": (gettext_lazy("All"), ()),
    "failed": (gettext_lazy("Did not arrive"), ("failed", "unknown")),
    "waiting": (gettext_lazy("On their way"), ("held", "queued", "sending", "sent")),
    "refused": (gettext_lazy("Not allowed"), ("refused",)),
}
READ = "read"


class RegisterForm(house.FilterForm):
    """The register's filters."""

    state = forms.ChoiceField(label=gettext_lazy("State"))
    template = forms.ChoiceField(label=gettext_lazy("Message"))
    channel = forms.ChoiceField(label=gettext_lazy("By"))
    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput)
    until = forms.DateField(label=gettext_lazy("Until"), widget=forms.DateInput)
    party = forms.UUIDField(widget=forms.HiddenInput)
    view = forms.CharField(widget=forms.HiddenInput, max_length=20)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = [("", _("All"))]
        states = [(code, name) for code, (name, _tone) in words.MESSAGE_STATE.items()]
        self.fields["state"].choices = everything + states  # type: ignore[attr-defined]
        self.fields["template"].choices = everything + list(vocabulary.MESSAGE.items())  # type: ignore[attr-defined]
        self.fields["channel"].choices = everything + list(vocabulary.MESSAGE_CHANNEL.items())  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


@permits.staff("message.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Every message of this person's scope, newest first, without a word of what it says."""
    form = RegisterForm(request.GET)
    asked = form.asked()
    view = asked["view"] if asked["view"] in VIEWS else ""
    found = _found(asked, view, access.scope_filter(request.user, "message.view"))
    page = pages.of(request, found)
    rows = list(page.object_list)
    people = customers.summaries(row.party_id for row in rows if row.party_id)
    empty = (
        ui.Empty(_("Nothing fits"), _("Take a filter away."), reverse("staff:messages"), _("Clear"), icon="mail")
        if any(asked.values())
        else ui.Empty(_("No messages yet"), _("They appear here when something is told to a customer."), icon="mail")
    )
    context = {
        "table": message_rows.table(rows, people, empty=empty, page=page, query=asked),
        "views": [ui.Tab(name, f"?view={code}", current=code == view) for code, (name, _states) in VIEWS.items()],
        "filters": form,
        "form": form,
        "is_filtered": any(value for name, value in asked.items() if name != "view") or bool(form.errors),
        "person": _person(request, asked["party"]),
    }
    return render(request, "staff/messages/index.html", context)


def _found(asked: dict[str, Any], view: str, within: Any) -> Any:
    found = selectors.messages(within=within, **({"party_id": asked["party"]} if asked["party"] else {}))
    if VIEWS[view][1]:
        found = found.filter(state__in=VIEWS[view][1])
    for name in ("state", "template", "channel"):
        if asked[name]:
            found = found.filter(**{name: asked[name]})
    if asked["since"]:
        found = found.filter(contact_on__gte=asked["since"])
    if asked["until"]:
        found = found.filter(contact_on__lt=asked["until"] + timedelta(days=1))
    return found


def _person(request: StaffRequest, party_id: Any) -> dict[str, str] | None:
    """The customer to whom the register is narrowed, if this person may see them."""
    if not party_id:
        return None
    within = access.scope_filter(request.user, "customer.view")
    if not customers.parties(within).filter(pk=party_id).exists():
        return None
    known = customers.summaries([party_id])[party_id]
    return {"name": known.name or known.reference, "href": reverse("staff:customer", args=[party_id])}


@permits.staff("message.view")
@require_GET
def show(request: StaffRequest, message_id: UUID) -> HttpResponse:
    """One message: how it went; its words for whoever asks to read them, which the trail keeps."""
    within = access.scope_filter(request.user, "message.view")
    try:
        row = selectors.messages(within=within).get(pk=message_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    people = customers.summaries([row.party_id]) if row.party_id else {}
    context = {
        "message": row,
        "title": vocabulary.word(vocabulary.MESSAGE, row.template),
        "state": words.tag(words.MESSAGE_STATE, row.state),
        "facts": _facts(row, people.get(row.party_id) if row.party_id else None),
        **_words(request, row),
    }
    return render(request, "staff/messages/show.html", context)


def _facts(row: Any, known: Any) -> list[ui.SummaryRow]:
    to = (known.name or known.reference) if known else _("Not a customer yet")
    facts = [
        ui.SummaryRow(
            pgettext("recipient", "To"),
            to,
            href=reverse("staff:customer", args=[row.party_id]) if known else "",
            action=_("Open"),
        ),
        ui.SummaryRow(_("By"), vocabulary.word(vocabulary.MESSAGE_CHANNEL, row.channel)),
        ui.SummaryRow(_("Purpose"), vocabulary.word(vocabulary.MESSAGE_PURPOSE, row.purpose)),
        ui.SummaryRow(_("Language"), ui.NAMES.get(row.language, (row.language, ""))[0]),
        ui.SummaryRow(_("Wording"), _("version %(number)s") % {"number": row.version}),
        ui.SummaryRow(_("When, in business time"), row.moment),
    ]
    if row.reason:
        facts.insert(1, ui.SummaryRow(_("Why"), vocabulary.word(vocabulary.MESSAGE_REASON, row.reason)))
    if row.held_until:
        facts.append(ui.SummaryRow(_("Held until"), row.held_until))
    if row.sent_at:
        facts.append(ui.SummaryRow(_("Handed to the provider"), row.sent_at))
    if row.settled_at:
        facts.append(ui.SummaryRow(_("Outcome known"), row.settled_at))
    if row.reference:
        facts.append(ui.SummaryRow(_("Provider's number"), f"{row.provider} {row.reference}"))
    return facts


def _words(request: StaffRequest, row: Any) -> dict[str, Any]:
    if request.GET.get(READ) != "1":
        return {"opened": None, "gone": False}
    try:
        opened = messaging.read(message_id=row.pk, actor=request.actor)
    except vault.PersonErased:
        return {"opened": None, "gone": True}
    kind = {"email": "email", "push": "push"}.get(row.channel, "phone")
    to = masks.shown(kind, opened.to, in_full=masks.may_see(request) and kind != "push")
    return {"opened": opened, "opened_to": to, "gone": False}
