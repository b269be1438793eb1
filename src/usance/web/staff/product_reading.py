"""A product's configuration for reading: what belongs together is one line ("0.95% a day", "5 to 30 days")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usance.apps.products import template
from usance.web import components as ui
from usance.web import words as common
from usance.web.staff import product_words as words
from usance.web.templatetags import formats

Rows = Iterator[ui.SummaryRow]
# labels without the unit that the value says
LABELS: Mapping[str, Any] = {
    "extension.days_allowed": gettext_lazy("By so many days"),
    "conventions.default_after_days": gettext_lazy("In default, past due for"),
    "non_accrual.after_days": gettext_lazy("On non-accrual, past due for"),
    "conventions.bill_days": gettext_lazy("A bill, before each due date"),
    "offer_days": gettext_lazy("An offer is open for"),
    "draft_days": gettext_lazy("An unsent request is kept for"),
    "ask_days": gettext_lazy("We wait for an answer for"),
}
# what one payment at the end has no use for
OF_INSTALMENTS = frozenset({
    "conventions.level_day_count", "conventions.interest_spread", "conventions.levelling",
    "conventions.level_multiple_minor",
})  # fmt: skip
NOTHING: tuple[Any, ...] = (None, "", [], {}, 0, "0")


def described(
    config: Mapping[str, Any], currency: Any, *, rule_sets: Mapping[str, str]
) -> list[tuple[Any, list[ui.SummaryRow]]]:
    """The whole configuration by section; what is not there is left out. `rule_sets`: their names by code."""
    whole = template.read(config).to_json()
    found: dict[str, list[ui.SummaryRow]] = {name: [] for name in words.SECTIONS}
    told: set[str] = set()
    single = whole["kind"] == "single_payment"
    for path, value in words.places(whole).items():
        together = next((made for start, made in TOGETHER.items() if _is_under(path, start)), None)
        if together is not None:
            start = next(start for start in TOGETHER if _is_under(path, start))
            place = _place(path, start)
            if place not in told:
                told.add(place)
                found[words.section(path)].extend(together(_at(whole, place), whole, currency))
        elif path not in words.NOT_SHOWN and value not in NOTHING and not (single and path in OF_INSTALMENTS):
            shown = rule_sets.get(value, value) if path == "rule_set" else value_of(path, value, currency)
            found[words.section(path)].append(ui.SummaryRow(LABELS.get(path) or words.label(path), shown))
    return [(words.SECTIONS[name], rows) for name, rows in found.items() if rows]


def _is_under(path: str, start: str) -> bool:
    return f"{words.pattern(path)}.".startswith(f"{start}.")


def _place(path: str, start: str) -> str:
    """The part of a path that a pattern names."""
    return ".".join(path.split(".")[: len(start.split("."))])


def _at(whole: Any, place: str) -> Any:
    for part in place.split("."):
        whole = whole[int(part)] if isinstance(whole, list) else whole[part]
    return whole


def length(count: int, unit: str) -> str:
    """A term with its unit: "14 days", "6 months"."""
    forms = {
        "days": lambda: ngettext("%(count)s day", "%(count)s days", count),
        "weeks": lambda: ngettext("%(count)s week", "%(count)s weeks", count),
        "half_months": lambda: ngettext("%(count)s half month", "%(count)s half months", count),
        "months": lambda: ngettext("%(count)s month", "%(count)s months", count),
    }
    return str(forms[unit]()) % {"count": formats.number(count)}


def value_of(path: str, value: Any, currency: Any) -> str:
    """What stands at a place; numbers of days say so."""
    if isinstance(value, int) and path.endswith("_days"):
        return formats.days(value)
    return words.shown(path, value, currency)


def term_text(count: int, *, kind: str, unit: str) -> str:
    """A term as people say it: how long one payment is away, or how many payments there are."""
    if kind == "single_payment":
        return length(count, unit)
    return ngettext("%(count)s payment", "%(count)s payments", count) % {"count": formats.number(count)}


def _term(term: Mapping[str, Any], whole: Mapping[str, Any], _currency: Any) -> Rows:
    def text(count: int) -> str:
        return term_text(count, kind=whole["kind"], unit=term["unit"])

    if term["min"] == term["max"]:
        yield ui.SummaryRow(_("Term"), text(term["max"]))
        return
    span = _("%(least)s to %(most)s") % {"least": formats.number(term["min"]), "most": text(term["max"])}
    yield ui.SummaryRow(_("Term"), span)
    yield ui.SummaryRow(words.LABELS["term.step"], text(term["step"]))
    yield ui.SummaryRow(words.LABELS["term.default"], text(term["default"]))


def _every(count: int, whole: Mapping[str, Any], _currency: Any) -> Rows:
    if whole["kind"] != "single_payment" or count > 1:
        yield ui.SummaryRow(_("One payment every"), length(count, whole["term"]["unit"]))


def _fixed(fixed: Mapping[str, Any] | None, _whole: Any, _currency: Any) -> Rows:
    if fixed:
        yield ui.SummaryRow(words.LABELS["fixed_length.count"], length(fixed["count"], fixed["unit"]))


def _rate_text(rate: Mapping[str, Any], currency: Any) -> str:
    share = words.shown("rate.share", rate["share"], currency)
    return {"day": _("%(share)s a day"), "month": _("%(share)s a month"), "year": _("%(share)s a year")}[
        rate["per"]
    ] % {"share": share}


def _rate(rate: Mapping[str, Any], _whole: Any, currency: Any) -> Rows:
    yield ui.SummaryRow(_("Interest"), _rate_text(rate, currency))


def _promo(promo: Mapping[str, Any] | None, _whole: Any, currency: Any) -> Rows:
    if promo:
        text = _("%(rate)s for the first %(days)s") % {
            "rate": _rate_text(promo["rate"], currency),
            "days": formats.days(promo["days"]),
        }
        yield ui.SummaryRow(_("Promotion"), text)


def _fee(fee: Mapping[str, Any], _whole: Any, currency: Any) -> Rows:
    """One fee: how much, and when."""
    parts = []
    if fee["flat_minor"]:
        parts.append(words.shown("flat_minor", fee["flat_minor"], currency))
    if fee["share"] not in NOTHING:
        parts.append(
            _("%(share)s of %(base)s")
            % {"share": words.shown("share", fee["share"], currency), "base": words.VALUES[fee["of"]]}
        )
    when = str(words.VALUES[fee["when"]])
    if fee.get("after_days"):
        when = f"{when}, {_('after %(days)s') % {'days': formats.days(fee['after_days'])}}"
    label = str(common.FEES.get(fee["kind"], fee["kind"]))
    yield ui.SummaryRow(label[:1].upper() + label[1:], " + ".join(parts) or "–", note=when)


def _penalty(penalty: Mapping[str, Any] | None, _whole: Any, currency: Any) -> Rows:
    if not penalty:
        return
    parts = [
        words.shown(f"penalty.{name}", penalty[name], currency)
        for name in ("flat_minor", "share")
        if penalty.get(name) not in NOTHING
    ]
    yield ui.SummaryRow(words.LABELS["penalty.rule"], " + ".join(parts) or "–", note=words.VALUES[penalty["rule"]])
    for name in ("grace_days", "cap_share", "yearly_cap_share"):
        if penalty.get(name) not in NOTHING:
            path = f"penalty.{name}"
            yield ui.SummaryRow(words.LABELS[path], value_of(path, penalty[name], currency))


def _tax(tax: Mapping[str, Any], _whole: Any, currency: Any) -> Rows:
    on = ", ".join(str(common.full_balance_name(one)) for one in tax["on"])
    yield ui.SummaryRow(tax["kind"], words.shown("share", tax["share"], currency), note=on)


def _order(components: Any, _whole: Any, _currency: Any) -> Rows:
    yield ui.SummaryRow(_("First to last"), " → ".join(str(common.COMPONENTS[one]) for one in components))


# pattern of a place -> what makes its lines together
TOGETHER: Mapping[str, Callable[[Any, Any, Any], Rows]] = {
    "term": _term,
    "every": _every,
    "fixed_length": _fixed,
    "prices.*.rate": _rate,
    "prices.*.promo": _promo,
    "prices.*.fees.*": _fee,
    "penalty": _penalty,
    "taxes.*": _tax,
    "allocation.components": _order,
}
