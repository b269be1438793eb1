"""What was agreed for one loan, as a form that corrects it, and as rows of before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from usance.core.loan import terms as core
from usance.web import components as ui
from usance.web import forms as house
from usance.web import reckoning, refusals
from usance.web import words as common
from usance.web.staff import product_words as words
from usance.web.staff.product_form import ShareField
from usance.web.templatetags import formats

CONVENTIONS = ("day_count", "interest_base", "after_maturity", "early_payment")
# places that hold a price; one of nothing is asked for only where it is the only price of its thing
PRICES = ("share", "flat_minor", "grace_days", "after_days")


class TermsForm(house.Form):
    """Every price and the conventions that decide about interest, as they stand; what is wrong is typed over."""

    def __init__(self, data: Any = None, *, terms: core.Terms, currency: str) -> None:
        super().__init__(data)
        self.plain = terms.to_json()
        for path, value in _asked(self.plain):
            name = path.replace(".", "__")
            self.fields[name] = _field(path, value, self.plain, currency)
            self.initial[name] = words.percent_text(value) if path.endswith("share") else value
            house.dress(name, self.fields[name])
        self.fields["reason"] = forms.CharField(label=_("Why"), max_length=300)
        house.dress("reason", self.fields["reason"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            cleaned["terms"] = core.Terms.from_json(self._typed(cleaned))
        except core.TermsRefused as refusal:
            name = refusal.field.replace(".", "__")
            self.add_error(name if name in self.fields else None, refusals.sentence(refusal))
        return cleaned

    def _typed(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        made = _copy(self.plain)
        for path, _value in _asked(self.plain):
            *way, last = path.split(".")
            at = made
            for step in way:
                at = at[int(step)] if isinstance(at, list) else at[step]
            at[last] = cleaned[path.replace(".", "__")]
        return made


def _copy(plain: Any) -> Any:
    if isinstance(plain, Mapping):
        return {name: _copy(item) for name, item in plain.items()}
    return [_copy(item) for item in plain] if isinstance(plain, list) else plain


def _asked(plain: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    found = words.places(plain)
    for path, value in found.items():
        is_rate = path.startswith("rates.") and path.endswith(".share")
        is_price = path.startswith(("fees.", "taxes.", "penalty.")) and _is_price(path, found)
        if path in CONVENTIONS or is_rate or is_price:
            yield path, value


def _is_price(path: str, found: Mapping[str, Any]) -> bool:
    """A price of nothing is asked for only where a thing has no other."""
    thing, name = path.rsplit(".", 1)
    if name not in PRICES or found[path] not in ("0", 0):
        return name in PRICES
    return name == "grace_days" or (name == "flat_minor" and found.get(f"{thing}.share") == "0")


def _field(path: str, value: Any, plain: Mapping[str, Any], currency: str) -> forms.Field:
    options: dict[str, Any] = {"label": label(path, plain)}
    if path.endswith("share"):
        return ShareField(**options | {"label": _("%(what)s, %%") % {"what": options["label"]}})
    if path.endswith("_minor"):
        return house.MoneyField(currency=currency, min_minor=0, **options)
    if path in CONVENTIONS:
        return forms.ChoiceField(choices=words.choices(list(core.NAMES[path])), **options)
    return forms.IntegerField(min_value=0, max_value=100_000, **options)


def label(path: str, plain: Mapping[str, Any]) -> str:
    """What a place of an agreement is called."""
    part, _dot, rest = path.partition(".")
    if part == "rates":
        number, _dot, _name = rest.partition(".")
        step = plain["rates"][int(number)]
        name = f"{_('Interest')} {reckoning.PER[step['rate']['per']]}"
        if not step["from_day"]:
            return name
        return _("%(what)s, from day %(day)s on") % {"what": name, "day": formats.number(step["from_day"] + 1)}
    if part == "fees":
        number, _dot, name = rest.partition(".")
        kind = plain["fees"][int(number)]["kind"]
        return f"{common.FEES.get(kind, kind)}: {words.field_label(f'prices.first.fees.{number}.{name}')}"
    if part in ("penalty", "taxes", "extension", "non_accrual", "grace"):
        return f"{words.SECTIONS.get(part, _('Interest'))}: {words.field_label(path)}"
    return words.field_label(f"conventions.{path}")


def difference(before: Mapping[str, Any], after: Mapping[str, Any], currency: Any) -> list[ui.DiffRow]:
    """What two agreements say differently, place by place in words."""
    old, new = words.places(before), words.places(after)
    return [
        ui.DiffRow(
            label(path, after if path in new else before),
            words.shown(path, old.get(path), currency),
            words.shown(path, new.get(path), currency),
        )
        for path in {**old, **new}
        if old.get(path) != new.get(path)
    ]
