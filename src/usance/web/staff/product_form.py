"""The form of a whole product configuration. A field's name is the path of its place ("prices__first__rate__share"), so
that whatever is refused at a place stands beside its field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from usance.apps.decisioning import selectors as decisioning
from usance.apps.products import caps, template
from usance.core import values
from usance.core.loan import terms as core
from usance.core.refusals import Refusal
from usance.web import forms as house
from usance.web import refusals
from usance.web import words as common
from usance.web.staff import product_help
from usance.web.staff import product_words as words
from usance.web.widgets import parse_number

UNITS = ("days", "weeks", "half_months", "months")
PERIODS = ("day", "month", "year")
VOCABULARY = {
    "when": "fee_when", "of": "fee_of", "rule": "penalty", "waterfall": "waterfall", "extend_from": "extend_from",
    "late_start": "late_start", "day_count": "day_count", "interest_base": "interest_base",
    "interest_rests": "interest_rests", "interest_spread": "interest_spread",
    "after_maturity": "after_maturity", "rounding": "rounding", "residue": "residue", "levelling": "levelling",
    "roll": "roll", "early_payment": "early_payment", "early_interest": "early_interest", "charge_off": "charge_off",
    "drawdowns.interest": "drawn_interest", "drawdowns.repaid": "drawn_repaid",
    "drawdowns.down_payment": "drawn_down_payment",
    "non_accrual.until": "non_accrual_until",
}  # fmt: skip
OPTIONAL = frozenset({
    "penalty.rule", "penalty.share", "penalty.flat_minor", "penalty.grace_days", "penalty.cap_share",
    "penalty.yearly_cap_share", "extension.days_allowed", "extension.max_count", "conventions.cost_cap_share",
    "conventions.level_day_count", "conventions.bill_days", "down_payment_share", "fixed_length.count",
    "drawdowns.most", "drawdowns.first_share", "drawdowns.rest_after_days", "drawdowns.until_days",
    "non_accrual.after_days",
    "cooling_off.days", "cooling_off.pay_days",
})  # fmt: skip
EMPTY_FEE = {
    "kind": "",
    "when": "on_request",
    "flat_minor": 0,
    "share": "0",
    "of": "original_principal",
    "after_days": 0,
}
EMPTY_TAX: dict[str, Any] = {"kind": "", "share": "0", "on": []}
PARTS = {
    "penalty": "rule",
    "extension": "days_allowed",
    "promo": "days",
    "fixed_length": "count",
    "drawdowns": "most",
    "non_accrual": "after_days",
    "cooling_off": "days",
}  # a part is there when this is filled in
LISTS = ("prices.first.fees", "prices.returning.fees", "taxes")


class ShareField(forms.CharField):
    """Per cent, exact: "1.25", or "9/365" where decimals never end. Cleans to the text that configurations hold."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)
        self.widget.attrs.update(inputmode="decimal", autocomplete="off")

    def prepare_value(self, value: Any) -> Any:
        return value

    def clean(self, value: Any) -> str | None:
        typed = str(super().clean(value)).removesuffix("%").strip()
        if not typed:
            return None
        if re.fullmatch(r"\d{1,9}/\d{1,9}", typed) and not typed.endswith("/0"):
            exact = Fraction(typed)
        else:
            exact = Fraction(parse_number(typed))
        if exact < 0:
            raise forms.ValidationError(_("Enter zero or more."), code="negative")
        return values.ratio_text(exact / 100)


class DaysField(forms.CharField):
    """Several numbers of days with commas between them."""

    def clean(self, value: Any) -> list[int]:
        typed = str(super().clean(value))
        parts = [part for part in re.split(r"[,;\s]+", typed) if part]
        if not all(part.isdecimal() and 0 < int(part) < 1000 for part in parts):
            raise forms.ValidationError(_("Enter numbers of days with commas between them, for example 7, 14, 30."))
        return sorted({int(part) for part in parts})


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together on the page."""

    title: str
    fields: Sequence[forms.BoundField]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. `more`: the value of the button that adds a row to its list, or empty."""

    title: Any
    hint: Any
    groups: Sequence[Group]
    more: str = ""
    more_words: Any = ""


class ConfigForm(house.Form):
    """Made from a configuration; bound, from what was typed, with as many fees and taxes as were typed."""

    note = forms.CharField(max_length=300, required=False)

    def __init__(self, data: Any = None, *, config: Mapping[str, Any], institution: Any, note: str = "") -> None:
        self.config, self.institution = config, institution
        adds_row = data is not None and "more" in data  # nothing is checked then, and nothing typed is lost
        super().__init__(None if adds_row else data, initial={"note": note})
        self.fields["note"].label = _("What is this version for?")
        for path, value in self._wanted(data).items():
            name = _name(path)
            self.fields[name] = self._field(path, value)
            self.initial[name] = _typed(path, value)
            house.dress(name, self.fields[name])
        for name, field in self.fields.items() if adds_row else ():
            if name in data:
                self.initial[name] = field.widget.value_from_datadict(data, {}, name)

    def _wanted(self, data: Any) -> dict[str, Any]:
        """Every place that the page has a field for, with what stands there now."""
        whole = _filled(self.config)
        for path in LISTS:
            rows = _list_at(whole, path)
            empty = EMPTY_TAX if path == "taxes" else EMPTY_FEE
            count = _rows_typed(data, path) if data is not None else len(rows)
            if data is not None and data.get("more") == path:
                count += 1
            rows.extend(dict(empty) for _row in range(count - len(rows)))
            del rows[count:]
        may_be_empty = (".on", "days_allowed")
        return {
            path: value
            for path, value in words.places(whole).items()
            if self._is_asked(path) and (value != [] or path.endswith(may_be_empty))
        }

    def _is_asked(self, path: str) -> bool:
        """A product of one payment stays one: it is not asked how instalments are made up."""
        single = self.config["kind"] == "single_payment"
        return path not in words.NOT_SHOWN and not (single and path.startswith(words.OF_INSTALMENTS))

    def _field(self, path: str, value: Any) -> forms.Field:
        name = path.rsplit(".", 1)[-1]
        options: dict[str, Any] = {"label": words.field_label(path), "required": self._is_required(path)}
        options["help_text"] = product_help.of_field(path)
        if name.endswith("_minor"):
            return house.MoneyField(currency=self.institution, min_minor=0, **options)
        if name.endswith("share"):
            return ShareField(**options | {"label": _("%(what)s, %%") % {"what": options["label"]}})
        if path == "extension.days_allowed":
            return DaysField(**options)
        if name == "on":
            bases = dict.fromkeys(["interest", "fee", "penalty", *value])
            named = [(base, common.full_balance_name(base)) for base in bases]
            return forms.MultipleChoiceField(choices=named, widget=forms.CheckboxSelectMultiple, **options)
        if choices := self._choices(path, name, value):
            return forms.ChoiceField(choices=choices, **options)
        if path.endswith(".kind"):
            return forms.SlugField(max_length=30, **options)
        return forms.IntegerField(min_value=0, max_value=100_000, **options)

    def _choices(self, path: str, name: str, value: Any) -> list[tuple[str, Any]]:
        nothing = [("", _("none"))]
        if path == "kind":
            return [(kind, words.VALUES[kind]) for kind in template.INSTALMENT_KINDS]
        if name == "unit":
            return [(unit, words.VALUES[unit]) for unit in UNITS]
        if name == "level_day_count":
            return [("", _("as the interest counts")), *words.choices(list(core.NAMES["day_count"]))]
        if name == "per":
            return [(period, words.VALUES[period]) for period in PERIODS]
        if name == "apr_times":
            return words.choices(["days/365", "months/12", "months_back/12"])
        if ".fees." in path and name == "kind":
            kinds = dict.fromkeys([*common.FEES, *([value] if value else [])])
            return nothing + [(kind, common.FEES.get(kind, kind)) for kind in kinds]
        if ".components." in path:
            return [(one, common.COMPONENTS[one]) for one in core.Allocation().components]
        if name == "rule_set":
            return [(row.code, row.name) for row in decisioning.rule_sets()]
        if vocabulary := VOCABULARY.get(path) or VOCABULARY.get(name):
            return (nothing if path == "penalty.rule" else []) + words.choices(list(core.NAMES[vocabulary]))
        return []

    def _is_required(self, path: str) -> bool:
        in_list = re.search(r"\.\d+\.", path) and ".components" not in path
        return not (in_list or path in OPTIONAL or ".promo." in path or path.endswith("max_amount_minor"))

    # --- the answer -------------------------------------------------------------------------------------------

    def to_config(self) -> dict[str, Any]:
        """What was typed, as a configuration: empty rows and empty parts are left out."""
        made: dict[str, Any] = {"kind": self.config["kind"]}
        for name, value in self.cleaned_data.items():
            if name != "note":
                _put(made, name.split("__"), value)
        for part in ("penalty", "extension", "fixed_length", "drawdowns", "non_accrual", "cooling_off"):
            made[part] = _part(made.get(part, {}), PARTS[part])
        for price in made["prices"].values():
            price["promo"] = _part(price["promo"], PARTS["promo"])
            price["fees"] = [_without_none(row) for row in _rows(price.get("fees"))]
        made["taxes"] = [_without_none(row) for row in _rows(made.get("taxes"))]
        order = made["allocation"]["components"]
        made["allocation"]["components"] = [order[number] for number in sorted(order)]
        return made

    def check(self, on: Any) -> template.Config | None:
        """The configuration, if it can be and is lawful; otherwise what is wrong stands beside the fields."""
        try:
            config = template.read(self.to_config())
            for kind in template.CUSTOMER_KINDS:
                for breach in caps.breaches_of_config(config=config, on=on, customer_kinds=(kind,)):
                    self.refuse(_place_of(breach, kind), refusals.sentence(breach))
        except template.ConfigNotValid as refusal:
            for problem in refusal.problems:
                why = words.PROBLEMS.get(problem.why)
                self.refuse(problem.path, str(why) if why else _("This cannot be: %(why)s") % {"why": problem.why})
        except core.TermsRefused as refusal:
            self.refuse(_place_in_terms(refusal.field), refusals.sentence(refusal))
        except Refusal as refusal:
            self.add_error(None, refusals.sentence(refusal))
        return None if self.errors else config

    def refuse(self, path: str, sentence: str) -> None:
        """Puts a sentence beside the field of a place, or of the first place inside it."""
        name = _name(path)
        found = name if name in self.fields else next((one for one in self.fields if one.startswith(f"{name}__")), None)
        if found is None or sentence not in self.errors.get(found, []):
            self.add_error(found, sentence)

    # --- the page ---------------------------------------------------------------------------------------------

    def sections(self) -> Iterator[Section]:
        """The fields as the page shows them."""
        paths: dict[str, list[str]] = {name: [] for name in words.SECTIONS}
        for name in self.fields:
            if name != "note":
                path = name.replace("__", ".")
                paths[words.section(path)].append(path)
        for name, title in words.SECTIONS.items():
            more = f"{name}.fees" if name.startswith("prices.") else "taxes" if name == "taxes" else ""
            more_words = _("Add a tax") if name == "taxes" else _("Add a fee")
            yield Section(
                title, product_help.of_section(name, self.config["kind"]), self._groups(paths[name]), more, more_words
            )

    def _groups(self, paths: list[str]) -> list[Group]:
        found: dict[str, list[forms.BoundField]] = {}
        for path in paths:
            row = re.search(r"(fees|taxes)\.(\d+)\.", path)
            title = ""
            if row:
                number = {"number": int(row[2]) + 1}
                title = (_("Fee %(number)s") if row[1] == "fees" else _("Tax %(number)s")) % number
            elif ".promo." in path:
                title = _("Promotion")
            else:
                title = str(product_help.group(path))
            found.setdefault(title, []).append(self[_name(path)])
        return [Group(title, fields) for title, fields in found.items()]


def _name(path: str) -> str:
    return path.replace(".", "__")


def _typed(path: str, value: Any) -> Any:
    """What stands at a place as a person would type it."""
    if path.rsplit(".", 1)[-1].endswith("share") and value is not None:
        return words.percent_text(value)
    return ", ".join(map(str, value)) if path == "extension.days_allowed" else value


def _filled(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every part there, so that each place has a field."""
    whole = template.read(config).to_json()
    whole["penalty"] = whole["penalty"] or {
        "rule": "", "share": None, "flat_minor": None, "grace_days": None, "cap_share": None, "yearly_cap_share": None,
    }  # fmt: skip
    whole["extension"] = whole["extension"] or {"days_allowed": [], "max_count": None, "extend_from": "later_of_both"}
    whole["drawdowns"] = whole["drawdowns"] or {
        "most": None, "first_share": None, "rest_after_days": None, "until_days": None, "interest": "from_its_day",
        "repaid": "with_the_rest", "down_payment": "paid_ahead_first",
    }  # fmt: skip
    whole["non_accrual"] = whole["non_accrual"] or {"after_days": None, "until": "current"}
    whole["cooling_off"] = whole["cooling_off"] or {"days": None, "pay_days": None}
    whole["fixed_length"] = whole["fixed_length"] or {"count": None, "unit": "months"}
    for price in whole["prices"].values():
        price["promo"] = price["promo"] or {"rate": {"share": None, "per": price["rate"]["per"]}, "days": None}
        price["fees"] = price.pop("fees")  # after the promotion on the page
    return whole


def _list_at(whole: dict[str, Any], path: str) -> list[Any]:
    found: Any = whole
    for part in path.split("."):
        found = found[part]
    assert isinstance(found, list)
    return found


def _rows_typed(data: Any, path: str) -> int:
    """How many rows of a list were sent; nobody types more than fifty."""
    prefix = f"{_name(path)}__"
    numbers = [name.removeprefix(prefix).split("__")[0] for name in data if name.startswith(prefix)]
    return min(50, 1 + max((int(number) for number in numbers if number.isdecimal()), default=-1))


def _put(made: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        made = made.setdefault(part, {})
    made[path[-1]] = value


def _rows(given: Any) -> list[dict[str, Any]]:
    return [row for _number, row in sorted((given or {}).items(), key=lambda item: int(item[0])) if row["kind"]]


def _part(given: dict[str, Any], needed: str) -> dict[str, Any] | None:
    return _without_none(given) if given.get(needed) not in (None, "", []) else None


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _place_of(breach: caps.PriceOverCap, kind: str) -> str:
    """Where the price that breaks a rule is typed."""
    if breach.measure in ("overdue_rate_times_contract", "penalty_a_year", "penalty_in_all"):
        return "penalty.cap_share" if breach.measure == "penalty_in_all" else "penalty.share"
    return f"prices.{kind}.rate.share"


def _place_in_terms(field: str) -> str:
    """The core's name of a term as the configuration's place."""
    first, _dot, rest = field.partition(".")
    known = {"fee": "prices.first.fees", "plan": "term", "grace": f"grace.{rest}", "down_payment": "down_payment_share",
             "tax": "taxes", "penalty": f"penalty.{rest}",
             "drawdowns": f"drawdowns.{rest}", "non_accrual": f"non_accrual.{rest}", "extension": f"extension.{rest}",
             "allocation": "allocation.components"}  # fmt: skip
    return known.get(first, f"conventions.{field}")
