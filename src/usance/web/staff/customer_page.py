"""Everything that the page of one customer shows, by what this person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.access import selectors as access
from usance.apps.agreements import selectors as papers
from usance.apps.audit import selectors as trail
from usance.apps.audit import services as audit
from usance.apps.customers import authenticator, channels, consents, fields, selectors
from usance.apps.messaging import selectors as message_view
from usance.apps.origination import questions
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.web import components as ui
from usance.web import words
from usance.web.staff import case_checks, case_page, changes, clocks, masks, message_rows, protection_words, vocabulary
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats
from usance.workflows import customer_care

MOST = 10
CONTACT_KINDS = {"phone": gettext_lazy("Phone"), "email": gettext_lazy("E-mail"), "push": gettext_lazy("Notifications")}
PARTY = "customers.party"


def context(request: StaffRequest, party: Any) -> dict[str, Any]:
    """The customer's page; the trail gets the fields that were shown."""
    in_full = masks.wants_to_see(request)
    profile = selectors.profile(party.pk)
    contacts = selectors.contacts(party.pk)
    shown = {*profile.said, *(one.kind for one in contacts)} | (
        {"identity_number"} if profile.identity_number else set()
    )
    audit.viewed(subject=(PARTY, party.pk), actor=request.actor, fields=sorted(shown - set(masks.hidden(in_full))))
    blocks = customer_care.blocks_of(party_id=party.pk)
    held, moment = request.permissions, clocks.moment(request)
    return {
        "party": party,
        "name": masks.shown("family_name", profile.display_name, in_full=in_full) or party.reference,
        "in_full": in_full,
        "is_erased": profile.is_erased,
        "may_see": masks.may_see(request) and not profile.is_erased,
        "blocks": [_block(hit) for hit in blocks],
        "facts": [
            ui.SummaryRow(_("Customer number"), party.reference),
            ui.SummaryRow(_("Known since"), party.known_since),
            ui.SummaryRow(_("Language"), ui.NAMES.get(party.language, (party.language, ""))[0]),
            *_facts(request, profile, in_full=in_full),
        ],
        "changes": [
            (one, changes.KIND[one.kind], changes.state_of(one, moment)) for one in channels.changes_of(party.pk)[:MOST]
        ],
        "contacts": [_contact(one, in_full=in_full) for one in contacts],
        "loans": case_checks.loans_table(request, party.pk) if "loan.view" in held else None,
        "applications": _applications(request, party.pk) if "application.view" in held else None,
        "messages_table": _messages(request, party) if "message.view" in held else None,
        "documents": _documents(party.pk) if "document.view" in held else None,
        "cards": [_card(one, moment) for one in payments.all_cards_of(party.pk)] if "payment.view" in held else None,
        "consents": case_page.agreed(party.pk),
        **_history(request, party.pk),
        "may_edit": "customer.edit" in held and not profile.is_erased,
        "may_unlink_app": "customer.edit" in held and authenticator.is_linked(party.pk),
        "protected": protection_words.sentences(party.pk, request.institution.business_date),
        "protections": protection_words.shown(request, party.pk, in_full=in_full and not profile.is_erased),
        "may_protect": "customer.protect" in held and not profile.is_erased,
        "may_block": "customer.block" in held and not profile.is_erased,
        "may_erase": "customer.erase" in held and not profile.is_erased,
    }


def _block(hit: Any) -> str:
    kind = vocabulary.word(vocabulary.KNOWN_BY, hit.kind)
    return f"{kind}: {vocabulary.word(vocabulary.BLOCK_REASON, hit.reason)}"


# --- the person --------------------------------------------------------------------------------------------------


def _facts(request: StaffRequest, profile: Any, *, in_full: bool) -> Iterable[ui.SummaryRow]:
    """Each field with who said it, and everything that was said before."""
    if profile.identity_number:
        number = masks.shown("identity_number", profile.identity_number, in_full=in_full)
        yield ui.SummaryRow(_("Identity number"), number)
    for name, field in fields.FIELDS.items():
        history = profile.said.get(name)
        if history:
            notes = [_said(history[0]), *(_before(request, name, one, in_full=in_full) for one in history[1:4])]
            shown = fact_value(request, name, history[0].value, in_full=in_full)
            yield ui.SummaryRow(field.label, shown, note=" · ".join(notes))


def _said(one: Any) -> str:
    return f"{vocabulary.word(vocabulary.SOURCE, one.source)}, {formats.date_l(one.stated_at, 'medium')}"


def _before(request: StaffRequest, name: str, one: Any, *, in_full: bool) -> str:
    value = formats.any_value(fact_value(request, name, one.value, in_full=in_full))
    return _("before: %(value)s (%(day)s)") % {"value": value, "day": formats.date_l(one.stated_at, "medium")}


def fact_value(request: StaffRequest, name: str, value: Any, *, in_full: bool) -> Any:
    """A fact for people: money as money, a choice in words, what identifies somebody masked."""
    if fields.FIELDS[name].kind == "money":
        return ui.Money(value, request.institution.currency)
    question = questions.QUESTIONS.get(name)
    if question is not None and question.choices:
        return question.choices.get(value, value)
    return masks.shown(name, value, in_full=in_full)


def _contact(one: Any, *, in_full: bool) -> dict[str, Any]:
    if one.ended_at:
        state = ui.Tag(_("Ended"), "neutral")
    elif one.is_usable:
        state = ui.Tag(_("Confirmed"), "good")
    elif one.verified_at:
        state = ui.Tag(_("Unreachable"), "bad")
    else:
        state = ui.Tag(_("Not confirmed"), "warn")
    return {
        "kind": CONTACT_KINDS[one.kind],
        "value": masks.shown(one.kind, one.value, in_full=in_full and one.kind != "push"),
        "state": state,
        "since": one.recorded_at,
    }


# --- what we have with them --------------------------------------------------------------------------------------


def _applications(request: StaffRequest, party_id: Any) -> ui.DataTable:
    within = access.scope_filter(request.user, "application.view")
    found = applications.applications_of(party_id=party_id).filter(within)[:MOST]
    columns = [
        ui.Column("number", _("Application")),
        ui.Column("state", _("State")),
        ui.Column("amount", _("Amount"), numeric=True),
        ui.Column("product", _("Product")),
        ui.Column("on", _("Begun")),
    ]
    rows = [
        ui.Row(
            [
                one.reference,
                words.tag(words.APPLICATION_STATE, one.state),
                ui.Money(one.amount_minor, one.currency),
                one.product.name(request.LANGUAGE_CODE),
                one.started_on,
            ],
            href=reverse("staff:application", args=[one.pk]),
        )
        for one in found
    ]
    return ui.DataTable(_("Applications"), columns, rows, ui.Empty(_("No applications yet")))


def _messages(request: StaffRequest, party: Any) -> ui.DataTable:
    within = access.scope_filter(request.user, "message.view")
    found = list(message_view.messages(party_id=party.pk, within=within)[:MOST])
    return message_rows.table(found, {}, with_customer=False, empty=ui.Empty(_("No messages yet"), icon="mail"))


def _documents(party_id: Any) -> list[dict[str, Any]]:
    return [case_page.document(one, may=True) for one in papers.documents_of_party(party_id)[:MOST]]


def _card(one: Any, moment: Any) -> dict[str, Any]:
    states = {
        "active": ui.Tag(_("In use"), "good"),
        "dead": ui.Tag(_("No longer charged"), "bad"),
        "removed": ui.Tag(_("Removed"), "neutral"),
        "blocked": ui.Tag(_("Blocked: not linked by the customer"), "bad"),
    }
    waits = one.state == "active" and one.waits(moment)
    state = ui.Tag(_("No money to it yet"), "warn") if waits else states[one.state]
    return {"name": str(one), "state": state, "on": one.linked_at, "until": one.expires_on}


# --- who did what ------------------------------------------------------------------------------------------------


def _history(request: StaffRequest, party_id: Any) -> Mapping[str, Any]:
    """Who looked, and what was changed; names of colleagues, not of customers."""
    subject = (PARTY, party_id)
    looked = list(trail.who_looked(subject)[: MOST * 2])
    changed = list(trail.trail(subject).exclude(action=trail.VIEWED)[: MOST * 2])
    names = access.names_of({one.actor_id for one in (*looked, *changed) if one.actor_kind == "staff"})
    labels = {name: str(field.label) for name, field in fields.FIELDS.items()}
    labels |= {"phone": _("Phone"), "email": _("E-mail"), "identity_number": _("Identity number")}
    labels |= {"name": _("Name"), "push": _("Notifications")}
    labels |= {kind: str(words) for kind, words in vocabulary.PROTECTION.items()}

    def who(one: Any) -> Any:
        return names.get(one.actor_id, "") or vocabulary.actor(one.actor_kind)

    return {
        "looked": [
            ui.TimelineItem(who(one), one.recorded_at, body=_seen(one.details.get("fields", ()), labels), icon="eye")
            for one in looked
        ],
        "changed": [
            ui.TimelineItem(
                vocabulary.word(vocabulary.ACT, one.action),
                one.recorded_at,
                body=_what(one.details, labels),
                who=who(one),
            )
            for one in changed
        ],
    }


def _what(details: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """What an act was about, as far as the trail says: fields, a kind of contact, a consent."""
    told = [labels.get(code, code) for code in details.get("fields", ())]
    if details.get("kind") in labels:
        told.append(labels[details["kind"]])
    if details.get("purpose") in consents.PURPOSES:
        told.append(str(consents.PURPOSES[details["purpose"]].label))
    return ", ".join(told)


def _seen(codes: Iterable[str], labels: Mapping[str, str]) -> str:
    """What was seen: what identifies somebody by name, the rest as a number."""
    plain = [code for code in codes if code in masks.HIDDEN]
    told = [labels.get(code, code) for code in plain]
    return _("in full: %(fields)s") % {"fields": ", ".join(told)} if told else _("masked")
