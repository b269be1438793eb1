"""The first page: what a loan would cost, with the contract's very figures, and the way into the application."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usance.apps.origination import selectors as applications
from usance.apps.products import calculator, selectors
from usance.apps.servicing import selectors as loans
from usance.web import components as ui
from usance.web import forms, permits, refusals
from usance.web.borrower import identity
from usance.web.templatetags import formats

UNITS = {"days": gettext_lazy("days"), "months": gettext_lazy("months"), "weeks": gettext_lazy("weeks")}


class WishForm(forms.Form):
    """How much and for how long, within what the product offers to this customer."""

    amount = forms.MoneySliderField(
        min_minor=1, max_minor=2, step_minor=1, currency="EUR", label=gettext_lazy("How much")
    )
    term = forms.CountSliderField(low=1, high=2, label=gettext_lazy("For how long"))

    def __init__(self, offered: selectors.Offered, kind: str, currency: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = offered.config
        top = config.max_amount(kind)
        self.fields["amount"] = forms.MoneySliderField(
            min_minor=config.amount.min_minor,
            max_minor=top,
            step_minor=config.amount.step_minor,
            currency=currency,
            label=_("How much"),
            initial=min(config.amount.default_minor, top),
        )
        self.fields["term"] = forms.CountSliderField(
            low=config.term.min,
            high=config.term.max,
            step=config.term.step,
            unit=UNITS[config.term.unit],
            label=_("For how long"),
            initial=config.term.default,
        )


@permits.public
def home(request: HttpRequest) -> HttpResponse:
    """The calculator page."""
    identity.remember_source(request)
    return render(request, "borrower/calculator.html", _context(request))


@permits.public
def answer(request: HttpRequest) -> HttpResponse:
    """Only the figures, for the sliders' live answer."""
    return render(request, "borrower/calculator_answer.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    institution = request.institution  # type: ignore[attr-defined]
    offered = selectors.products_offered(on=institution.business_date)
    if not offered:
        return {"nothing": True}
    chosen = next((o for o in offered if o.product.code == request.GET.get("product")), offered[0])
    kind = customer_kind(request)
    asked = "amount" in request.GET
    form = WishForm(chosen, kind, institution, request.GET if asked else None)
    values = {name: field.initial for name, field in form.fields.items()}
    if asked and form.is_valid():
        values = form.cleaned_data
    quote = calculator.quote(
        version=chosen.version,
        amount_minor=values["amount"],
        term=values["term"],
        customer_kind=kind,
        on=institution.business_date,
    )
    language = request.LANGUAGE_CODE
    tabs = [
        ui.Tab(o.product.name(language), f"/?product={o.product.code}", current=o.product.pk == chosen.product.pk)
        for o in offered
    ]
    return {
        "form": form,
        "chosen": chosen,
        "product_name": chosen.product.name(language),
        "product_summary": chosen.product.summary(language),
        "tabs": tabs,
        "returning": kind == "returning",
        "received": ui.Money(quote.received_minor, quote.currency),
        **figures(quote),
    }


def customer_kind(request: HttpRequest) -> str:
    """Returning once a loan was paid back; chosen for the customer, never asked."""
    party_id = identity.of(request)
    if party_id is None:
        return "first"
    return "returning" if loans.history_of_party(party_id=party_id).closed_count else "first"


def _payments_of(quote: calculator.Quote) -> str:
    """All alike (the last aside, which is named by itself), or the largest of them."""
    count, alike = len(quote.instalments), len({row.total_minor for row in quote.instalments[:-1]}) == 1
    if alike:
        return ngettext("%(count)s payment of", "%(count)s payments of", count)
    return ngettext("%(count)s payment of up to", "%(count)s payments of up to", count)


def figures(quote: calculator.Quote) -> dict[str, Any]:
    """The key facts of a quote, the same on every page that shows them."""
    money, currency = formats.money, quote.currency
    last = quote.instalments[-1]
    count = len(quote.instalments)
    payment = (
        ui.KeyFact(_("One payment on"), formats.date_l(last.due_on))
        if count == 1
        else ui.KeyFact(
            _payments_of(quote) % {"count": count},
            money(max(row.total_minor for row in quote.instalments[:-1]), currency),
            _("the last one, on %(day)s: %(amount)s")
            % {"day": formats.date_l(last.due_on, "medium"), "amount": money(last.total_minor, currency)},
        )
    )
    fees = [
        ui.KeyFact(_("Taken off what you receive"), money(amount, currency))
        for amount in quote.deducted.values()
        if amount
    ]
    parts = [
        ui.KeyFact(
            _("About %(day)s") % {"day": formats.date_l(part.on, "medium")}
            if part.on > quote.on
            else _("Of it at once"),
            money(part.sent_minor, currency),
        )
        for part in quote.parts
        if len(quote.parts) > 1
    ]
    return {
        "facts": [
            *parts,
            *fees,
            payment,
            ui.KeyFact(_("Cost of the loan"), money(quote.cost_minor, currency)),
            ui.KeyFact(_("Yearly cost (APR)"), formats.percent(quote.apr) if quote.apr is not None else "–"),
            ui.KeyFact(_("You pay back in all"), money(quote.total_minor, currency), total=True),
        ],
        "quote": quote,
        "schedule": schedule_rows(quote),
        "currency": currency,
    }


def schedule_rows(quote: calculator.Quote) -> list[ui.Instalment]:
    return [
        ui.Instalment(
            number=row.number,
            due_on=row.due_on,
            total_minor=row.total_minor,
            principal_minor=row.amounts.get("principal", 0),
            interest_minor=row.amounts.get("interest", 0),
            fees_minor=row.total_minor - row.amounts.get("principal", 0) - row.amounts.get("interest", 0),
        )
        for row in quote.instalments
    ]


@permits.public
@permits.sent_from("/")
def wish(request: HttpRequest) -> HttpResponse:
    """Keeps what the visitor chose and leads into the application."""
    institution = request.institution  # type: ignore[attr-defined]
    offered = selectors.products_offered(on=institution.business_date)
    chosen = next((o for o in offered if o.product.code == request.POST.get("product")), None)
    if chosen is None:
        messages.warning(request, refusals.sentence(selectors.ProductNotOffered(product="")))
        return redirect("/")
    form = WishForm(chosen, customer_kind(request), institution, request.POST)
    if not form.is_valid():
        return render(request, "borrower/calculator.html", {**_context(request), "form": form}, status=200)
    request.session[identity.WISH] = {
        "product": chosen.product.code,
        "amount_minor": form.cleaned_data["amount"],
        "term": form.cleaned_data["term"],
    }
    party_id = identity.of(request)
    if party_id and applications.open_application(party_id=party_id):
        return redirect("borrower:application")
    return redirect("borrower:apply")
