"""The loans behind a figure of the portfolio, and the movements by which it was corrected after its day."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.servicing import portfolio as history
from usance.apps.servicing import portfolio_lines as lines
from usance.apps.servicing import selectors as servicing
from usance.web import components as ui
from usance.web import pages, permits, words
from usance.web.staff.portfolio import Asked, asked_of
from usance.web.staff.request import StaffRequest


def _question(request: StaffRequest, asked: Asked) -> lines.Question:
    """What a figure is about; 404 for what is no figure, and for whoever may not see loans."""
    measure, status, bucket = (request.GET.get(name, "") for name in ("measure", "status", "bucket"))
    known = measure in ("", *history.MONEY) and status in ("", *words.LOAN_STATUS)
    if not known or bucket not in ("", *servicing.buckets()) or "loan.view" not in request.permissions:
        raise Http404
    return lines.Question(
        on=asked.on, known_on=asked.known, branch=asked.branch, product=asked.product, measure=measure, status=status,
        bucket=bucket,
    )  # fmt: skip


def _about(question: lines.Question) -> str:
    if question.status:
        span = _("%(span)s days") % {"span": question.bucket.replace("-", "\u2013")} if question.bucket else ""
        return " · ".join(filter(None, (str(words.LOAN_STATUS[question.status][0]), span)))
    return str(words.COMPONENTS[question.measure]) if question.measure else _("All loans")


def _crumbs(asked: Asked) -> list[ui.Crumb]:
    return [ui.Crumb(_("Books"), reverse("staff:books")), ui.Crumb(_("Portfolio"), asked.href("portfolio"))]


@permits.staff("ledger.view")
@require_GET
def loans(request: StaffRequest) -> HttpResponse:
    """The loans that carry a figure, in the order in which they were booked, page after page."""
    asked = asked_of(request)
    question = _question(request, asked)
    found, more = lines.loans(question, after=_key(request.GET.get("after", "")))
    this = {name: request.GET[name] for name in ("measure", "status", "bucket") if request.GET.get(name)}
    context = {
        "about": _about(question),
        "asked": asked,
        "whole": _whole(asked, question),
        "is_money": not question.status,
        "currency": request.institution.currency,
        "table": _loan_table(request, asked, found),
        "more_url": asked.href("portfolio_loans", **this, after=str(more)) if more else "",
        "first_url": asked.href("portfolio_loans", **this) if request.GET.get("after") else "",
        "crumbs": _crumbs(asked),
    }
    return render(request, "staff/books/portfolio_loans.html", context)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _whole(asked: Asked, question: lines.Question) -> int | None:
    """The figure itself."""
    found = asked.find()
    if question.status:
        return found.counts().get((question.status, question.bucket), history.Figure()).now
    return found.money()[question.measure].now if question.measure else None


def _loan_table(request: StaffRequest, asked: Asked, found: Any) -> ui.DataTable:
    currency = request.institution.currency
    within = access.scope_filter(request.user, "loan.view", owner="owner_id")
    ids = [line.loan_id for line in found]
    numbers = dict(servicing.loan_register(within=within).order_by().filter(pk__in=ids).values_list("pk", "number"))
    days = {"on": asked.on.isoformat()}
    days |= {"known": asked.known.isoformat()} if asked.known < request.institution.business_date else {}
    rows = [
        ui.Row(
            [
                numbers.get(line.loan_id, _("out of your reach")),
                words.tag(words.LOAN_STATUS, line.status) if line.status else "",
                line.days_past_due or "",
                *(ui.Money(line.amounts[name], currency) if line.amounts[name] else "" for name in history.MONEY),
            ],
            href=f"{reverse('staff:loan', args=[line.loan_id])}?{urlencode(days)}" if line.loan_id in numbers else "",
        )
        for line in found
    ]
    columns = [
        ui.Column("loan", _("Loan")),
        ui.Column("status", _("Status")),
        ui.Column("late", _("Days late"), numeric=True),
        *(ui.Column(name, words.COMPONENTS[name], numeric=True) for name in history.MONEY),
    ]
    sums = [ui.Money(sum(line.amounts[name] for line in found), currency) for name in history.MONEY]
    empty = ui.Empty(_("No loan carries this figure"), _("Its parts may cancel each other out, or the day is another."))
    return ui.DataTable(_("Loans"), columns, rows, empty, totals=[_("This page"), "", "", *sums] if rows else ())


@permits.staff("ledger.view")
@require_GET
def learned(request: StaffRequest) -> HttpResponse:
    """What was booked after the day about that day and earlier ones."""
    asked = asked_of(request)
    question = _question(request, asked)
    within = access.scope_filter(request.user, "loan.view", owner="loan__owner_id", path="loan__org_path")
    page = pages.of(request, lines.learned(question).filter(within))
    shown = list(page.object_list)
    currency = request.institution.currency
    columns = [
        ui.Column("loan", _("Loan")),
        ui.Column("booked", _("Booked")),
        ui.Column("effective", _("True on")),
        ui.Column("what", _("Movement")),
        ui.Column("balance", _("Balance")),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    rows = [
        ui.Row(
            [
                one.loan.number,
                one.booked_on,
                one.effective_on,
                words.MOVEMENT.get(one.kind, one.kind),
                words.full_balance_name(":".join(filter(None, (one.component, one.fee_kind or one.tax_kind)))),
                ui.Money(one.amount_minor, currency),
            ],
            href=reverse("staff:entry", args=[one.entry_id]),
        )
        for one in shown
    ]
    empty = ui.Empty(_("Nothing was learned later"), _("All that is known of this day was booked by its end."))
    query = asked.kept | {"measure": question.measure}
    totals = [_("This page"), "", "", "", "", ui.Money(sum(one.amount_minor for one in shown), currency)]
    table = ui.DataTable(
        _("Learned since"), columns, rows, empty, page=page, query=query, totals=totals if rows else ()
    )
    context = {"asked": asked, "table": table, "crumbs": _crumbs(asked)}
    return render(request, "staff/books/portfolio_learned.html", context)
