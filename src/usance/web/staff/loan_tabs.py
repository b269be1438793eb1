"""What each tab of a loan's page shows. Every tab asks only for what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from usance.apps.access import selectors as access
from usance.apps.institutions import selectors as institutions
from usance.apps.products import selectors as products
from usance.apps.servicing import classing, drawn, selectors
from usance.core.loan import state
from usance.web import components as ui
from usance.web import reckoning, words
from usance.web.staff import loan_records, terms_form, vocabulary
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at which loan, and as of when."""

    request: StaffRequest
    loan: selectors.Loan
    view: selectors.LoanView
    today: date
    kept: Mapping[str, str]  # the chosen days, for links within the page

    @property
    def currency(self) -> str:
        return self.loan.currency

    @property
    def is_other_day(self) -> bool:
        return self.view.on != self.today or self.view.known is not None

    def money(self, minor: int) -> ui.Money:
        return ui.Money(minor, self.loan.currency)


@dataclass(frozen=True, slots=True)
class Tab:
    """`permission`: what one must hold beside the right to see loans."""

    code: str
    words: str | Promise
    build: Callable[[Looking], dict[str, Any]]
    permission: str = ""

    def href(self, kept: Mapping[str, str]) -> str:
        return "?" + urlencode({"tab": self.code, **kept})


def product_names() -> dict[str, str]:
    """Names of the products by code, in the reader's language."""
    language = get_language() or "en"
    return {product.code: product.name(language) for product in products.products()}


def of(request: StaffRequest) -> list[Tab]:
    """The tabs that the person may open."""
    return [tab for tab in TABS if not tab.permission or tab.permission in request.permissions]


def figures(looking: Looking) -> list[dict[str, Any]]:
    """The money cards above the tabs, each with what makes it up."""
    standing, loan = looking.view.standing, looking.view.state
    ages, owed = state.payable(loan), state.owed(loan)
    due = _together(ages["past_due"], ages["due"])
    shown: list[dict[str, Any]] = [
        {"label": _("Owed in all"), "minor": standing.outstanding_minor, "lines": _made_of(owed)},
        {"label": _("Due now"), "minor": standing.due_now_minor, "lines": _made_of(due)},
        {
            "label": _("Past due"),
            "minor": standing.past_due_minor,
            "note": _late(standing.days_past_due),
            "lines": _made_of(ages["past_due"]),
        },
        _next_payment(looking, due),
        {
            "label": _("To close the loan"),
            "minor": standing.payoff_minor,
            "lines": _made_of(_together(owed, {"unapplied": -min(standing.unapplied_minor, sum(owed.values()))})),
        },
    ]
    if standing.unapplied_minor:
        held = {"unapplied": standing.unapplied_minor}
        shown.append({"label": _("Paid in advance"), "minor": standing.unapplied_minor, "lines": _made_of(held)})
    return shown


def _next_payment(looking: Looking, due: Mapping[str, int]) -> dict[str, Any]:
    """Due today, it is all that is due now; later, an instalment less what was paid of it before."""
    standing = looking.view.standing
    if not standing.next_due_on:
        return {"label": _("Next payment"), "minor": 0}
    ahead = next((row for row in looking.view.schedule if row.due_on == standing.next_due_on and not row.billed), None)
    lines = _made_of(due if standing.next_due_on == looking.view.on else ahead.amounts if ahead else {})
    if lines and ahead and ahead.early_minor:
        lines = [
            *lines[:-1],
            ui.Line(_("Paid before"), -ahead.early_minor),
            ui.Line(_("Together"), ahead.remaining_minor, total=True),
        ]
    return {
        "label": _("Next payment"),
        "minor": standing.next_due_minor,
        "note": formats.date_l(standing.next_due_on, "medium"),
        "lines": lines,
    }


def _together(*parts: Mapping[str, int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for part in parts:
        for balance, minor in part.items():
            sums[balance] = sums.get(balance, 0) + minor
    return sums


def _made_of(amounts: Mapping[str, int]) -> Sequence[ui.Line]:
    """A figure by balance; how each balance came about stands under it in the summary."""
    lines = [
        ui.Line(words.full_balance_name(balance), amounts[balance])
        for balance in sorted(amounts, key=_rank)
        if amounts[balance]
    ]
    return [*lines, ui.Line(_("Together"), sum(amounts.values()), total=True)] if lines else ()


def _late(days: int) -> str:
    return _("for %(days)s") % {"days": formats.days(days)} if days else ""


# --- tabs --------------------------------------------------------------------------------------------------------


def summary(looking: Looking) -> dict[str, Any]:
    """Every balance with the lines that make it up, and the agreement in short."""
    view = looking.view
    by_balance: dict[str, list[Any]] = {}
    for line in view.explain():
        by_balance.setdefault(line.balance, []).append(line)
    balances = [
        {
            "code": balance,
            "name": words.full_balance_name(balance),
            "minor": view.balances.get(balance, 0),
            "lines": reckoning.explained(by_balance.get(balance, ()), looking.loan.currency),
        }
        for balance in sorted({*by_balance, *view.balances}, key=_rank)
    ]
    return {"balances": balances, "agreed": _agreed(looking), **_class(looking)}


def _rank(balance: str) -> tuple[int, str]:
    """Balances in the order in which people name them."""
    order = list(words.COMPONENTS)
    component = balance.partition(":")[0]
    return (order.index(component) if component in order else len(order), balance)


def _agreed(looking: Looking) -> list[ui.SummaryRow]:
    loan, then = looking.loan, looking.view.state
    most_late = loan.max_days_past_due
    units = {unit.path: unit.name for unit in institutions.units()}
    rows = [
        ui.SummaryRow(_("Product"), product_names().get(loan.product, loan.product)),
        ui.SummaryRow(_("Agreed amount"), looking.money(loan.amount_minor)),
        ui.SummaryRow(_("Booked"), loan.booked_on),
        ui.SummaryRow(_("Money arrived"), then.disbursed_on),
        *_drawn(looking),
        ui.SummaryRow(_("Last payment day"), looking.view.standing.ends_on),
        ui.SummaryRow(_("Extensions so far"), then.extension_count),
        ui.SummaryRow(_("Most days late"), looking.view.max_days_past_due if looking.is_other_day else most_late),
        ui.SummaryRow(_("Unit"), units.get(loan.org_path, loan.org_path)),
    ]
    if looking.view.state.penalty_paused:
        rows.append(ui.SummaryRow(_("Penalty"), ui.Tag(_("Paused"), "info")))
    for since, until in then.pauses:
        ends = formats.date_l(until) if until < date.max else _("for good")
        rows.append(ui.SummaryRow(_("Days without interest"), f"{formats.date_l(since)} – {ends}"))
    if then.charged_off_on:
        rows.append(ui.SummaryRow(_("Taken for lost"), then.charged_off_on))
    if then.non_accrual_on:
        by_hand = _("by decision of a colleague") if then.non_accrual_by_hand else ""
        rows.append(ui.SummaryRow(_("On non-accrual since"), then.non_accrual_on, note=by_hand))
    return [*rows, *_sale(looking)]


def _sale(looking: Looking) -> list[ui.SummaryRow]:
    """To whom the debt was sold, for how much, and where they are reached."""
    sale = looking.view.sale
    if sale is None:
        return []
    return [
        ui.SummaryRow(_("Sold on"), sale.effective_on),
        ui.SummaryRow(_("Buyer"), sale.buyer),
        ui.SummaryRow(_("Where the borrower reaches the buyer"), sale.contact),
        ui.SummaryRow(_("Price"), looking.money(sale.price_minor)),
    ]


def _drawn(looking: Looking) -> list[ui.SummaryRow]:
    """The parts of a loan that is drawn in parts, and what is left of what was agreed."""
    found = drawn.drawing(looking.loan.pk)
    if found is None:
        return []
    rows = [
        ui.SummaryRow(_("Part of %(day)s") % {"day": formats.date_l(on, "medium")}, looking.money(amount))
        for on, amount in found.parts
        if on <= looking.view.on
    ]
    if found.left_minor and not looking.is_other_day:
        rows.append(ui.SummaryRow(_("May still be paid out"), looking.money(found.left_minor)))
        rows.append(ui.SummaryRow(_("Until"), found.until))
    return rows


def _class(looking: Looking) -> dict[str, Any]:
    """The class of the country's regulator at the end of the day before the one that is looked at, and its history."""
    if looking.view.on > looking.today:
        return {}
    changes = list(classing.changes_of(loan_id=looking.loan.pk))
    later = [one for one in changes if one.day >= looking.view.on]
    code = later[-1].was if later else looking.loan.loan_class
    columns = [
        ui.Column("day", _("At the end of")),
        ui.Column("class", _("Class")),
        ui.Column("late", _("Days late"), numeric=True),
    ]
    rows = [
        ui.Row([one.day, words.tag(words.LOAN_CLASS, one.now), one.days_past_due])
        for one in changes
        if one.day < looking.view.on
    ]
    empty = ui.Empty(_("It has always been of this class"), "")
    return {
        "loan_class": words.tag(words.LOAN_CLASS, code) if code else None,
        "class_changes": ui.DataTable(_("Changes of class"), columns, rows, empty) if code else None,
    }


def schedule(looking: Looking) -> dict[str, Any]:
    rows = words.schedule(looking.view)
    total = ui.Instalment(
        number=0,
        due_on=looking.view.on,
        total_minor=sum(row.total_minor for row in rows),
        principal_minor=sum(row.principal_minor for row in rows),
        interest_minor=sum(row.interest_minor for row in rows),
        fees_minor=sum(row.fees_minor for row in rows),
    )
    return {"schedule": rows, "schedule_total": total if rows else None}


SHOWN: Mapping[str, frozenset[str]] = {
    "money": frozenset(
        {"disbursed", "taken_over", "disbursement_failed", "payment_received", "payment_expected", "payment_returned"}
        | {"refunded", "recovered", "buyer_paid", "forwarded"}
    ),
    "changes": frozenset(
        {"approved", "cancelled", "extended", "waived", "fee_added", "rate_changed", "penalty_paused"}
        | {"penalty_resumed", "reversed", "written_off", "charged", "charged_back", "credited", "interest_paused"}
        | {"rescheduled", "respread", "terminated", "charged_off", "terms_corrected", "sold"}
        | {"put_on_non_accrual", "restored_to_accrual"}
        | {"income_deferred", "income_taken_back"}
    ),
    "dates": frozenset(
        {"instalment_due", "became_past_due", "cured", "matured", "defaulted", "paid_off", "reopened"}
        | {"penalty_capped", "cost_capped", "unapplied_left", "non_accrual_began", "non_accrual_ended"}
    ),
}


def timeline(looking: Looking) -> dict[str, Any]:
    """What happened, newest first, with who did it; narrowed by `?show=`."""
    asked = looking.request.GET.get("show", "")
    kinds = SHOWN.get(asked)
    lines = [line for line in looking.view.timeline if kinds is None or line.kind in kinds]
    actors = selectors.actors_of(loan_id=looking.loan.pk)
    names = access.names_of({actor_id for kind, actor_id in actors.values() if kind == "staff"})
    items = []
    for item, line in zip(words.timeline(lines, looking.currency), lines, strict=True):
        kind, actor_id = actors.get(line.source, (line.actor_kind, ""))
        who = names.get(actor_id) or words.ACTOR.get(kind, kind)
        items.append(_with(item, who="" if line.is_fact else who, body=_told(item.body, line)))
    views = (("", _("All")), ("money", _("Money")), ("changes", _("Changes")), ("dates", _("Dates")))
    filters = [
        ui.Tab(
            text,
            "?" + urlencode({"tab": "timeline", "show": code, **looking.kept}),
            current=code == (asked if kinds else ""),
        )
        for code, text in views
    ]
    return {"timeline": items, "timeline_filters": filters}


def _with(item: ui.TimelineItem, *, who: Any, body: Any) -> ui.TimelineItem:
    return ui.TimelineItem(
        title=item.title, when=item.when, body=body, who=who, amount=item.amount, tone=item.tone, icon=item.icon
    )


def _told(body: Any, line: selectors.TimelineLine) -> str:
    """The details a colleague asks for: what was forgiven, by how many days, why, and when it was booked."""
    parts = [str(body)] if body else []
    if balance := line.details.get("balance"):
        parts.append(str(words.full_balance_name(balance)))
    if fee_kind := line.details.get("fee_kind"):
        parts.append(str(words.FEES.get(fee_kind, fee_kind)))
    if line.kind == "sold":
        parts.append(line.details["buyer"])
    if line.kind == "extended":
        parts.append(formats.days(line.details["days"]))
    if line.kind == "terms_corrected":
        parts += [str(row.label) for row in terms_form.difference(line.details["before"], line.details["after"], None)]
    if reason := line.details.get("reason"):
        parts.append(_why(line.kind, str(reason)))
    if not line.is_fact and line.booked_on != line.on:
        parts.append(_("booked on %(day)s") % {"day": formats.date_l(line.booked_on, "medium")})
    return " · ".join(parts)


def _why(kind: str, reason: str) -> str:
    """What a person gave as the reason; what the house gave, in words."""
    if kind == "credited":
        return str(reckoning.CREDITS.get(reason, reason))
    by, _colon, status = reason.partition(": ")
    return str(vocabulary.PROTECTION[status]) if by == "protected" and status in vocabulary.PROTECTION else reason


TABS = (
    Tab("summary", gettext_lazy("Summary"), summary),
    Tab("schedule", gettext_lazy("Schedule"), schedule),
    Tab("timeline", gettext_lazy("Timeline"), timeline),
    Tab("books", gettext_lazy("Ledger"), loan_records.books),
    Tab("movements", gettext_lazy("Movements"), loan_records.movements),
    Tab("messages", gettext_lazy("Messages"), loan_records.messages, "message.view"),
    Tab("documents", gettext_lazy("Papers"), loan_records.documents, "document.view"),
    Tab("money", gettext_lazy("Payments"), loan_records.money, "payment.view"),
    Tab("parties", gettext_lazy("Parties"), loan_records.parties),
    Tab("looked", gettext_lazy("Who looked"), loan_records.looked),
)
