"""The words and figures of a bill, in the active language: what falls due, and what is left from before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from usance.apps.agreements.papers import Frame, Person
from usance.apps.institutions import formats
from usance.apps.products.balances import full_balance_name


def bill(*, frame: Frame, person: Person, content: Mapping[str, Any]) -> dict[str, Any]:
    """`content`: the fields of core.loan.quote.Statement as JSON, and `card` (masked), from which a late payment may be
    collected; empty where there is none."""
    due_on = formats.day(date.fromisoformat(content["due_on"]))
    highlights = [
        {"label": _("To pay"), "value": frame.money(content["total_minor"])},
        {"label": _("Due on"), "value": due_on},
        {"label": _("Loan"), "value": frame.reference},
    ]
    sections: list[dict[str, Any]] = [
        {"title": _("Payment %(number)s") % {"number": content["number"]}, "rows": _amounts(frame, content["new"])},
        *_carried(frame, content["carried"]),
        {"title": _("In all"), "rows": _in_all(frame, content)},
        {"title": _("How to pay"), "paragraphs": _ways(content["card"])},
        {"title": _("Borrower"), "rows": [[_("Name"), person.name], [_("Phone"), person.phone]]},
    ]
    return frame.data(title=_("Bill"), sections=sections, highlights=highlights)


def _amounts(frame: Frame, amounts: Mapping[str, int]) -> list[list[str]]:
    return [[str(full_balance_name(balance)), frame.money(amount)] for balance, amount in amounts.items() if amount]


def _carried(frame: Frame, carried: Mapping[str, int]) -> list[dict[str, Any]]:
    if not any(carried.values()):
        return []
    words = _(
        "This fell due before and is not paid yet. Pay it now: each day of waiting may cost more, and that is not in "
        "this bill."
    )
    return [{"title": _("Left from before"), "paragraphs": [words], "rows": _amounts(frame, carried)}]


def _in_all(frame: Frame, content: Mapping[str, Any]) -> list[list[str]]:
    rows = [
        [_("This payment"), frame.money(sum(content["new"].values()))],
        [_("Left from before"), frame.money(sum(content["carried"].values()))],
    ]
    if content["paid_minor"]:
        rows.append([_("Paid already"), frame.money(-content["paid_minor"])])
    return [*rows, [_("To pay"), frame.money(content["total_minor"])]]


def _ways(card: str) -> list[str]:
    words = [_("Pay in your account on our site, by card. What you pay after the day of this bill is not on it yet.")]
    if card:
        words.append(_("If a payment is late, we may collect it from %(card)s, as agreed.") % {"card": card})
    return words
