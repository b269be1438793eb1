"""A product's configuration in people's words: what each place of it is called, and what stands there.

A place is a path such as "prices.first.fees.0.share"; in LABELS a star stands for a number or for a kind of customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from usance.apps.products import template
from usance.core import values
from usance.web import components as ui
from usance.web import words as common
from usance.web.templatetags import formats

SECTIONS: Mapping[str, Any] = {
    "amount": gettext_lazy("Amounts"),
    "term": gettext_lazy("Terms"),
    "drawdowns": gettext_lazy("Money in parts"),
    "prices.first": gettext_lazy("Price for first-time customers"),
    "prices.returning": gettext_lazy("Price for returning customers"),
    "penalty": gettext_lazy("Penalty"),
    "extension": gettext_lazy("Moving the due date"),
    "non_accrual": gettext_lazy("Interest in our books"),
    "cooling_off": gettext_lazy("Stepping back"),
    "allocation": gettext_lazy("What a payment pays first"),
    "taxes": gettext_lazy("Taxes on top"),
    "conventions": gettext_lazy("Conventions"),
    "": gettext_lazy("Requests"),
}
LABELS: Mapping[str, Any] = {
    "kind": gettext_lazy("Kind of loan"),
    "every": gettext_lazy("One payment every so many units"),
    "fixed_length.count": gettext_lazy("Fixed length: the last payment so long after the start"),
    "fixed_length.unit": gettext_lazy("Fixed length counted in"),
    "down_payment_share": gettext_lazy("Down payment, due with the money itself"),
    "drawdowns.most": gettext_lazy("Parts at most"),
    "drawdowns.first_share": gettext_lazy("Paid out at once"),
    "drawdowns.rest_after_days": gettext_lazy("The rest is expected after days"),
    "drawdowns.until_days": gettext_lazy("Last part at the latest after days"),
    "drawdowns.interest": gettext_lazy("A later part bears interest"),
    "drawdowns.repaid": gettext_lazy("A later part is repaid"),
    "drawdowns.down_payment": gettext_lazy("The down payment of a later part"),
    "grace.principal": gettext_lazy("First instalments without principal"),
    "grace.interest": gettext_lazy("First instalments whose interest is asked for later"),
    "grace.interest_free": gettext_lazy("First instalments free of interest"),
    "amount.min_minor": gettext_lazy("Smallest amount"),
    "amount.max_minor": gettext_lazy("Largest amount"),
    "amount.step_minor": gettext_lazy("Step of the amounts"),
    "amount.default_minor": gettext_lazy("Amount shown first"),
    "term.unit": gettext_lazy("Counted in"),
    "term.min": gettext_lazy("Shortest term"),
    "term.max": gettext_lazy("Longest term"),
    "term.step": gettext_lazy("Step of the terms"),
    "term.default": gettext_lazy("Term shown first"),
    "prices.*.rate.share": gettext_lazy("Interest"),
    "prices.*.rate.per": gettext_lazy("Interest per"),
    "prices.*.promo.rate.share": gettext_lazy("Promotional interest"),
    "prices.*.promo.rate.per": gettext_lazy("Promotional interest per"),
    "prices.*.promo.days": gettext_lazy("Promotion: first so many days"),
    "prices.*.max_amount_minor": gettext_lazy("Largest amount for them"),
    "prices.*.fees.*.kind": gettext_lazy("Fee"),
    "prices.*.fees.*.when": gettext_lazy("Charged"),
    "prices.*.fees.*.flat_minor": gettext_lazy("Fixed amount"),
    "prices.*.fees.*.share": gettext_lazy("And a share"),
    "prices.*.fees.*.of": gettext_lazy("Share of"),
    "prices.*.fees.*.after_days": gettext_lazy("After so many days late"),
    "penalty.rule": gettext_lazy("Penalty for being late"),
    "penalty.share": gettext_lazy("Share"),
    "penalty.flat_minor": gettext_lazy("Fixed amount"),
    "penalty.grace_days": gettext_lazy("Days of grace"),
    "penalty.cap_share": gettext_lazy("At most, of the loan"),
    "penalty.yearly_cap_share": gettext_lazy("At most, a year"),
    "extension.days_allowed": gettext_lazy("By so many days (several with commas)"),
    "extension.max_count": gettext_lazy("So many times at most"),
    "extension.extend_from": gettext_lazy("Counted from"),
    "non_accrual.after_days": gettext_lazy("On non-accrual after days past due"),
    "non_accrual.until": gettext_lazy("It stays there until"),
    "cooling_off.days": gettext_lazy("Days after signing"),
    "cooling_off.pay_days": gettext_lazy("Then so many days to give the money back"),
    "allocation.waterfall": gettext_lazy("In which order"),
    "allocation.components.*": gettext_lazy("Then"),
    "taxes.*.kind": gettext_lazy("Tax"),
    "taxes.*.share": gettext_lazy("Share"),
    "taxes.*.on": pgettext_lazy("tax", "On"),
    "conventions.late_start": gettext_lazy("When the money arrives later"),
    "conventions.day_count": gettext_lazy("Days counted as"),
    "conventions.level_day_count": gettext_lazy("Days for the size of equal instalments"),
    "conventions.interest_base": gettext_lazy("Interest on"),
    "conventions.interest_rests": gettext_lazy("Money that was paid lowers the interest"),
    "conventions.interest_spread": gettext_lazy("Interest of each instalment"),
    "conventions.after_maturity": gettext_lazy("Interest after the last due date"),
    "conventions.rounding": gettext_lazy("Rounding"),
    "conventions.residue": gettext_lazy("Parts of the smallest unit"),
    "conventions.levelling": gettext_lazy("Last instalment"),
    "conventions.level_multiple_minor": gettext_lazy("Instalments are multiples of"),
    "conventions.roll": gettext_lazy("A due date on a day of rest"),
    "conventions.early_payment": gettext_lazy("Money paid early"),
    "conventions.early_interest": gettext_lazy("Interest of instalments paid early"),
    "conventions.charge_off": gettext_lazy("When a loan is taken for lost"),
    "conventions.income_share": gettext_lazy("Charges added to the debt at most, of the loan"),
    "conventions.cost_cap_share": gettext_lazy("All costs at most, of the loan"),
    "conventions.forgive_under_minor": gettext_lazy("Forgive what is left below"),
    "conventions.default_after_days": gettext_lazy("In default after days past due"),
    "conventions.apr_times": gettext_lazy("APR counts time in"),
    "conventions.bill_days": gettext_lazy("A bill, days before each due date"),
    "rule_set": gettext_lazy("Decided by the rules"),
    "offer_days": gettext_lazy("Days that an offer is open"),
    "draft_days": gettext_lazy("Days that an unsent request is kept"),
    "ask_days": gettext_lazy("Days that we wait for an answer"),
}
VALUES: Mapping[str, Any] = {
    "single_payment": gettext_lazy("one payment at the end"),
    "equal_instalments": gettext_lazy("equal instalments"),
    "equal_principal": gettext_lazy("equal parts of principal, interest on top"),
    "interest_only": gettext_lazy("interest alone, the principal with the last"),
    "days": gettext_lazy("days"),
    "weeks": gettext_lazy("weeks"),
    "half_months": gettext_lazy("half months"),
    "months": gettext_lazy("months"),
    "day": gettext_lazy("day"),
    "month": gettext_lazy("month"),
    "year": gettext_lazy("year"),
    "from_its_day": gettext_lazy("from its own day"),
    "whole_period": gettext_lazy("for the whole of the running period"),
    "with_the_rest": gettext_lazy("with the rest, by the last due date agreed"),
    "over_its_own_term": gettext_lazy("over a full term of its own"),
    "paid_ahead_first": gettext_lazy("is taken from what was paid ahead"),
    "asked_for": gettext_lazy("is asked for, what was paid ahead stays with its instalments"),
    "deducted": gettext_lazy("kept back from the payout"),
    "added_to_principal": gettext_lazy("added to the loan"),
    "per_instalment": gettext_lazy("with each instalment"),
    "on_extension": gettext_lazy("when the due date is moved"),
    "on_lateness": gettext_lazy("when a payment is late"),
    "on_request": gettext_lazy("when staff add it"),
    "original_principal": gettext_lazy("the original principal"),
    "outstanding_principal": gettext_lazy("the outstanding principal"),
    "past_due_total": gettext_lazy("all that is past due"),
    "instalment_principal": gettext_lazy("the principal of the instalment"),
    "instalment_interest": gettext_lazy("the interest of the instalment"),
    "instalment_total": gettext_lazy("principal and interest of the instalment"),
    "daily_on_past_due_principal": gettext_lazy("each day, on past-due principal"),
    "daily_on_past_due_total": gettext_lazy("each day, on all that is past due"),
    "flat_per_miss": gettext_lazy("once for each missed payment"),
    "by_instalment": gettext_lazy("the oldest instalment first"),
    "by_component": gettext_lazy("by kind over all instalments"),
    "later_of_both": gettext_lazy("the due date or the day of moving it, whichever is later"),
    "due_date": gettext_lazy("the due date"),
    "extension_date": gettext_lazy("the day of moving it"),
    "dates_move": gettext_lazy("due dates move with it"),
    "dates_stay": gettext_lazy("due dates stay"),
    "actual/365": gettext_lazy("true days of 365"),
    "actual/360": gettext_lazy("true days of 360"),
    "actual/364": gettext_lazy("true days of 364"),
    "actual/actual": gettext_lazy("true days of the true year"),
    "actual/actual_by_morning": gettext_lazy("true days of the year in which each night ends"),
    "actual/leap_day_period": gettext_lazy("true days, of 366 only in a period with 29 February"),
    "no_leap/365": gettext_lazy("true days of 365, a 29 February left out"),
    "30/360": gettext_lazy("months of 30 days"),
    "30/360_bond": gettext_lazy("months of 30 days, bond basis"),
    "30/360_us": gettext_lazy("months of 30 days, as in the United States"),
    "30/360_psa": gettext_lazy("months of 30 days, PSA"),
    "months_of_30/360": gettext_lazy("each month 30 days of 360"),
    "months_of_30/364": gettext_lazy("each month 30 days of 364"),
    "months_of_30/365": gettext_lazy("each month 30 days of 365"),
    "same_as_period": gettext_lazy("each period alike"),
    "listed": gettext_lazy("dates and amounts of its own"),
    "actual_balance": gettext_lazy("what is outstanding"),
    "undue_balance": gettext_lazy("what is outstanding and not due yet"),
    "scheduled_balance": gettext_lazy("what would be outstanding if all were paid when due"),
    "financed_principal": gettext_lazy("the original principal less the down payment"),
    "daily": gettext_lazy("from its own day"),
    "each_instalment": gettext_lazy("from the next due date (rests at each instalment)"),
    "saved": gettext_lazy("is saved"),
    "owed": gettext_lazy("is owed all the same"),
    "keeps_plan": gettext_lazy("nothing changes for the borrower"),
    "stops_interest": gettext_lazy("no more interest"),
    "all_due": gettext_lazy("all falls due at once"),
    "current": gettext_lazy("nothing is past due any more"),
    "closed": gettext_lazy("it is closed"),
    "as_earned": gettext_lazy("as the days earn it"),
    "evenly": gettext_lazy("the same in each"),
    "continues": gettext_lazy("goes on"),
    "stops": gettext_lazy("stops"),
    "half_even": gettext_lazy("to the nearest, halves to even"),
    "half_up": gettext_lazy("to the nearest, halves up"),
    "up": gettext_lazy("up"),
    "down": gettext_lazy("down"),
    "carry": gettext_lazy("carried to the next day"),
    "drop_when_due": gettext_lazy("dropped when due"),
    "drop_when_paid": gettext_lazy("dropped when due, and with each payment"),
    "collect_at_end": gettext_lazy("collected by the last instalment"),
    "even_last": gettext_lazy("takes the difference"),
    "none": gettext_lazy("not levelled"),
    "keep": gettext_lazy("stays"),
    "next": gettext_lazy("moves to the next working day"),
    "previous": gettext_lazy("moves to the working day before"),
    "next_in_month": gettext_lazy("moves to the next working day of the month"),
    "previous_in_month": gettext_lazy("moves to the working day before, in the month"),
    "shorter_term": gettext_lazy("shortens the term"),
    "smaller_instalments": gettext_lazy("makes instalments smaller"),
    "next_instalments": gettext_lazy("pays the next instalments"),
    "hold_until_due": gettext_lazy("waits until due"),
    "in_turn": gettext_lazy("settles the instalments to come in turn"),
    "from_the_last": gettext_lazy("settles the instalments to come from the last one"),
    "next_then_last": gettext_lazy("settles the next instalment, then from the last one"),
    "next_then_smaller": gettext_lazy("settles the instalment of its period, the rest makes those after it smaller"),
    "in_equal_parts": gettext_lazy("is shared equally among the instalments to come"),
    "days/365": gettext_lazy("days of a year of 365"),
    "months/12": gettext_lazy("months"),
    "months_back/12": gettext_lazy("months counted back from each payment (2008/48/EC)"),
}
NOT_SHOWN = frozenset({"schema_version"})
PROBLEMS: Mapping[str, Any] = {  # why a configuration cannot be -> a sentence
    "min, default and max must be in this order": gettext_lazy("The value shown first must lie between the two ends."),
    "max and default must lie a whole number of steps above min": gettext_lazy(
        "The largest value and the one shown first must be whole steps above the smallest."
    ),
    "a single payment has no instalments to spare": gettext_lazy(
        "A single payment has no instalments to spare: enter 0."
    ),
    "these instalments ask for no principal anyway": gettext_lazy(
        "Instalments of interest alone ask for no principal anyway: enter 0."
    ),
    "fewer than the fewest instalments": gettext_lazy(
        "At least one instalment of the shortest term must repay principal."
    ),
    "less than the whole loan": gettext_lazy("A down payment is less than the whole loan."),
    "only one number of instalments can have a fixed length": gettext_lazy(
        "A fixed length needs instalments whose number is fixed: make the shortest and the longest term the same."
    ),
    "only equal instalments are computed by days": gettext_lazy(
        "Only equal instalments have a size to compute: leave this as the interest counts."
    ),
    "only flat interest of instalments is spread evenly": gettext_lazy(
        "Interest can be the same in each instalment only if it is counted on the original principal."
    ),
    "due dates that can be moved need interest as it is earned": gettext_lazy(
        "Where due dates can be moved, interest must be as the days earn it."
    ),
    "interest on the plan is owed by who pays early": gettext_lazy(
        "Interest on what would be outstanding by the plan is owed even if paid early: choose “is owed all the same”."
    ),
    "owed only where instalments stay as they are": gettext_lazy(
        "Interest can be owed all the same only where money paid early settles the instalments to come."
    ),
    "at each instalment only where interest follows what is paid": gettext_lazy(
        "Money can wait for the next due date only where interest is on what is outstanding, and paying early saves it."
    ),
    "smaller only where interest is saved and all is one level": gettext_lazy(
        "Later instalments become smaller only where paying early saves interest, and all parts share one plan."
    ),
    "owed only without a cap on all costs and a tax on interest": gettext_lazy(
        "Interest of days to come cannot be owed beside a cap on all costs or a tax on interest."
    ),
    "not before the rest is expected": gettext_lazy(
        "The last day for a part lies after the day on which it is expected."
    ),
    "before the last payment of the shortest loan": gettext_lazy(
        "A part is expected before the last payment of the shortest loan: say fewer days."
    ),
    "due dates that can be moved go with money that comes at once": gettext_lazy(
        "Where due dates can be moved, the money comes at once: empty one of the two."
    ),
    "a single payment is one for all parts": gettext_lazy("A single payment repays all parts: choose “with the rest”."),
    "only without grace, and with interest as it is earned": gettext_lazy(
        "A term of its own needs instalments without grace whose interest is as the days earn it."
    ),
    "not of later parts where what interest costs is taxed": gettext_lazy(
        "Where interest is taxed and the money comes in parts, there can be no down payment: empty one of the three."
    ),
    "there is no down payment": gettext_lazy("There is no down payment: choose the original principal."),
    "only a fee with each instalment is a share of one": gettext_lazy(
        "Only a fee charged with each instalment can be a share of the instalment."
    ),
}
# places that only a product of instalments has
OF_INSTALMENTS = ("kind", "fixed_length.", "grace.", "conventions.level_day_count", "conventions.interest_spread")
OF_THE_TERM = frozenset({"kind", "every", "fixed_length", "down_payment_share", "grace"})


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a configuration: its path, what it is called, what stands there in words."""

    path: str
    label: str
    shown: str


def field_label(path: str) -> str:
    """What a place is called among its like."""
    place = pattern(path)
    if place == "allocation.components.*" and path.endswith(".0"):
        return _("First")
    return str(LABELS.get(place, path))


def label(path: str) -> str:
    """What a place is called; numbered where there are several."""
    words = field_label(path)
    number = re.search(r"\.(?:fees|taxes)\.(\d+)\.", f".{path}.")
    return f"{number[1] and int(number[1]) + 1}. {words}" if number else words


def pattern(path: str) -> str:
    """A path with a star for each number and for the kind of customer, as LABELS has it."""
    starred = re.sub(r"\.\d+(?=\.|$)", ".*", path)
    return re.sub(r"^prices\.(first|returning)", "prices.*", starred)


def section(path: str) -> str:
    """The section that a place belongs to."""
    found = [name for name in SECTIONS if name and (path == name or path.startswith(f"{name}."))]
    return max(found, key=len, default="term" if path.split(".")[0] in OF_THE_TERM else "")


def percent_text(share: str) -> str:
    """ "0.0125" as "1.25", "9/36500" as "9/365": exact, as people type it."""
    return values.ratio_text(Fraction(share) * 100)


def shown(path: str, value: Any, currency: Any) -> str:
    """What stands at a place, in words."""
    if value is None or value == "" or value == []:
        return "–"
    name = path.rsplit(".", 1)[-1]
    if name.endswith("_minor"):
        return formats.money(value, currency)
    if name.endswith("share"):
        exact = percent_text(value)
        return f"{exact} %" if "/" in exact else formats.percent(Fraction(value), 6)
    if path.endswith(".kind") and ".fees." in path:
        return str(common.FEES.get(value, value))
    if ".components" in path:
        return str(common.COMPONENTS.get(value, value))
    if isinstance(value, list):
        return ", ".join(str(common.COMPONENTS.get(one, one)) for one in value)
    return str(VALUES.get(value, formats.number(value) if isinstance(value, int) else value))


def places(config: Mapping[str, Any]) -> dict[str, Any]:
    """Every leaf of a configuration by its path; lists of plain values are one leaf, except the order of payment."""
    return dict(_leaves(config, ""))


def _leaves(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        children: list[tuple[str, Any]] = [(str(name), item) for name, item in data.items()]
    elif isinstance(data, list) and (path == "allocation.components" or any(isinstance(one, Mapping) for one in data)):
        children = [(str(number), item) for number, item in enumerate(data)]
    else:
        yield path, data
        return
    for name, item in children:
        yield from _leaves(item, f"{path}.{name}" if path else name)


def difference(before: Mapping[str, Any], after: Mapping[str, Any], currency: Any) -> list[ui.DiffRow]:
    """What changes, place by place in words; sections in order."""
    old, new = _ordered(before), _ordered(after)
    rows = []
    if "starts_on" in after:
        starts_on = date.fromisoformat(after["starts_on"])
        rows.append(ui.DiffRow(_("In force from"), "", formats.date_l(starts_on)))
    sections = list(SECTIONS)
    for path in sorted({**new, **old}, key=lambda path: sections.index(section(path))):
        sides = (shown(path, old.get(path), currency), shown(path, new.get(path), currency))
        if path not in NOT_SHOWN and (old.get(path) or None) != (new.get(path) or None):
            rows.append(ui.DiffRow(f"{SECTIONS[section(path)]}: {label(path)}", *sides))
    return rows


def _ordered(config: Mapping[str, Any]) -> dict[str, Any]:
    """The places of a stored configuration in the order of the template; none of nothing."""
    plain = {name: value for name, value in config.items() if name != "starts_on"}
    found = places(template.read(plain).to_json()) if plain else {}
    return {path: value for path, value in found.items() if value not in (None, "", [], {}, "0")}


def choices(names: Sequence[str]) -> list[tuple[str, Any]]:
    """Names of a vocabulary with their words, for a select."""
    return [(name, VALUES.get(name, name)) for name in sorted(names)]
