"""Portfolios from other systems: files are handed in and checked, a second person agrees, all comes in or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors as access
from usance.apps.desk import selectors as desk
from usance.apps.imports import selectors, services
from usance.core.refusals import Refusal
from usance.web import components as ui
from usance.web import files as away
from usance.web import forms as house
from usance.web import pages, permits, refusals, widgets, words
from usance.web.staff import clocks
from usance.web.staff.links import link
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.web.templatetags import formats
from usance.workflows import import_portfolio
from usance.workflows.import_portfolio import formats as columns_of
from usance.workflows.import_portfolio.problems import sentence

LARGEST = 50_000_000
MOST_FILES = 20
SHOWN = 100
STATES: Mapping[str, ui.Tag] = {
    "checking": ui.Tag(gettext_lazy("Being checked"), "info"),
    "bad": ui.Tag(gettext_lazy("Lines are wrong"), "bad"),
    "checked": ui.Tag(gettext_lazy("Can come in"), "good"),
    "taking": ui.Tag(gettext_lazy("Coming in"), "info"),
    "taken": ui.Tag(gettext_lazy("Is in"), "good"),
    "stopped": ui.Tag(gettext_lazy("Given up"), "neutral"),
}


class SeveralFiles(widgets.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(FilesField, self).clean(one, initial) for one in data or [None]]


class HandInForm(house.Form):
    uploads = FilesField(
        label=gettext_lazy("The files"),
        help_text=gettext_lazy("CSV in UTF-8, one file or several at once: customers, loans, schedules, events."),
        widget=SeveralFiles(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_uploads(self) -> list[Any]:
        found: list[Any] = self.cleaned_data["uploads"]
        if len(found) > MOST_FILES or sum(one.size for one in found) > LARGEST:
            raise forms.ValidationError(
                _(
                    "At most %(count)s files of %(size)s MB in all. Split the portfolio and hand it in by several "
                    "imports."
                )
                % {"count": MOST_FILES, "size": LARGEST // 1_000_000}
            )
        return found


class ProposeForm(house.Form):
    reason = forms.CharField(
        label=gettext_lazy("What the second person should know"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@permits.staff("loan.view_imports")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Every import, newest first."""
    page = pages.of(request, selectors.imports())
    rows = list(page.object_list)
    names = access.names_of({row.asked_by for row in rows})
    columns = [
        ui.Column("when", _("Handed in")),
        ui.Column("who", _("By")),
        ui.Column("state", _("State")),
        ui.Column("loans", _("Loans"), numeric=True),
        ui.Column("wrong", _("Wrong lines"), numeric=True),
    ]
    shown = [
        ui.Row(
            [row.recorded_at, names.get(row.asked_by, row.asked_by), STATES[row.state], row.summary.get("loans", ""),
             row.problem_count or ""],
            href=reverse("staff:import", args=[row.pk]),
        )
        for row in rows
    ]  # fmt: skip
    may_import = "loan.import" in request.permissions
    empty = ui.Empty(
        _("No portfolio has come in"),
        _("Customers and loans of another system come in by CSV files, checked line by line, all or none."),
        href=reverse("staff:hand_in") if may_import else "",
        action=_("Hand in files"),
    )
    table = ui.DataTable(_("Imports"), columns, shown, empty, page=page)
    return render(request, "staff/imports/index.html", {"table": table, "may_import": may_import})


@permits.staff("loan.import")
@require_http_methods(["GET", "POST"])
def hand_in(request: StaffRequest) -> HttpResponse:
    """Files to be checked, and the templates that they are made by."""

    def submit(form: HandInForm) -> HttpResponse:
        found = [selectors.File(one.name, one.read()) for one in form.cleaned_data["uploads"]]
        row = import_portfolio.hand_in(files=found, user=request.user)
        return redirect("staff:import", row.pk)

    form = HandInForm(sent(request), request.FILES or None)
    templates = [(columns_of.TITLES[kind], reverse("staff:import_template", args=[kind])) for kind in columns_of.KINDS]
    return answer(request, "staff/imports/hand_in.html", form, submit, field="uploads", crumbs=_crumbs(),
                  templates=templates)  # fmt: skip


@permits.staff("loan.import")
@require_GET
def template(request: StaffRequest, kind: str) -> HttpResponse:
    """A file with the columns of its kind."""
    if kind not in columns_of.KINDS:
        raise Http404
    return away.attachment(
        b"\xef\xbb\xbf" + columns_of.template(kind).encode(), name=f"{kind}.csv", kind="text/csv; charset=utf-8"
    )


@permits.staff("loan.view_imports")
@require_GET
def show(request: StaffRequest, import_id: UUID) -> HttpResponse:
    """One import: how far it is, what is wrong, what would come in or has."""
    return _page(request, _found(import_id), ProposeForm())


@permits.staff("loan.import")
@require_POST
def propose(request: StaffRequest, import_id: UUID) -> HttpResponse:
    """Asks a second person."""
    row, form = _found(import_id), ProposeForm(request.POST)
    if form.is_valid():
        try:
            import_portfolio.propose(
                import_id=row.pk, maker=request.user, at=clocks.moment(request), reason=form.cleaned_data["reason"]
            )
        except Refusal as refusal:
            form.add_error(None, refusals.sentence(refusal))
        else:
            messages.success(request, _("Proposed: it comes in when a second person agrees."))
            return redirect("staff:import", row.pk)
    return _page(request, _found(import_id), form, status=422)


@permits.staff("loan.import")
@require_POST
def stop(request: StaffRequest, import_id: UUID) -> HttpResponse:
    """Gives an import up before it came in."""
    services.stop(import_id=_found(import_id).pk, actor=request.actor)
    messages.success(request, _("Given up: nothing came in, and the files are no longer kept."))
    return redirect("staff:import", import_id)


@permits.staff("loan.view_imports")
@require_GET
def problems_csv(request: StaffRequest, import_id: UUID) -> HttpResponse:
    """The wrong lines, to put the files right by."""
    row = _found(import_id)
    lines = [[one["file"], one["line"], one["field"], _said(one)] for one in row.problems]
    return _csv("problems.csv", [_("File"), _("Line"), _("Column"), _("What is wrong, and what to do")], lines)


@permits.staff("loan.view_imports")
@require_GET
def differences_csv(request: StaffRequest, import_id: UUID) -> HttpResponse:
    """The day-one list: where the figures of both systems are not the same."""
    row = _found(import_id)
    lines = [[one["loan"], str(_what(one["what"])), one["theirs"], one["ours"]] for one in row.differences]
    return _csv("differences.csv", [_("Loan"), _("Figure"), _("In the file"), _("By the engine")], lines)


def _csv(name: str, head: list[str], lines: Iterable[Iterable[Any]]) -> HttpResponse:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows([away.cell(str(one)) for one in line] for line in lines)
    return away.attachment(b"\xef\xbb\xbf" + written.getvalue().encode(), name=name, kind="text/csv; charset=utf-8")


def _found(import_id: UUID) -> selectors.Import:
    try:
        return selectors.one(import_id)
    except selectors.NoSuchImport:
        raise Http404 from None


# --- the page ----------------------------------------------------------------------------------------------------


def _page(request: StaffRequest, row: selectors.Import, form: ProposeForm, status: int = 200) -> HttpResponse:
    may_import = "loan.import" in request.permissions
    waiting = desk.waiting_approvals(import_portfolio.APPROVAL, [row.pk])
    context = {
        "row": row,
        "tag": STATES[row.state],
        "crumbs": _crumbs(),
        "about": _about(request, row),
        "is_running": row.state in ("checking", "taking"),
        "label": _("Loans checked"),
        "note": _("%(done)s of %(total)s loans")
        % {"done": formats.number(row.done_count), "total": formats.number(row.total_count)},
        "total": row.total_count + 1,  # whole only when the outcome is written
        "problems": _problems(row),
        "differences": _differences(row),
        "groups": _groups(row),
        "waiting": [link(request, "approval.view", "staff:approval", one.pk) for one in waiting],
        "form": form if may_import and row.state == "checked" and not waiting and _has_anything(row) else None,
        "nothing_new": row.state == "checked" and not _has_anything(row),
        "may_stop": may_import and row.state in ("checking", "checked") and not waiting,
        "shown": SHOWN,
    }
    return render(request, "staff/imports/show.html", context, status=status)


def _has_anything(row: selectors.Import) -> bool:
    return bool(row.summary.get("loans") or row.summary.get("customers"))


def _about(request: StaffRequest, row: selectors.Import) -> list[ui.SummaryRow]:
    who = access.names_of({row.asked_by}).get(row.asked_by, row.asked_by)
    found = [
        ui.SummaryRow(_("Handed in"), formats.datetime_l(row.recorded_at), note=who),
        ui.SummaryRow(
            _("Files"), ", ".join(f"{name} ({formats.number(-(-size // 1000))} kB)"
                                  for name, size in selectors.file_names(row.pk)),
        ),
    ]  # fmt: skip
    if row.summary:
        counted = [
            (_("New customers"), "customers"), (_("Customers who are here already"), "customers_known"),
            (_("New loans"), "loans"), (_("Loans that are here already"), "loans_known"),
            (_("Instalments in their schedules"), "instalments"), (_("Events"), "events"),
        ]  # fmt: skip
        found += [ui.SummaryRow(label, formats.number(row.summary[name])) for label, name in counted]
    if row.taken_on:
        found.append(ui.SummaryRow(_("Came in on"), formats.date_l(row.taken_on)))
    return found


def _problems(row: selectors.Import) -> ui.DataTable | None:
    if not row.problem_count:
        return None
    columns = [
        ui.Column("file", _("File")),
        ui.Column("line", _("Line"), numeric=True),
        ui.Column("field", _("Column")),
        ui.Column("what", _("What is wrong, and what to do")),
    ]
    rows = [ui.Row([one["file"], one["line"], one["field"], _said(one)]) for one in row.problems[:SHOWN]]
    return ui.DataTable(_("Wrong lines"), columns, rows, ui.Empty(""))


def _said(one: Mapping[str, Any]) -> str:
    return sentence(one["code"], one["details"])


def _differences(row: selectors.Import) -> ui.DataTable | None:
    if not row.difference_count:
        return None
    columns = [
        ui.Column("loan", _("Loan")),
        ui.Column("what", _("Figure")),
        ui.Column("theirs", _("In the file"), numeric=True),
        ui.Column("ours", _("By the engine"), numeric=True),
    ]
    rows = [ui.Row([one["loan"], _what(one["what"]), one["theirs"], one["ours"]]) for one in row.differences[:SHOWN]]
    return ui.DataTable(_("Differences"), columns, rows, ui.Empty(""))


def _what(code: str) -> Any:
    """A balance, or the interest of an instalment."""
    name, _colon, day = code.partition(":")
    if name == "interest" and day:
        return _("Interest of %(day)s") % {"day": day}
    return words.full_balance_name(code)


def _groups(row: selectors.Import) -> ui.DataTable | None:
    """Sums of what comes in, on the morning of the take-over, by product."""
    found = row.summary.get("groups") or []
    if not found:
        return None
    parts = [part for part in ("principal", "interest", "fee", "penalty", "tax", "unapplied")
             if any(group[f"{part}_minor"] for group in found)]  # fmt: skip
    columns = [
        ui.Column("product", _("Product")),
        ui.Column("loans", _("Loans"), numeric=True),
        ui.Column("late", _("Past due"), numeric=True),
        ui.Column("amount", _("Lent once"), numeric=True),
        *(ui.Column(part, words.full_balance_name(part), numeric=True) for part in parts),
    ]
    names = ["loans", "past_due"]
    money = ["amount", *parts]

    def cells(label: str, of: Mapping[str, int]) -> list[Any]:
        amounts = [ui.Money(of[f"{part}_minor"], row.summary["currency"]) for part in money]
        return [label, *(formats.number(of[name]) for name in names), *amounts]

    sums = {name: sum(group[name] for group in found) for name in [*names, *(f"{part}_minor" for part in money)]}
    rows = [ui.Row(cells(group["product"], group)) for group in found]
    return ui.DataTable(_("What comes in"), columns, rows, ui.Empty(""), totals=cells(_("Together"), sums))


def _crumbs() -> list[ui.Crumb]:
    return [ui.Crumb(_("Imports"), reverse("staff:imports"))]
