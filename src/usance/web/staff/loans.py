"""Loans on the desk: the register, what is past due, and everything about one loan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.agreements import selectors as papers
from usance.apps.agreements import services as agreements
from usance.apps.audit import services as audit
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.messaging import selectors as message_view
from usance.apps.messaging import services as messaging
from usance.apps.servicing import classing, selectors
from usance.core.refusals import Refusal
from usance.web import components as ui
from usance.web import files, pages, permits, refusals, words
from usance.web import forms as house
from usance.web.staff import loan_days, loan_tabs, protection_words
from usance.web.staff.request import StaffRequest

LOAN = "servicing.loan"
STATUSES = ("live", "approved", "active", "past_due", "closed", "written_off", "sold", "cancelled")
LIVE = gettext_lazy("Running or past due")


class RegisterForm(house.FilterForm):
    """The register's filters."""

    q = forms.CharField(label=gettext_lazy("Number"), max_length=30)
    status = forms.ChoiceField(label=gettext_lazy("Status"))
    product = forms.ChoiceField(label=gettext_lazy("Product"))
    branch = forms.ChoiceField(label=gettext_lazy("Unit"))

    def __init__(self, *args: Any, products: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything, names = [("", _("All"))], loan_tabs.product_names()
        named = [(code, LIVE if code == "live" else words.LOAN_STATUS[code][0]) for code in STATUSES]
        self.fields["status"].choices = everything + named  # type: ignore[attr-defined]
        self.fields["product"].choices = everything + [(code, names.get(code, code)) for code in products]  # type: ignore[attr-defined]
        units = [(unit.path, f"{'· ' * unit.path.count('.')}{unit.name}") for unit in institutions.units()]
        self.fields["branch"].choices = everything + units  # type: ignore[attr-defined]

    def asked(self) -> dict[str, str]:
        """What to filter by; a value that is no choice filters nothing and is shown as an error."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


@permits.staff("loan.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """The register of loans."""
    within = access.scope_filter(request.user, "loan.view", owner="owner_id")
    form = RegisterForm(request.GET, products=selectors.products_lent(within=within))
    asked, order, due = form.asked(), order_of(request), request.GET.get("due", "")
    today = request.institution.business_date
    found = selectors.loan_register(
        status=asked["status"],
        product=asked["product"],
        search=asked["q"],
        branch=asked["branch"],
        due_until=today + timedelta(days=7) if due == "week" else None,
        order=order,
        within=within,
    )
    page = pages.of(request, found)
    query = asked | {"due": due, "order": order}
    empty = ui.Empty(
        _("No loan fits"),
        _("Loans appear here when an agreement is signed. Take away a filter to see more."),
        reverse("staff:loans"),
        _("Show all loans"),
    )
    context = {
        "table": table(_("Loans"), page, order, query, empty),
        "form": form,
        "views": _views(asked["status"], due, any(asked[name] for name in ("q", "product", "branch"))),
        "reset": reverse("staff:loans") if any(asked.values()) or due or form.errors else "",
    }
    return render(request, "staff/loans/index.html", context)


def _views(status: str, due: str, is_narrowed: bool) -> list[ui.Tab]:
    """Saved views: the questions that are asked of the register every day."""
    found = [
        (_("All"), "", ""),
        (_("Running"), "active", ""),
        (_("Due within a week"), "", "week"),
        (_("Past due"), "past_due", ""),
        (_("Waiting for its money"), "approved", ""),
        (_("Paid in full"), "closed", ""),
        (_("Written off"), "written_off", ""),
        (_("Sold"), "sold", ""),
    ]
    return [
        ui.Tab(
            name,
            "?" + "&".join(part for part in (f"status={code}" if code else "", f"due={when}" if when else "") if part),
            current=not is_narrowed and (code, when) == (status, due),
        )
        for name, code, when in found
    ]


def order_of(request: StaffRequest) -> str:
    order = request.GET.get("order", "")
    return order if order.removeprefix("-") in selectors.ORDERS else ""


def table(caption: str, page: Any, order: str, query: Mapping[str, Any], empty: ui.Empty) -> ui.DataTable:
    """Loans as rows, with what they sum up to on this page."""
    shown = list(page.object_list)
    people = customers.summaries({row.party_id for row in shown})
    names = loan_tabs.product_names()
    columns = [
        ui.Column("number", _("Loan"), sort="number"),
        ui.Column("customer", _("Customer")),
        ui.Column("status", _("Status")),
        ui.Column("product", _("Product")),
        ui.Column("amount", _("Agreed"), numeric=True, sort="amount"),
        ui.Column("outstanding", _("Owed"), numeric=True, sort="outstanding"),
        ui.Column("past_due", _("Past due"), numeric=True),
        ui.Column("late", _("Days late"), numeric=True, sort="late"),
        ui.Column("due", _("Next due"), sort="due"),
    ]
    rows = [
        ui.Row(
            [
                row.number,
                people[row.party_id].name or people[row.party_id].reference if row.party_id in people else "",
                words.tag(words.LOAN_STATUS, row.status),
                names.get(row.product, row.product),
                ui.Money(row.amount_minor, row.currency),
                ui.Money(row.outstanding_minor, row.currency),
                ui.Money(row.past_due_minor, row.currency) if row.past_due_minor else "",
                row.days_past_due or "",
                row.next_due_on,
            ],
            href=reverse("staff:loan", args=[row.pk]),
        )
        for row in shown
    ]
    return ui.DataTable(
        caption, columns, rows, empty, page=page, order=order, query=query, totals=_totals(shown) if shown else ()
    )


def _totals(shown: list[Any]) -> list[Any]:
    currency = shown[0].currency
    sums = [sum(getattr(row, f"{name}_minor") for row in shown) for name in ("amount", "outstanding", "past_due")]
    return [_("This page"), "", "", "", *(ui.Money(total, currency) for total in sums), "", ""]


@permits.staff("collection.view")
@require_GET
def past_due(request: StaffRequest) -> HttpResponse:
    """Loans past due, by how long."""
    within = access.scope_filter(request.user, "collection.view", owner="owner_id")
    buckets = selectors.past_due_buckets(within=within)
    asked = request.GET.get("bucket", "")
    bucket = asked if asked in {name for name, *_sums in buckets} else ""
    order = order_of(request)
    page = pages.of(request, selectors.loans_past_due(bucket=bucket, order=order, within=within))
    sums = [sum(int(row[at]) for row in buckets) for at in (1, 2, 3)]
    everyone: tuple[str, int, int, int] = ("", sums[0], sums[1], sums[2])
    name, count, owed, late = next((row for row in [everyone, *buckets] if row[0] == bucket), everyone)
    empty = ui.Empty(
        _("Nothing is past due here"), _("Loans come here on the day after a missed payment."), icon="check"
    )
    context = {
        "table": table(_("Past due"), page, order, {"bucket": bucket, "order": order}, empty),
        "tabs": [
            ui.Tab(_bucket_words(row[0]), f"?bucket={row[0]}" if row[0] else "?", row[0] == name, row[1])
            for row in [everyone, *buckets]
        ],
        "count": count,
        "owed": owed,
        "late": late,
        "currency": request.institution.currency,
        "by_class": "loan.view" in request.permissions and classing.scheme_on(request.institution.business_date),
    }
    return render(request, "staff/loans/past_due.html", context)


def _bucket_words(bucket: str) -> str:
    if not bucket:
        return _("All")
    return _("%(span)s days") % {"span": bucket.replace("-", "\u2013")}


# --- one loan ----------------------------------------------------------------------------------------------------


def found(request: StaffRequest, loan_id: UUID, action: str = "loan.view") -> selectors.Loan:
    """The loan, where the person's roles reach it with `action`; else 404, as if it were not there."""
    try:
        row = selectors.loan(loan_id)
    except Refusal:
        raise Http404 from None
    if not access.may(request.user, action, row.org_path, owner_id=row.owner_id):
        raise Http404
    return row


def customer_url(party_id: UUID) -> str:
    try:
        return reverse("staff:customer", args=[party_id])
    except NoReverseMatch:
        return ""


@permits.staff("loan.view")
@require_GET
def show(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Everything about one loan, as it was true on a date, as it was known on another."""
    from usance.web.staff import act_steps

    row = found(request, loan_id)
    form = loan_days.DaysForm(request.GET or None, loan=row, today=request.institution.business_date)
    days = loan_days.asked(form)
    view = selectors.loan_view(loan_id=row.pk, on=days.on, known_on=days.known, supposed=days.supposed)
    tabs = loan_tabs.of(request)
    asked = request.GET.get("tab", "")
    tab = next((one for one in tabs if one.code == asked), tabs[0])
    audit.viewed(subject=(LOAN, row.pk), actor=request.actor, fields=[f"loan.{tab.code}"])
    looking = loan_tabs.Looking(request, row, view, request.institution.business_date, days.kept)
    person = customers.summaries([row.party_id]).get(row.party_id)
    context = {
        "loan": row,
        "view": view,
        "currency": row.currency,
        "tag": words.tag(words.LOAN_STATUS, view.standing.status),
        "person": person,
        "customer_url": customer_url(row.party_id) if "customer.view" in request.permissions else "",
        "form": form,
        "days": days,
        "looking_at": days.banner(),
        "other_looks": days.views(tab.code),
        "tabs": [ui.Tab(one.words, one.href(days.kept), current=one is tab) for one in tabs],
        "tab": tab,
        "tab_template": f"staff/loans/tab_{tab.code}.html",
        "figures": loan_tabs.figures(looking),
        "protected": protection_words.of_loan(row.pk, days.on),
        "acts": [] if days.is_other_day else act_steps.possible(request, row),  # one acts on what is, not on what was
        "waiting": act_steps.proposals(row),
        "crumbs": [ui.Crumb(_("Loans"), reverse("staff:loans")), ui.Crumb(row.number)],
        **tab.build(looking),
    }
    return render(request, "staff/loans/show.html", context, status=422 if form.errors else 200)


@permits.staff("document.view")
@require_GET
def document(request: StaffRequest, loan_id: UUID, document_id: UUID) -> HttpResponse:
    """A paper of the loan as a file; the look is in the audit trail of the paper and of the loan."""
    row = found(request, loan_id, "document.view")
    subjects = [key for key in (row.pk, row.application_id) if key is not None]
    paper = next((one for key in subjects for one in papers.documents_of(key) if one.pk == document_id), None)
    if paper is None:
        raise Http404
    try:
        name, pdf = agreements.download(document_id=paper.pk, actor=request.actor)
    except Refusal as refusal:
        messages.warning(request, refusals.sentence(refusal))
        return redirect(f"{reverse('staff:loan', args=[row.pk])}?tab=documents")
    audit.viewed(subject=(LOAN, row.pk), actor=request.actor, fields=[f"document.{paper.kind}"])
    return files.attachment(pdf, name=name, kind="application/pdf")


@permits.staff("message.view")
@require_GET
def message(request: StaffRequest, loan_id: UUID, message_id: UUID) -> HttpResponse:
    """The words of one message about the loan; the look is in the audit trail."""
    row = found(request, loan_id, "message.view")
    about = message_view.messages(subject_id=row.pk).filter(pk=message_id).first()
    if about is None:
        raise Http404
    try:
        opened, gone = messaging.read(message_id=about.pk, actor=request.actor), ""
    except Refusal as refusal:
        opened, gone = None, refusals.sentence(refusal)
    audit.viewed(subject=(LOAN, row.pk), actor=request.actor, fields=["message.text"])
    context = {
        "loan": row,
        "about": about,
        "opened": opened,
        "gone": gone,
        "tag": words.tag(words.MESSAGE_STATE, about.state),
        "crumbs": [
            ui.Crumb(_("Loans"), reverse("staff:loans")),
            ui.Crumb(row.number, f"{reverse('staff:loan', args=[row.pk])}?tab=messages"),
            ui.Crumb(_("Message")),
        ],
    }
    return render(request, "staff/loans/message.html", context)
