"""Decision rules and their versions, as tables to read; new versions are pasted, proposed, published by two people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from usance.apps.access import selectors as access
from usance.apps.decisioning import reasons, selectors
from usance.apps.decisioning import services as decisioning
from usance.apps.desk import selectors as desk
from usance.web import components as ui
from usance.web import forms as house
from usance.web import permits
from usance.web.staff import clocks, vocabulary
from usance.web.staff.links import link
from usance.web.staff.products import ProposeForm
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent

STATES = {
    "draft": ui.Tag(gettext_lazy("Draft"), "neutral"),
    "proposed": ui.Tag(gettext_lazy("Waits for a second person"), "warn"),
    "published": ui.Tag(gettext_lazy("Published"), "good"),
}
NODES: Mapping[str, Any] = {
    "inputNode": gettext_lazy("What is known"),
    "outputNode": gettext_lazy("The answer"),
    "decisionTableNode": gettext_lazy("Table"),
    "expressionNode": gettext_lazy("Formulas"),
    "switchNode": gettext_lazy("Branch"),
}
HIT_POLICY = {
    "collect": gettext_lazy("every row that fits counts"),
    "first": gettext_lazy("the first row that fits counts"),
}
HEADS: Mapping[str, Any] = {  # what a table answers with
    "code": pgettext_lazy("why something was done", "Reason"),
    "points": gettext_lazy("Points"),
    "outcome": gettext_lazy("Outcome"),
    "reasons": gettext_lazy("Reasons"),
    "limit_percent": gettext_lazy("Limit, % of the amount"),
}


class RulesForm(house.Form):
    """A whole rule set as JDM text."""

    note = forms.CharField(label=gettext_lazy("What is this version for?"), max_length=300)
    content = forms.CharField(
        label=gettext_lazy("The rules as text"),
        help_text=gettext_lazy("JSON in the decision model of GoRules (JDM)."),
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "u-mono"}),
    )

    def clean_content(self) -> Mapping[str, Any]:
        try:
            found = json.loads(self.cleaned_data["content"])
        except ValueError as problem:
            raise forms.ValidationError(_("This is not JSON: %(why)s") % {"why": problem}) from None
        if not isinstance(found, dict):
            raise forms.ValidationError(_("The rules must be one JSON object with nodes and edges."))
        return found


@permits.staff("rules.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Every rule set with its versions, the newest first."""
    on: date = request.institution.business_date
    versions: dict[UUID, list[Any]] = {}
    for row in selectors.all_versions():
        versions.setdefault(row.rule_set_id, []).append(row)
    names = access.names_of({row.made_by for rows in versions.values() for row in rows if row.made_by})
    cards = [(row, _table(versions.get(row.pk, []), names, on)) for row in selectors.rule_sets()]
    return render(request, "staff/rules/index.html", {"cards": cards})


def _in_force(rows: list[Any], on: date) -> Any:
    """The version that decides on a day, of the versions of one rule set."""
    begun = [row for row in rows if row.state == "published" and row.starts_on <= on]
    return max(begun, key=lambda row: (row.starts_on, row.number), default=None)


def _state(row: Any, ruling: Any, on: date) -> ui.Tag:
    if row.state != "published":
        return STATES[row.state]
    if row == ruling:
        return ui.Tag(_("In force"), "good")
    return ui.Tag(_("Planned"), "info") if row.starts_on > on else ui.Tag(_("Ended"), "neutral")


def _table(rows: list[Any], names: dict[str, str], on: date) -> ui.DataTable:
    columns = [
        ui.Column("number", _("Version")),
        ui.Column("state", _("State")),
        ui.Column("since", _("From")),
        ui.Column("by", _("Drafted by")),
        ui.Column("note", _("Note")),
    ]
    ruling = _in_force(rows, on)
    shown = [
        ui.Row(
            [
                _("Version %(number)s") % {"number": row.number},
                _state(row, ruling, on),
                row.starts_on,
                names.get(str(row.made_by), ""),
                row.note,
            ],
            href=reverse("staff:rule_version", args=[row.pk]),
            state="now" if row == ruling else "",
        )
        for row in rows
    ]
    return ui.DataTable(_("Versions"), columns, shown, ui.Empty(_("No version yet")))


def _version(version_id: UUID) -> Any:
    try:
        return selectors.version(version_id=version_id)
    except ObjectDoesNotExist:
        raise Http404 from None


@permits.staff("rules.view")
@require_GET
def version(request: StaffRequest, rule_version_id: UUID) -> HttpResponse:
    """One version: its tables and formulas in the order of the graph."""
    row = _version(rule_version_id)
    on: date = request.institution.business_date
    waiting = desk.open_approval(decisioning.APPROVAL, row.pk)
    is_draft = row.state == "draft" or (row.state == "proposed" and waiting is None)
    ruling = _in_force(list(selectors.versions_of(rule_set=row.rule_set.code)), on)
    names = access.names_of({row.made_by, row.published_by} - {None})
    facts = [
        ui.SummaryRow(_("In force from"), row.starts_on),
        ui.SummaryRow(_("Drafted by"), names.get(str(row.made_by), "")),
        ui.SummaryRow(_("Published by"), names.get(str(row.published_by), "")),
        ui.SummaryRow(_("Note"), row.note),
        ui.SummaryRow(_("Seal"), f"{row.content_hash[:16]}…", note=_("each decision names it")),
    ]
    may_edit = "rules.edit" in request.permissions
    context = {
        "version": row,
        "state": STATES["draft"] if is_draft else _state(row, ruling, on),
        "facts": [fact for fact in facts if fact.value],
        "nodes": [_node(node) for node in row.content.get("nodes", [])],
        "may_propose": may_edit and is_draft,
        "may_draft": may_edit,
        "waiting": waiting,
        "waiting_url": link(request, "approval.view", "staff:approval", waiting.pk) if waiting else "",
        "crumbs": [ui.Crumb(_("Decision rules"), reverse("staff:rules"))],
    }
    return render(request, "staff/rules/version.html", context)


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node for the page: its name, what it is, and a table where it has one."""
    content = node.get("content") or {}
    made: dict[str, Any] = {"name": node.get("name", ""), "kind": NODES.get(node["type"], node["type"]), "table": None}
    if node["type"] == "decisionTableNode":
        made["table"] = _decision_table(node.get("name", ""), content)
        made["hint"] = HIT_POLICY.get(content.get("hitPolicy", ""), "")
    elif content.get("expressions"):
        columns = [ui.Column("key", pgettext("of a thing", "Name")), ui.Column("value", _("Formula"))]
        rows = [ui.Row([one.get("key", ""), one.get("value", "")]) for one in content["expressions"]]
        made["table"] = ui.DataTable(node.get("name", ""), columns, rows, ui.Empty(_("No formula")))
    elif content.get("statements"):
        columns = [ui.Column("when", _("When"))]
        rows = [ui.Row([one.get("condition") or _("otherwise")]) for one in content["statements"]]
        made["table"] = ui.DataTable(node.get("name", ""), columns, rows, ui.Empty(_("No branch")))
    return made


def _decision_table(name: str, content: Mapping[str, Any]) -> ui.DataTable:
    inputs, outputs = content.get("inputs", []), content.get("outputs", [])
    columns = [
        ui.Column(one["id"], HEADS.get(name := one.get("name") or one.get("field") or "", name))
        for one in [*inputs, *outputs]
    ]
    rows = []
    for rule in content.get("rules", []):
        conditions = [rule.get(one["id"]) or _("anything") for one in inputs]
        answers = [_answer(str(rule.get(one["id"]) or "")) for one in outputs]
        rows.append(ui.Row([*conditions, *answers]))
    return ui.DataTable(name, columns, rows, ui.Empty(_("No row")))


def _answer(text: str) -> str:
    """A reason's code with its words; anything else as it stands."""
    if text == "null":
        return ""
    code = text.strip('"')
    if not (text.startswith('"') and code.isidentifier()):
        return text
    if code in vocabulary.OUTCOME:
        return str(vocabulary.OUTCOME[code][0])
    words = str(vocabulary.RULE_ROW.get(code) or reasons.staff_text(code))
    return f"{words} ({code})" if words != code else code


@permits.staff("rules.edit")
@require_http_methods(["GET", "POST"])
def draft(request: StaffRequest, rule_version_id: UUID) -> HttpResponse:
    """A new version from this one: every expression is checked before it is kept."""
    row = _version(rule_version_id)

    def submit(form: RulesForm) -> HttpResponse:
        made = decisioning.store_version(
            rule_set=row.rule_set.code,
            content=form.cleaned_data["content"],
            note=form.cleaned_data["note"],
            actor=request.actor,
            made_by=request.user.pk,
        )
        messages.success(request, _("The draft is kept. Read it as tables, then propose it."))
        return redirect("staff:rule_version", rule_version_id=made.pk)

    text = json.dumps(row.content, indent=1, ensure_ascii=False)
    form = RulesForm(sent(request), initial={"content": text})
    back = reverse("staff:rule_version", args=[row.pk])
    return answer(request, "staff/rules/draft.html", form, submit, field="content", version=row, back=back)


@permits.staff("rules.edit")
@require_http_methods(["GET", "POST"])
def propose(request: StaffRequest, rule_version_id: UUID) -> HttpResponse:
    """Asks a second person to put a draft in force."""
    row = _version(rule_version_id)

    def submit(form: ProposeForm) -> HttpResponse:
        decisioning.propose_rules(
            version_id=row.pk,
            starts_on=form.cleaned_data["starts_on"],
            reason=form.cleaned_data["reason"],
            maker=request.user,
            at=clocks.moment(request),
        )
        messages.success(request, _("Proposed: the rules decide when a second person agrees."))
        return redirect("staff:rule_version", rule_version_id=row.pk)

    on: date = request.institution.business_date
    form = ProposeForm(sent(request), initial={"starts_on": on + timedelta(days=1)})
    back = reverse("staff:rule_version", args=[row.pk])
    return answer(request, "staff/rules/propose.html", form, submit, field="starts_on", version=row, back=back)
