"""The underwriters' queue: cases by the clock that runs out first, and the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from usance.apps.access import selectors as access
from usance.apps.customers import selectors as customers
from usance.apps.decisioning import reasons
from usance.apps.desk import selectors as desk
from usance.apps.origination import selectors as applications
from usance.apps.products import selectors as products
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits
from usance.web.staff import clocks, vocabulary
from usance.web.staff.request import StaffRequest
from usance.workflows import review_cases
from usance.workflows.take_application import UNDERWRITING

VIEWS = (
    ("all", gettext_lazy("All")),
    ("mine", gettext_lazy("Mine")),
    ("free", gettext_lazy("Nobody's")),
    ("waiting", gettext_lazy("Waiting for the applicant")),
)
EMPTY = {
    "all": (
        gettext_lazy("The queue is empty"),
        gettext_lazy("Applications that the rules cannot decide alone come here by themselves."),
    ),
    "mine": (
        gettext_lazy("You have no case"),
        gettext_lazy("“Next case” gives you the one whose clock runs out first."),
    ),
    "free": (gettext_lazy("Every case has somebody"), gettext_lazy("New ones come here by themselves.")),
    "waiting": (
        gettext_lazy("No applicant owes us an answer"),
        gettext_lazy("Cases in which somebody asked the applicant wait here, with their clock standing still."),
    ),
}


class QueueForm(house.FilterForm):
    """What to narrow the queue by."""

    product = forms.ChoiceField(label=gettext_lazy("Product"))
    kind = forms.ChoiceField(label=gettext_lazy("Customer"))
    view = forms.CharField(widget=forms.HiddenInput, max_length=20)

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = [("", _("All"))]
        self.fields["product"].choices = everything + product_choices(language)  # type: ignore[attr-defined]
        self.fields["kind"].choices = everything + list(vocabulary.KIND.items())  # type: ignore[attr-defined]


def product_choices(language: str) -> list[tuple[str, str]]:
    return [(row.code, row.name(language)) for row in products.products()]


@permits.staff("application.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Referred applications; a filter that is no choice is shown as an error and filters nothing."""
    within = access.scope_filter(request.user, "application.view", owner="owner_id")
    view = request.GET.get("view", "all")
    view = view if view in EMPTY else "all"
    form = QueueForm(request.GET, language=request.LANGUAGE_CODE)
    form.is_valid()
    asked = {name: form.cleaned_data.get(name) or "" for name in ("product", "kind")}
    found = desk.unfinished([UNDERWRITING], view=view, user=request.user, within=within)
    if any(asked.values()):
        found = found.filter(subject_id__in=_narrowed(asked))
    page = pages.of(request, found)
    counts = desk.view_counts([UNDERWRITING], user=request.user, within=within)
    context = {
        "table": _table(request, page, view, asked),
        "views": [ui.Tab(name, f"?view={code}", current=code == view, count=counts[code]) for code, name in VIEWS],
        "filters": form,
        "is_filtered": any(asked.values()),
        "may_take": {"application.decide", "desk.work"} <= request.permissions,
        "free_count": counts["free"],
    }
    return render(request, "staff/queue/index.html", context)


def _narrowed(asked: Mapping[str, str]) -> Any:
    rows = applications.queue(product_code=asked["product"])
    rows = rows.filter(customer_kind=asked["kind"]) if asked["kind"] else rows
    return rows.order_by().values("pk")


def _table(request: StaffRequest, page: Any, view: str, asked: Mapping[str, str]) -> ui.DataTable:
    items = list(page.object_list)
    rows = {row.pk: row for row in applications.applications().filter(pk__in=[item.subject_id for item in items])}
    people = customers.summaries(row.party_id for row in rows.values())
    timed = desk.clocks(items, clocks.moment(request))
    title, body = EMPTY[view]
    columns = [
        ui.Column("case", _("Case")),
        ui.Column("clock", _("Clock")),
        ui.Column("customer", _("Customer")),
        ui.Column("amount", _("Amount"), numeric=True),
        ui.Column("product", _("Product")),
        ui.Column("why", _("Why a person")),
        ui.Column("owner", _("Who has it")),
    ]
    return ui.DataTable(
        _("Applications that wait for a person"),
        columns,
        [
            _row(request, item, standing, rows[item.subject_id], people)
            for item, standing in timed
            if item.subject_id in rows
        ],
        ui.Empty(title, body),
        page=page,
        query={"view": view, **asked},
    )


def _row(request: StaffRequest, item: Any, standing: Any, row: Any, people: Mapping[UUID, Any]) -> ui.Row:
    mine = item.owner_id == request.user.pk
    owner = ui.Tag(_("You"), "brand", "person") if mine else item.owner.name if item.owner_id else ""
    return ui.Row(
        [
            row.reference,
            clocks.badge(standing),
            f"{people[row.party_id].name} · {vocabulary.word(vocabulary.KIND, row.customer_kind)}",
            ui.Money(row.amount_minor, row.currency),
            row.product.name(request.LANGUAGE_CODE),
            why(row.reasons),
            owner,
        ],
        href=reverse("staff:application", args=[row.pk]),
        state="now" if mine else "",
    )


def why(codes: Iterable[str]) -> str:
    """The first reason in words, and how many more there are."""
    told = [reasons.staff_text(code) for code in codes]
    return f"{told[0]} +{len(told) - 1}" if len(told) > 1 else "".join(told)


@permits.staff("application.decide")
@require_POST
def next_case(request: StaffRequest) -> HttpResponse:
    """Takes the case whose clock runs out first and opens it."""
    item = review_cases.next_case(reviewer=request.user, at=clock.now())
    if item is None:
        messages.info(request, _("Nobody waits: every case is taken or decided."))
        return redirect("staff:queue")
    return redirect("staff:application", application_id=item.subject_id)
