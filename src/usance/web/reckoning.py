"""How a line of an explanation was reckoned, in words: the engine names the rule and what went into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.core.loan.book import Line
from usance.core.rates import Rate
from usance.web import components as ui
from usance.web.templatetags import formats
from usance.web.words import COMPONENTS, FEES

PER: Mapping[str, Any] = {
    "day": gettext_lazy("a day"),
    "month": gettext_lazy("a month"),
    "year": gettext_lazy("a year"),
}
AGES: Mapping[str, Any] = {
    "past_due": gettext_lazy("paid what was past due"),
    "due": gettext_lazy("paid what was due"),
    "in_advance": gettext_lazy("paid ahead of its date"),
}
# the first part of a rule's name -> words, where the rest of it says nothing to people
PLAIN: Mapping[str, Any] = {
    "withdrawal": gettext_lazy("the borrower stepped back"),
    "disbursement": gettext_lazy("the money that was lent"),
    "payment": gettext_lazy("money received"),
    "recovery": gettext_lazy("collected on what was written off"),
    "refund": gettext_lazy("sent back"),
    "chargeback": gettext_lazy("taken back by who had paid"),
    "respread": gettext_lazy("what equal shares round up or down"),
    "waiver": gettext_lazy("forgiven"),
    "tolerance": gettext_lazy("a small rest, forgiven as the agreement says"),
    "write_off": gettext_lazy("written off"),
    "sale": gettext_lazy("sold, and settled with the buyer"),
    "charge_off": gettext_lazy("of the debt that was taken for lost"),
    "non_accrual": gettext_lazy("interest and penalties owed while on non-accrual"),
    "take_over": gettext_lazy("as it stood in the other system"),
}
CREDITS: Mapping[str, Any] = {  # why something is owed no more without money of the borrower
    "goodwill": gettext_lazy("our goodwill"),
    "merchant_refund": gettext_lazy("returned by the merchant"),
    "payout_refund": gettext_lazy("the payout came back"),
    "interest_waiver": gettext_lazy("interest given up"),
    "charge_adjustment": gettext_lazy("a charge given up"),
}


def explained(lines: Iterable[Line], currency: Any) -> list[ui.Line]:
    """What makes up a balance, line by line, with its sum."""
    shown, total = [], 0
    for line in lines:
        total += line.amount_minor
        last_day = line.ends_on - timedelta(days=1)
        when = formats.date_l(line.starts_on, "medium")
        if last_day > line.starts_on:
            when = f"{when} – {formats.date_l(last_day, 'medium')}"
        shown.append(ui.Line(label=when, amount=line.amount_minor, note=reckoned(line, currency)))
    shown.append(ui.Line(label=_("Together"), amount=total, total=True))
    return shown


def reckoned(line: Line, currency: Any) -> str:
    """The words beside a line; the engine's own formula where a rule has none yet."""
    rule, _dot, rest = line.rule.partition(".")
    if rule in PLAIN:
        return str(PLAIN[rule])
    told = TOLD.get(rule)
    return told(line.inputs, rest, currency) if told is not None else line.formula


def rate(borne: Rate) -> str:
    """A rate in words: 1 % a day."""
    return f"{formats.percent(borne.share, 4)} {PER[borne.per]}"


def _accrued(inputs: Mapping[str, Any], rest: str, currency: Any) -> str:
    if rest in SINGLE:
        return str(SINGLE[rest])
    values = {
        "base": formats.money(inputs["base_minor"], currency),
        "rate": formats.percent(inputs["share"], 4),
        "days": formats.days(inputs["days"]),
    }
    if inputs["per"] == "instalment":
        words = _("%(base)s × %(rate)s an instalment, for %(days)s of it") % values
    else:
        words = _("%(base)s × %(rate)s %(per)s × %(days)s") % (values | {"per": PER[inputs["per"]]})
    return _("%(reckoning)s, up to the cap") % {"reckoning": words} if inputs["capped"] else words


# what is charged at one moment, not by the day
SINGLE: Mapping[str, Any] = {
    "flat_per_miss": gettext_lazy("for a missed payment"),
    "flat": gettext_lazy("a fixed amount"),
    "residue": gettext_lazy("what roundings had left out"),
    "whole_period": gettext_lazy("as if the money had come with the running period"),
    "paid_early": gettext_lazy("paid before its time, with all the rest"),
}


def _fee(inputs: Mapping[str, Any], rest: str, currency: Any) -> str:
    return _("kept back from the money") if rest == "deducted" else str(FEES.get(rest, rest))


def _tax(inputs: Mapping[str, Any], rest: str, currency: Any) -> str:
    base, _dot, kind = inputs["base"].partition(".")
    what = FEES.get(kind, kind) if kind else COMPONENTS.get(base, base)
    return _("on %(what)s: %(amount)s") % {"what": what, "amount": formats.money(inputs["base_minor"], currency)}


def _allocated(inputs: Mapping[str, Any], rest: str, currency: Any) -> str:
    return str(AGES[inputs.get("age", "in_advance")])


def _income(inputs: Mapping[str, Any], rest: str, currency: Any) -> str:
    if rest != "earned":
        return str(INCOMES[rest])
    return _("%(days)s of %(left)s that were left") % {
        "days": formats.number(inputs["days"]), "left": formats.days(inputs["days_left"]),
    }  # fmt: skip


INCOMES: Mapping[str, Any] = {
    "added": gettext_lazy("added to the debt; nobody is paid it"),
    "deferred": gettext_lazy("to be earned until the last due date"),
    "earned_at_once": gettext_lazy("the rest, at once"),
    "given_up": gettext_lazy("taken back, though it had been earned"),
    "returned": gettext_lazy("taken back"),
}


def _credit(inputs: Mapping[str, Any], rest: str, currency: Any) -> str:
    return str(CREDITS.get(rest, rest))


TOLD: Mapping[str, Callable[[Mapping[str, Any], str, Any], str]] = {
    "interest": _accrued,
    "penalty": _accrued,
    "fee": _fee,
    "tax": _tax,
    "allocation": _allocated,
    "credit": _credit,
    "income": _income,
}
