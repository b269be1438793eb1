"""Everything that the page of one application shows: evidence with its sources, clock, trace, history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usance.apps.access import selectors as access
from usance.apps.agreements import selectors as papers
from usance.apps.customers import consents, fields, vault
from usance.apps.decisioning import reasons
from usance.apps.desk import selectors as desk
from usance.apps.origination import questions, selectors, states
from usance.ports import clock
from usance.web import components as ui
from usance.web import words
from usance.web.staff import case_checks, case_trace, clocks, masks, vocabulary
from usance.web.staff.case_forms import GiveForm
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats
from usance.workflows import decide_application


def context(request: StaffRequest, row: Any, form: Any) -> dict[str, Any]:
    """The page of an application; the look, with what was shown, goes into the trail."""
    in_full = masks.wants_to_see(request)
    opened = decide_application.open_case(
        application_id=row.pk, reviewer=request.user, at=clock.now(), hidden=masks.hidden(in_full)
    )
    case, item = opened.case, opened.item
    steps = list(desk.history(item.pk)) if item else []
    names = access.names_of(_actors(case, steps))
    checks = case_checks.checks(request, case, in_full=in_full)
    return {
        "application": case.application,
        "form": form,
        "state": words.tag(words.APPLICATION_STATE, case.application.state),
        "clock": clocks.badge(opened.clock) if item and item.state != "done" else None,
        "in_full": in_full,
        "may_see": masks.may_see(request) and not case.profile.is_erased,
        "is_erased": case.profile.is_erased,
        "person": person(case, in_full=in_full),
        "facts": facts(case, in_full=in_full),
        "facts_source": usual_source(case),
        "wish": wish(request, case),
        "checks": checks,
        "decision": decision(case),
        "offers": offers(case),
        "reviews": reviews(case, names),
        "question": opened_text(lambda: str(row.question)),
        "documents": documents(request, row.pk),
        "consents": agreed(case.application.party_id),
        "timeline": timeline(case, steps, names),
        **standing(request, case, item, names),
    }


def standing(request: StaffRequest, case: Any, item: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Who has the case, and what this person may do with it."""
    held = request.permissions
    is_open = item is not None and item.state == "open"
    is_mine = is_open and item.owner_id == request.user.pk
    is_own = selectors.entered_by(case.application) == str(request.user.pk)
    may_decide = {"application.decide", "desk.work"} <= held
    referred = case.application.state == states.REFERRED
    may_give = is_open and "desk.supervise" in held
    return {
        "item": item,
        "is_mine": is_mine,
        "is_own": is_own and referred,
        "owner": item.owner.name if item is not None and item.owner_id and item.state != "done" else "",
        "taken_at": item.taken_at if is_mine else None,
        "may_take": is_open and referred and may_decide and not item.owner_id and not is_own,
        "may_decide": is_mine and referred and may_decide and not is_own,
        "may_next": may_decide,
        "give_form": GiveForm(people=access.holders_of("application.decide")) if may_give else None,
    }


def _actors(case: Any, steps: Iterable[Any]) -> set[str]:
    found = {str(one.reviewer_id) for one in case.reviews}
    found |= {one.actor_id for one in case.transitions if one.actor_kind == "staff"}
    return found | {one.actor_id for one in steps if one.actor_kind == "staff"}


def opened_text(read: Callable[[], str]) -> str:
    """Sealed words, or nothing where the person was erased."""
    try:
        return read()
    except vault.PersonErased:
        return ""


# --- who and what ------------------------------------------------------------------------------------------------


def person(case: Any, *, in_full: bool) -> list[ui.SummaryRow]:
    """Who applies: name and phone as known to us, and the way to the customer's page."""
    profile = case.profile
    address = reverse("staff:customer", args=[profile.party_id])
    name = masks.shown("family_name", profile.display_name, in_full=in_full)
    return [
        ui.SummaryRow(_("Name"), name, href=address, action=_("Open")),
        ui.SummaryRow(_("Phone"), masks.shown("phone", profile.phone, in_full=in_full)),
        ui.SummaryRow(_("Customer number"), profile.reference),
    ]


def facts(case: Any, *, in_full: bool) -> list[ui.SummaryRow]:
    """Each answer with who said it and when, and what was said before where that differs."""
    usual = usual_source(case)
    rows = []
    for line in case.lines:
        label = fields.FIELDS[line.question].label if line.question in fields.FIELDS else line.label
        note = source(line, case, in_full=in_full)
        shown = note.removeprefix(usual).removeprefix(" · ") if usual else note
        rows.append(ui.SummaryRow(label, value(line, case, in_full=in_full), note=shown))
    return rows


def said(line: Any) -> str:
    return f"{vocabulary.word(vocabulary.SOURCE, line.source)} · {formats.date_l(line.stated_at, 'medium')}"


def usual_source(case: Any) -> str:
    """Who said most of it and when: told once, and at a line only where it differs."""
    known = Counter(said(line) for line in case.lines)
    words, count = known.most_common(1)[0] if known else ("", 0)
    return words if count > 2 else ""


def value(line: Any, case: Any, *, in_full: bool) -> Any:
    if questions.QUESTIONS[line.question].kind == "money":
        return ui.Money(line.value, case.application.currency)
    return masks.shown(line.question, line.value, in_full=in_full)


def source(line: Any, case: Any, *, in_full: bool) -> str:
    words = said(line)
    history = case.profile.said.get(line.question, [])
    if len(history) < 2 or history[1].value == history[0].value:
        return words
    before = history[1].value
    if questions.QUESTIONS[line.question].kind == "money":
        before = ui.Money(before, case.application.currency)
    before = formats.any_value(masks.shown(line.question, before, in_full=in_full))
    return f"{words} · " + _("before: %(value)s (%(day)s)") % {
        "value": before,
        "day": formats.date_l(history[1].stated_at, "medium"),
    }


def wish(request: StaffRequest, case: Any) -> list[ui.SummaryRow]:
    """What is asked for, and how the applicant came to us."""
    row = case.application
    came = [vocabulary.word(vocabulary.CHANNEL, row.channel), *row.source.values()]
    rows = [
        ui.SummaryRow(_("Amount"), ui.Money(row.amount_minor, row.currency)),
        ui.SummaryRow(_("Product"), row.product.name(request.LANGUAGE_CODE), note=_term(row)),
        ui.SummaryRow(_("Customer"), vocabulary.word(vocabulary.KIND, row.customer_kind)),
        ui.SummaryRow(_("Sent"), row.submitted_at),
        ui.SummaryRow(_("Came by"), " · ".join(str(part) for part in came)),
    ]
    if case.decision is not None and case.decision.inputs.get("instalment_minor") is not None:
        rows.insert(
            2,
            ui.SummaryRow(
                _("Heaviest month's payments"),
                ui.Money(case.decision.inputs["instalment_minor"], row.currency),
                note=_share(case.decision.inputs.get("instalment_share_percent")),
            ),
        )
    return rows


def _term(row: Any) -> str:
    if row.product.kind == "single_payment":
        return formats.days(row.term)
    return ngettext("%(count)s payment", "%(count)s payments", row.term) % {"count": row.term}


def _share(percent: int | None) -> str:
    return "" if percent is None else _("%(percent)s %% of the income, other loans counted") % {"percent": percent}


# --- what was decided --------------------------------------------------------------------------------------------


def decision(case: Any) -> dict[str, Any] | None:
    """What the rules said last: outcome, reasons, version, and the trace of the rows that were hit."""
    made = case.decision
    if made is None:
        return None
    currency = case.application.currency
    version = made.rule_version
    return {
        "outcome": words.tag(vocabulary.OUTCOME, made.outcome),
        "reasons": [reasons.staff_text(code) for code in made.reasons],
        "limit": ui.Money(made.limit_minor, currency) if made.limit_minor is not None else None,
        "version": _("%(name)s, version %(number)s") % {"name": version.rule_set.name, "number": version.number},
        "at": made.decided_at,
        "steps": case_trace.steps(made, currency),
        "facts": case_trace.facts(made, currency),
    }


def offers(case: Any) -> list[dict[str, Any]]:
    currency = case.application.currency
    return [
        {
            "amount": ui.Money(one.amount_minor, currency),
            "state": words.tag(vocabulary.OFFER, one.state),
            "made_at": one.made_at,
            "expires_on": one.expires_on,
        }
        for one in case.offers
    ]


def reviews(case: Any, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What people decided, why, and how long they looked."""
    currency = case.application.currency
    return [
        {
            "verdict": words.tag(vocabulary.VERDICT, one.outcome),
            "who": names.get(str(one.reviewer_id), ""),
            "at": one.made_at,
            "reasons": [reasons.staff_text(code) for code in one.reasons],
            "amount": ui.Money(one.amount_minor, currency) if one.amount_minor is not None else None,
            "note": opened_text(lambda one=one: selectors.review_note(one)),  # type: ignore[misc]
            "looked": _looked(one.seconds),
        }
        for one in case.reviews
    ]


def _looked(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return ngettext("looked for %(count)s second", "looked for %(count)s seconds", seconds) % {"count": seconds}
    return _("looked for %(time)s") % {"time": formats.minutes(seconds // 60)}


def documents(request: StaffRequest, subject_id: UUID) -> list[dict[str, Any]]:
    """Papers about the application; the file for whoever may see documents."""
    may = "document.view" in request.permissions
    return [document(one, may=may) for one in papers.documents_of(subject_id)]


def document(one: Any, *, may: bool) -> dict[str, Any]:
    return {
        "name": f"{vocabulary.word(words.DOCUMENT, one.kind)} {one.reference}",
        "state": words.tag(words.DOCUMENT_STATE, one.state),
        "on": one.issued_on,
        "href": reverse("staff:customer_document", args=[one.pk]) if may and one.state != "ordered" else "",
    }


def agreed(party_id: UUID) -> list[dict[str, Any]]:
    """Consents and mandates of the applicant with their wording."""
    return [
        {
            "id": one.pk,
            "label": consents.PURPOSES[one.purpose].label if one.purpose in consents.PURPOSES else one.purpose,
            "text": one.text,
            "given_at": one.given_at,
            "withdrawn_at": one.withdrawn_at,
            "state": ui.Tag(_("Withdrawn"), "warn") if one.withdrawn_at else ui.Tag(_("Given"), "good"),
        }
        for one in consents.consents_of(party_id)
    ]


# --- what happened -----------------------------------------------------------------------------------------------

ACTS: dict[str, tuple[str, ui.Tone]] = {
    "taken": ("person", "info"),
    "assigned": ("people", "info"),
    "released": ("back", "neutral"),
    "woken": ("bell", "warn"),
}
TONE_ICON = {"good": "check", "bad": "alert", "warn": "clock", "info": "dot", "brand": "check", "neutral": "dot"}


def timeline(case: Any, steps: Iterable[Any], names: Mapping[str, str]) -> list[ui.TimelineItem]:
    """States and the hands that the case went through, newest first."""
    told = {
        "taken": _("Case taken"),
        "assigned": _("Case given to somebody"),
        "released": _("Case put back"),
        "woken": _("Back in the queue: nobody answered"),
    }
    items = [
        ui.TimelineItem(
            told[one.act], one.at, who=names.get(one.actor_id, ""), icon=ACTS[one.act][0], tone=ACTS[one.act][1]
        )
        for one in steps
        if one.act in told
    ]
    for one in case.transitions:
        if one.to_state == states.DECIDING:
            continue  # a moment between being sent and being decided
        tone = words.tag(words.APPLICATION_STATE, one.to_state).tone
        said = vocabulary.PASSED.get((one.from_state, one.to_state)) or vocabulary.CAME_TO[one.to_state]
        who = names.get(one.actor_id, "") or vocabulary.actor(one.actor_kind)
        why = "; ".join(reasons.staff_text(code) for code in one.reasons)
        items.append(ui.TimelineItem(said, one.at, body=why, who=who, tone=tone, icon=TONE_ICON[tone]))
    return sorted(items, key=lambda item: item.when)[::-1]  # type: ignore[arg-type, return-value]
