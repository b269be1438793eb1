"""What a proposal would change, in words, for kinds whose data is not made of plain fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from usance.apps.decisioning import services as decisioning
from usance.apps.ledger import services as ledger
from usance.apps.products import selectors as products
from usance.apps.products import services as pricing
from usance.apps.servicing import selectors as loans
from usance.core.calendar import ONE_DAY
from usance.web import components as ui
from usance.web import reckoning, words
from usance.web.staff import course_forms, product_words, terms_form, vocabulary
from usance.web.templatetags import formats
from usance.workflows import changed_channels, customer_care, draw_part, import_portfolio, loan_course, serve_loan

PLACES_OF_NO_MATTER = (".position.", "_id", "viewport")


def of(row: Any, institution: Any) -> list[ui.DiffRow] | None:
    """The difference of a proposal; None for kinds that need no words of their own."""
    made = _KINDS.get(row.kind)
    return made(row, institution) if made else None


def _product(row: Any, institution: Any) -> list[ui.DiffRow]:
    return product_words.difference(row.before, row.after, institution)


def _rules(row: Any, institution: Any) -> list[ui.DiffRow]:
    """Each cell and formula of the graph that differs, found by the name of its node."""
    before, after = _nodes(row.before), _nodes(row.after.get("content") or {})
    starts_on = date.fromisoformat(row.after["starts_on"])
    found = [ui.DiffRow(_("In force from"), "", formats.date_l(starts_on))]
    for change in products.changes(before, after):
        if not any(place in f"{change.path}." for place in PLACES_OF_NO_MATTER):
            found.append(ui.DiffRow(change.path.replace(".", " › "), _cell(change.before), _cell(change.after)))
    return found


def _waiver(row: Any, institution: Any) -> list[ui.DiffRow]:
    """The balance as it was and would be, and what is owed there by now if the loan has changed since."""
    balance, shown = str(row.after["balance"]), _money(institution)
    found = [
        ui.DiffRow(words.full_balance_name(balance), shown(row.before["owed_minor"]), shown(row.after["owed_minor"]))
    ]
    now = loans.loan_view(loan_id=UUID(row.subject_id)).balances.get(balance, 0) if row.state == "proposed" else None
    return found + _since(row, now, shown)


def _write_off(row: Any, institution: Any) -> list[ui.DiffRow]:
    """What leaves the books, and how much that is by now if the loan has changed since."""
    shown = _money(institution)
    status = [str(words.LOAN_STATUS.get(side["status"], (side["status"],))[0]) for side in (row.before, row.after)]
    found = [
        ui.DiffRow(_("Status"), *status),
        ui.DiffRow(_("Owed in all"), shown(row.before["owed_minor"]), shown(row.after["owed_minor"])),
    ]
    now = loans.loan(UUID(row.subject_id)).outstanding_minor if row.state == "proposed" else None
    return found + _since(row, now, shown)


def _rate(row: Any, institution: Any) -> list[ui.DiffRow]:
    """The rate, since when, and what that does to the debt."""
    shown = _money(institution)
    rates = [reckoning.rate(serve_loan.rate_of(side)) for side in (row.before, row.after)]
    found = [
        ui.DiffRow(_("Rate"), *rates),
        ui.DiffRow(_("From which day"), "", formats.date_l(date.fromisoformat(row.after["value_on"]))),
        ui.DiffRow(_("Owed in all"), shown(row.before["owed_minor"]), shown(row.after["owed_minor"])),
    ]
    now = loans.loan(UUID(row.subject_id)).outstanding_minor if row.state == "proposed" else None
    return found + _since(row, now, shown)


def _part(row: Any, institution: Any) -> list[ui.DiffRow]:
    """The money that goes out, to which card, and what the loan then owes."""
    shown = _money(institution)
    asked = _("the borrower, with a code to their phone") if row.asked_by else _("a colleague")
    found = [
        ui.DiffRow(_("Who asked for it?"), "", asked),
        ui.DiffRow(_("Part of the loan"), "", shown(row.after["amount_minor"])),
        ui.DiffRow(_("Sent to the card"), "", shown(row.after["sent_minor"])),
        ui.DiffRow(_("Card"), "", row.after["card"]),
        ui.DiffRow(_("Owed in all"), shown(row.before["owed_minor"]), shown(row.after["owed_minor"])),
        ui.DiffRow(_("Next payment"), shown(row.before["next_minor"]), shown(row.after["next_minor"])),
    ]
    now = loans.loan(UUID(row.subject_id)).outstanding_minor if row.state == "proposed" else None
    return found + _since(row, now, shown)


def _correction(row: Any, institution: Any) -> list[ui.DiffRow]:
    """Each term that was wrong, and what the right one does to the debt."""
    shown = _money(institution)
    found = terms_form.difference(row.before["terms"], row.after["terms"], institution)
    found.append(ui.DiffRow(_("Owed in all"), shown(row.before["owed_minor"]), shown(row.after["owed_minor"])))
    now = loans.loan(UUID(row.subject_id)).outstanding_minor if row.state == "proposed" else None
    return found + _since(row, now, shown)


def _course(row: Any, institution: Any) -> list[ui.DiffRow]:
    """What the event says, then the loan's figures before and after it."""
    shown, told = _money(institution), row.after["event"]
    found = [ui.DiffRow(label, "", _said(told[name], shown, name)) for name, label in SAID.items() if told.get(name)]
    if told["kind"] == "ChargedBack":
        found = [*_disputed(UUID(row.subject_id), told, shown), *found]
    if told["kind"] == "ChargedOff":  # which changes nothing that is owed
        found.append(ui.DiffRow(words.COMPONENTS["charged_off"], shown(0), shown(row.before["owed_minor"])))
    if told["kind"] == "Sold":
        found += _sold(row.after, shown)
    if told["kind"] == "Credited":
        found.insert(0, ui.DiffRow(_("Which credit is it?"), "", reckoning.CREDITS.get(told["reason"], told["reason"])))
    for name, label in FIGURES.items():
        sides = [side.get(name, 0) for side in (row.before, row.after)]  # older proposals do not know each figure
        if sides[0] != sides[1]:
            found.append(ui.DiffRow(label, *(_said(side, shown, name) for side in sides)))
    now = loans.loan(UUID(row.subject_id)).outstanding_minor if row.state == "proposed" else None
    return found + _since(row, now, shown)


def _sold(after: Mapping[str, Any], shown: Callable[[int], ui.Money]) -> list[ui.DiffRow]:
    """The last day of ours, the debt by balance, and what is won or lost."""
    parts = [ui.DiffRow(words.full_balance_name(key), shown(minor), shown(0)) for key, minor in after["debt"].items()]
    return [
        ui.DiffRow(_("Last day of ours"), "", _said(after["event"]["effective_on"], shown, "")),
        *parts,
        ui.DiffRow(_("Gain, or loss below zero"), "", shown(after["result_minor"])),
    ]


def _disputed(loan_id: UUID, told: Mapping[str, Any], shown: Callable[[int], ui.Money]) -> list[ui.DiffRow]:
    """The payment that was disputed, and since when its money is gone."""
    payment = loans.events_of(loan_id=loan_id).filter(source=told["payment"]).first()
    rows = [ui.DiffRow(_("Day on which the money was taken from us"), "", _said(told["effective_on"], shown, ""))]
    if payment is not None:
        rows.insert(0, ui.DiffRow(_("Which payment was disputed?"), "", shown(payment.payload["amount_minor"])))
        rows.insert(1, ui.DiffRow(_("Day of this payment"), "", formats.date_l(payment.effective_on)))
    return rows


# parts of an event, and figures of a loan, in words
SAID: Mapping[str, Any] = {
    "buyer": gettext_lazy("Buyer"),
    "contact": gettext_lazy("Where the borrower reaches the buyer"),
    "price_minor": gettext_lazy("Price"),
    "amount_minor": gettext_lazy("Amount"),
    "owed_by": gettext_lazy("Who owes it?"),
    "balance": gettext_lazy("As what is it owed again?"),
    "interest_too": gettext_lazy("Give back the interest on it too"),
    "since": gettext_lazy("From the night of"),
    "until": gettext_lazy("Until the morning of"),
    "moved_from": gettext_lazy("Which due date moves?"),
    "moved_to": gettext_lazy("To which day?"),
    "more": gettext_lazy("More instalments at the end"),
    "interest": gettext_lazy("How is the debt spread?"),
    "start_on": gettext_lazy("First due date"),
    "count": gettext_lazy("Number of instalments"),
}
FIGURES: Mapping[str, Any] = {
    "status": gettext_lazy("Status"),
    "owed_minor": gettext_lazy("Owed in all"),
    "past_due_minor": gettext_lazy("Past due"),
    "next_due_on": gettext_lazy("Next due"),
    "ends_on": gettext_lazy("Last payment day"),
    "still_to_pay_minor": gettext_lazy("Still to pay to the end"),
    "suspended_minor": words.COMPONENTS["suspended"],
}


def _said(value: Any, shown: Callable[[int], ui.Money], name: str) -> Any:
    if name.endswith("_minor"):
        return shown(value)
    if name in ("buyer", "contact"):
        return value
    if name == "status":
        return str(words.LOAN_STATUS.get(value, (value,))[0])
    if name == "owed_by":
        return str(words.OWED_BY[value])
    if name == "balance":
        return str(words.full_balance_name(value))
    if name == "interest":
        return str(course_forms.SPREADS[value][0])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return formats.number(value)
    return formats.date_l(date.fromisoformat(value)) if value else "–"


def _since(row: Any, now_minor: int | None, shown: Callable[[int], ui.Money]) -> list[ui.DiffRow]:
    if now_minor is None or now_minor == row.before["owed_minor"]:
        return []
    return [
        ui.DiffRow(
            _("Changed since it was proposed: owed then, and now"), shown(row.before["owed_minor"]), shown(now_minor)
        )
    ]


def _unlocking(row: Any, institution: Any) -> list[ui.DiffRow]:
    """The days, both included, and that they would be open."""
    first, end = (date.fromisoformat(row.before[name]) for name in ("starts_on", "ends_on"))
    days = f"{formats.date_l(first)} – {formats.date_l(end - ONE_DAY)}"
    return [ui.DiffRow(days, _("Locked"), pgettext("state", "Open"))]


def _money(institution: Any) -> Callable[[int], ui.Money]:
    return lambda minor: ui.Money(minor, institution.currency)


def _erasure(row: Any, institution: Any) -> list[ui.DiffRow]:
    why = vocabulary.ERASE_REASON.get(row.after["reason"], row.after["reason"])
    return [
        ui.DiffRow(_("Why"), "", why),
        ui.DiffRow(_("What identifies the customer"), _("there, sealed"), _("unreadable for ever")),
    ]


def _import(row: Any, institution: Any) -> list[ui.DiffRow]:
    """The sums by product that the maker saw."""
    said, shown = row.after, _money(institution)
    found = [
        ui.DiffRow(_("New customers"), "", formats.number(said["customers"])),
        ui.DiffRow(_("New loans"), "", formats.number(said["loans"])),
        ui.DiffRow(_("Figures that differ from the other system's"), "", formats.number(said["differences"])),
    ]
    for group in said["groups"]:
        for part in ("principal", "interest", "fee", "penalty", "tax", "unapplied"):
            if group[f"{part}_minor"]:
                name = f"{group['product']}: {words.full_balance_name(part)}"
                found.append(ui.DiffRow(name, "", shown(group[f"{part}_minor"])))
    return found


def _nodes(content: Mapping[str, Any]) -> dict[str, Any]:
    """Node name -> what it holds, rows by their own ids where they have them."""
    found: dict[str, Any] = {}
    for node in content.get("nodes", []):
        inside = node.get("content") or {}
        rows = {str(rule.get("_id", number)): rule for number, rule in enumerate(inside.get("rules", []))}
        found[str(node.get("name"))] = {**inside, "rules": rows} if rows else inside
    return found


def _cell(value: Any) -> str:
    return "" if value is None or value == {} or value == [] else str(value)


def _phone(row: Any, institution: Any) -> list[ui.DiffRow]:
    """Both numbers masked: the second person judges the reason, not the digits."""
    return [ui.DiffRow(_("Phone"), str(row.before["phone"]), str(row.after["phone"]))]


_KINDS: Mapping[str, Callable[[Any, Any], list[ui.DiffRow]]] = {
    pricing.APPROVAL: _product,
    decisioning.APPROVAL: _rules,
    ledger.UNLOCK: _unlocking,
    serve_loan.WAIVE: _waiver,
    serve_loan.WRITE_OFF: _write_off,
    serve_loan.CHANGE_RATE: _rate,
    **dict.fromkeys(loan_course.PROPOSED_AS.values(), _course),
    serve_loan.CORRECT: _correction,
    draw_part.DRAW: _part,
    changed_channels.PHONE_BY_STAFF: _phone,
    customer_care.ERASE: _erasure,
    import_portfolio.APPROVAL: _import,
}
