"""Payments on the desk: every order to a payment rail and what became of it, and what came in by other ways."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors as access
from usance.apps.audit import selectors as trail
from usance.apps.audit import services as audit
from usance.apps.customers import selectors as customers
from usance.apps.payments import doubts, selectors
from usance.apps.payments import services as rails
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits, words
from usance.web.staff.loan_forms import MOST
from usance.web.staff.loans import customer_url
from usance.web.staff.payment_tables import EMPTY, NOTHING_FITS, instruction_table, numbers_of, receipt_table
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.web.templatetags import formats

LOAN = "servicing.loan"
VIEWS = (
    ("", gettext_lazy("All")),
    ("unknown", gettext_lazy("No answer yet")),
    ("mismatch", gettext_lazy("Amount disagrees")),
    ("open", gettext_lazy("Under way")),
    ("failed", gettext_lazy("Refused")),
    ("returned", gettext_lazy("Taken back")),
)


class SearchForm(house.FilterForm):
    """What the customer knows of the payment that is looked for."""

    amount = house.MoneyField(label=gettext_lazy("Amount"), max_minor=MOST)
    on = forms.DateField(label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    last4 = forms.CharField(label=gettext_lazy("Card's last four digits"), max_length=4)
    reference = forms.CharField(label=gettext_lazy("Reference"), max_length=80)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    view = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, currency: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].set_currency(currency)  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("All")), *words.INSTRUCTION_KIND.items()]  # type: ignore[attr-defined]

    def clean_last4(self) -> str:
        digits = str(self.cleaned_data["last4"]).strip()
        if digits and not (digits.isdecimal() and digits.isascii() and len(digits) == 4):
            raise ValidationError(_("Enter the four digits at the end of the card's number."))
        return digits

    def search(self) -> selectors.Search:
        """What is known; an answer that makes no sense narrows nothing and is shown as an error."""
        self.is_valid()
        given = self.cleaned_data
        return selectors.Search(
            amount_minor=given.get("amount"),
            on=given.get("on"),
            last4=given.get("last4") or "",
            reference=(given.get("reference") or "").strip(),
        )


@permits.staff("payment.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """The register: what is unknown and what disagrees are views of their own."""
    within = access.scope_filter(request.user, "payment.view")
    form = SearchForm(request.GET, currency=request.institution)
    search, asked = form.search(), request.GET.get("view", "")
    view = asked if asked in selectors.VIEWS else ""
    kind = form.cleaned_data.get("kind") or ""
    page = pages.of(request, selectors.instructions(kind=kind, state=view, search=search, within=within))
    counts = selectors.counts_by_view(within=within)
    query = {name: request.GET.get(name, "") for name in ("amount", "on", "last4", "reference", "kind", "view")}
    receipts = [] if search.is_empty else list(selectors.receipts(search=search, within=within)[: pages.SIZE])
    context = {
        "table": instruction_table(
            list(page.object_list),
            page=page,
            query=query,
            empty=EMPTY.get(view, NOTHING_FITS) if search.is_empty and not kind else NOTHING_FITS,
        ),
        "receipt_table": receipt_table(receipts) if receipts else None,
        "form": form,
        "views": _views(request, view, counts, within),
        "reset": reverse("staff:payments") if kind or form.errors or not search.is_empty else "",
        "doubt": selectors.doubt(at=clock.now(), within=within),
        "may_ask": "payment.resolve" in request.permissions,
    }
    return render(request, "staff/payments/index.html", context, status=422 if form.errors else 200)


def _views(request: StaffRequest, view: str, counts: Any, within: Any) -> list[ui.Tab]:
    tabs = [
        ui.Tab(text, f"{reverse('staff:payments')}?view={code}" if code else reverse("staff:payments"),
               current=code == view, count=counts[code] if code in ("unknown", "mismatch", "open") else None)
        for code, text in VIEWS
    ]  # fmt: skip
    tabs.append(ui.Tab(_("Received outside"), reverse("staff:receipts"), current=view == "receipts"))
    if "payment.resolve" in request.permissions:
        count = selectors.notices_waiting(within=within).count()
        tabs.append(ui.Tab(_("Notices"), reverse("staff:notices"), current=view == "notices", count=count))
    return tabs


@permits.staff("payment.view")
@require_GET
def receipts(request: StaffRequest) -> HttpResponse:
    """Money that came over the counter or to the bank account."""
    within = access.scope_filter(request.user, "payment.view")
    page = pages.of(request, selectors.receipts(within=within))
    context = {
        "table": receipt_table(list(page.object_list), page=page),
        "views": _views(request, "receipts", selectors.counts_by_view(within=within), within),
    }
    return render(request, "staff/payments/receipts.html", context)


@permits.staff("payment.resolve")
@require_GET
def notices(request: StaffRequest) -> HttpResponse:
    """What providers told us and nobody has taken in yet, or what names no order of ours."""
    within = access.scope_filter(request.user, "payment.resolve")
    page = pages.of(request, selectors.notices_waiting(within=within))
    columns = [
        ui.Column("when", _("Came")),
        ui.Column("provider", _("Provider")),
        ui.Column("order", _("Order")),
        ui.Column("event", _("Event")),
        ui.Column("state", _("State")),
    ]
    rows = [
        ui.Row(
            [
                one.received_at,
                one.provider,
                one.order_id,
                one.event_id.removeprefix(f"{one.order_id}:"),
                ui.Tag(_("Waits"), "warn") if one.processed_at is None else ui.Tag(_("No such order"), "bad"),
            ]
        )
        for one in page.object_list
    ]
    empty = ui.Empty(_("Everything is taken in"), _("Providers' notices wait here only for seconds."), icon="check")
    context = {
        "table": ui.DataTable(_("Notices of providers"), columns, rows, empty, page=page),
        "views": _views(request, "notices", selectors.counts_by_view(within=within), within),
    }
    return render(request, "staff/payments/notices.html", context)


# --- one instruction ---------------------------------------------------------------------------------------------


def _found(request: StaffRequest, instruction_id: UUID, action: str = "payment.view") -> Any:
    try:
        row = selectors.instruction(instruction_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    if not access.may(request.user, action, row.org_path):
        raise Http404
    return row


@permits.staff("payment.view")
@require_GET
def show(request: StaffRequest, instruction_id: UUID) -> HttpResponse:
    """One instruction: where it stands, how it came there, and what the provider told us."""
    row = _found(request, instruction_id)
    audit.viewed(subject=row, actor=request.actor, fields=["instruction"])
    may_ask = "payment.resolve" in request.permissions and (row.is_open or row.state == "succeeded")
    context = {
        "instruction": row,
        "tag": words.tag(words.INSTRUCTION_STATE, row.state),
        "title": words.INSTRUCTION_KIND[row.kind],
        "facts": _facts(row),
        "history": _history(row),
        "notices": selectors.notices_of(row.order_id),
        "refunds": instruction_table(list(selectors.refunds_of(row.pk)), with_loan=False),
        "has_refunds": selectors.refunds_of(row.pk).exists(),
        "customer": customers.summaries([row.party_id]).get(row.party_id),
        "customer_url": customer_url(row.party_id) if "customer.view" in request.permissions else "",
        "subject": _subject(request, row),
        "may_ask": may_ask,
        "may_reconcile": row.state == "mismatch" and "payment.resolve" in request.permissions,
        "meaning": MEANING.get(row.state, ""),
        "crumbs": [ui.Crumb(_("Payments"), reverse("staff:payments")), ui.Crumb(row.order_id)],
    }
    return render(request, "staff/payments/show.html", context)


MEANING = {
    "created": gettext_lazy("It has not been sent yet. It may still be cancelled; it is sent within seconds."),
    "sent": gettext_lazy("It was handed to the provider. Until the answer is here it may have reached the bank."),
    "unknown": gettext_lazy(
        "The provider did not say what became of it. It is asked again by itself and never sent twice."
    ),
    "pending": gettext_lazy("The provider is working on it, or the payer is on the provider's page."),
    "mismatch": gettext_lazy(
        "The provider speaks of another amount or currency. Nothing is booked until a person has looked."
    ),
}


def _facts(row: Any) -> list[ui.SummaryRow]:
    rows = [
        ui.SummaryRow(_("Amount"), ui.Money(row.amount_minor, row.currency)),
        ui.SummaryRow(_("Card"), str(row.card) if row.card else ""),
        ui.SummaryRow(_("Provider"), row.provider),
        ui.SummaryRow(_("Provider's reference"), row.reference),
        ui.SummaryRow(_("Our order"), row.order_id),
        ui.SummaryRow(_("Time of the payment itself"), row.value_at),
        ui.SummaryRow(_("Questions asked"), row.asked_count),
        *([ui.SummaryRow(_("Asked again"), row.ask_at)] if row.is_open and row.ask_at else []),
    ]
    if row.told_minor is not None:
        told = formats.number(row.told_minor) if row.details.get("told_currency") != row.currency else None
        shown: Any = f"{told} {row.details.get('told_currency')}" if told else ui.Money(row.told_minor, row.currency)
        rows.insert(1, ui.SummaryRow(_("Amount the provider names"), shown))
    if row.reason:
        rows.append(ui.SummaryRow(_("Why refused"), words.REASON.get(row.reason, row.reason), note=row.raw_code))
    if row.returned_minor:
        rows.append(ui.SummaryRow(_("Taken back by the bank"), ui.Money(row.returned_minor, row.currency)))
    return rows


def _history(row: Any) -> list[ui.TimelineItem]:
    """What happened to the instruction, newest first, from the audit trail."""
    items = []
    entries = [one for one in trail.trail(row) if one.action.startswith("payments.")]
    names = access.names_of({one.actor_id for one in entries if one.actor_kind == "staff"})
    for one in entries:
        verb = one.action.removeprefix("payments.").removeprefix(f"{row.kind}_")
        text, tone, icon = TOLD.get(verb, (verb, "neutral", "dot"))
        who = names.get(one.actor_id) or words.ACTOR.get(one.actor_kind, one.actor_kind)
        items.append(ui.TimelineItem(title=text, when=one.recorded_at, who=who, tone=tone, icon=icon))
    if row.sent_at:
        sent_item = ui.TimelineItem(title=_("Sent to the provider"), when=row.sent_at, tone="info", icon="send")
        items.insert(max(0, len(items) - 1), sent_item)
    return items


TOLD: dict[str, tuple[Any, ui.Tone, str]] = {
    "given": (gettext_lazy("Given"), "neutral", "dot"),
    "succeeded": (gettext_lazy("Done"), "good", "check"),
    "failed": (gettext_lazy("Refused"), "bad", "alert"),
    "mismatch": (gettext_lazy("The provider named another amount"), "bad", "alert"),
    "reconciled": (gettext_lazy("Settled by a person"), "good", "check"),
    "taken_back": (gettext_lazy("Taken back by the bank"), "bad", "alert"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral", "dot"),
    "asked": (gettext_lazy("Asked again"), "info", "refresh"),
}


def _subject(request: StaffRequest, row: Any) -> dict[str, str]:
    """What the money is for, with the address of its page where the person may open it."""
    if row.subject_type == LOAN:
        number = numbers_of([row.subject_id]).get(row.subject_id, "")
        href = reverse("staff:loan", args=[row.subject_id]) if "loan.view" in request.permissions else ""
        return {"words": _("Loan %(number)s") % {"number": number}, "href": href}
    try:
        href = reverse("staff:case", args=[row.subject_id]) if "application.view" in request.permissions else ""
    except NoReverseMatch:
        href = ""
    return {"words": _("Application"), "href": href}


@permits.staff("payment.resolve")
@require_POST
def ask_again(request: StaffRequest, instruction_id: UUID) -> HttpResponse:
    """Has the provider asked at once; nothing is ever sent again."""
    row = _found(request, instruction_id, "payment.resolve")
    rails.ask_now(instruction_id=row.pk, actor=request.actor)
    messages.success(request, _("The provider is being asked. Open this page again in a few seconds."))
    return redirect("staff:instruction", instruction_id=row.pk)


@permits.staff("payment.resolve")
@require_POST
def ask_all(request: StaffRequest) -> HttpResponse:
    """Has the provider asked at once about every order in doubt."""
    within = access.scope_filter(request.user, "payment.resolve")
    count = doubts.ask_all_now(within=within, actor=request.actor, at=clock.now())
    told = ngettext(
        "The provider is being asked about %(count)s order.",
        "The provider is being asked about %(count)s orders.",
        count,
    )
    messages.success(request, told % {"count": formats.number(count)})
    return redirect("staff:payments")


class ReconcileForm(house.Form):
    truth = house.CardChoiceField(label=gettext_lazy("What really moved?"))
    note = forms.CharField(label=gettext_lazy("How do you know?"), max_length=300)

    def __init__(self, *args: Any, instruction: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        told, asked = instruction.told_minor, instruction.amount_minor
        choices = []
        if (
            told
            and instruction.kind in ("checkout", "debit")
            and instruction.details.get("told_currency") == instruction.currency
        ):
            amount = formats.money(told, instruction.currency)
            choices.append((str(told), _("%(amount)s, as the provider says") % {"amount": amount}))
        amount = formats.money(asked, instruction.currency)
        choices.append((str(asked), _("%(amount)s, as we asked for") % {"amount": amount}))
        choices.append(("0", _("Nothing: it counts as refused")))
        self.fields["truth"].choices = choices  # type: ignore[attr-defined]


@permits.staff("payment.resolve")
@require_http_methods(["GET", "POST"])
def reconcile(request: StaffRequest, instruction_id: UUID) -> HttpResponse:
    """A person says what really moved, after looking at the provider's statement."""
    row = _found(request, instruction_id, "payment.resolve")

    def submit(form: Any) -> HttpResponse:
        rails.reconcile(
            instruction_id=row.pk,
            amount_minor=int(form.cleaned_data["truth"]),
            note=form.cleaned_data["note"],
            at=clock.now(),
            actor=request.actor,
        )
        messages.success(request, _("It is settled. What follows from it happens now."))
        return redirect("staff:instruction", instruction_id=row.pk)

    if request.method == "GET" and row.state != "mismatch":
        return redirect("staff:instruction", instruction_id=row.pk)
    effects = [
        ui.Effect(_("The amount that you choose is booked on the loan with the time of the payment itself.")),
        ui.Effect(_("This cannot be chosen again; a mistake must be undone on the loan."), "warn"),
    ]
    return answer(
        request,
        "staff/payments/reconcile.html",
        ReconcileForm(sent(request), instruction=row),
        submit,
        instruction=row,
        effects=effects,
        parent="layouts/staff.html",
        confirm_label=_("Settle it"),
        cancel_url=reverse("staff:instruction", args=[row.pk]),
        crumbs=[
            ui.Crumb(_("Payments"), reverse("staff:payments")),
            ui.Crumb(row.order_id, reverse("staff:instruction", args=[row.pk])),
            ui.Crumb(_("Settle it")),
        ],
    )
