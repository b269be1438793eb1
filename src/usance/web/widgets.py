"""Widgets of the house and how they are rendered: our templates before Django's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import django.forms
from babel.numbers import get_decimal_symbol
from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.template.backends.django import DjangoTemplates
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from usance.web.templatetags import formats

HERE = Path(__file__).parent / "templates"


class HouseRenderer(BaseRenderer):
    """Our templates before Django's own, with our tags at hand."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    @cached_property
    def engine(self) -> DjangoTemplates:
        options = {"builtins": ["usance.web.templatetags.usance"]}
        theirs = Path(django.forms.__file__).parent / "templates"
        return DjangoTemplates({"NAME": "forms", "DIRS": [HERE, theirs], "APP_DIRS": False, "OPTIONS": options})

    def get_template(self, template_name: str) -> Any:
        return self.engine.get_template(template_name)


RENDERER = HouseRenderer()


def plain(value: Decimal) -> str:
    """A number as HTML attributes want it."""
    return f"{value.normalize():f}"


def parse_number(text: str) -> Decimal:
    """A typed number: groups by space, point, comma or apostrophe; the language says which sign is the decimal one."""
    body = re.sub(r"[\s\u00a0\u202f'’_]", "", text)
    point = get_decimal_symbol(formats.locale())
    other = "," if point == "." else "."
    if not re.fullmatch(rf"[-\u2212]?\d[\d{re.escape(point + other)}]*", body):
        raise ValidationError(
            _("Enter a number, for example %(example)s.") % {"example": formats.number(1500)}, code="number"
        )
    if re.fullmatch(rf"[-\u2212]?\d+{re.escape(other)}\d{{1,2}}", body) and point not in body:
        body = body.replace(other, point)  # 1500.50 typed where 1500,50 is usual: nobody groups by one or two digits
    try:
        return Decimal(body.replace(other, "").replace(point, ".").replace("\u2212", "-"))
    except InvalidOperation:
        raise ValidationError(
            _("Enter a number, for example %(example)s.") % {"example": formats.number(1500)}, code="number"
        ) from None


class Styled:
    """A widget that carries the house's class, whoever made it."""

    css = "u-input"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)  # type: ignore[misc]
        found = context["widget"]["attrs"]
        found["class"] = " ".join(dict.fromkeys([*self.css.split(), *found.get("class", "").split()]))
        return context


class TextInput(Styled, forms.TextInput):
    template_name = "components/widgets/input.html"


class EmailInput(Styled, forms.EmailInput):
    template_name = "components/widgets/input.html"


class PasswordInput(Styled, forms.PasswordInput):
    template_name = "components/widgets/input.html"


class DateInput(Styled, forms.DateInput):
    """The browser's own date picker: for staff. Borrowers type three boxes."""

    input_type = "date"
    template_name = "components/widgets/input.html"

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class FileInput(Styled, forms.FileInput):
    template_name = "components/widgets/input.html"


class Textarea(Styled, forms.Textarea):
    def __init__(self, attrs: Any = None) -> None:
        super().__init__({"rows": 4, "cols": "", **(attrs or {})})


class Select(Styled, forms.Select):
    template_name = "components/widgets/select.html"


class CardOptions:
    """Radios or boxes as large cards. `notes` by value: a hint, or (hint, aside) with a figure at the card's end."""

    notes: Mapping[Any, Any] = {}
    inline = False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)  # type: ignore[misc]
        context["widget"]["inline"] = self.inline
        return context

    def create_option(self, name: str, value: Any, *rest: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *rest, **options)  # type: ignore[misc]
        note = self.notes.get(str(value), "")
        option["hint"], option["aside"] = note if isinstance(note, tuple) else (note, "")
        return option


class RadioCards(CardOptions, forms.RadioSelect):
    """One of a few."""

    template_name = "components/widgets/cards.html"


class CheckboxCards(CardOptions, forms.CheckboxSelectMultiple):
    """Any of a few."""

    template_name = "components/widgets/cards.html"


class ConsentInput(forms.CheckboxInput):
    """One box whose label is a whole sentence."""

    template_name = "components/widgets/consent.html"
    words: Any = ""
    hint: Any = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"].update(words=self.words, hint=self.hint)
        return context


class PhoneInput(TextInput):
    """The country's calling code stands before the box; a whole international number may be typed all the same."""

    template_name = "components/widgets/phone.html"
    calling_code = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["calling_code"] = self.calling_code
        return context


class MoneyInput(TextInput):
    """An amount typed in major units, in the language's way of writing numbers."""

    template_name = "components/widgets/money.html"
    css = "u-input u-input--num"
    sign = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["sign"] = self.sign
        return context


class SliderInput(TextInput):
    """A number box with a range and two buttons that move it. Bounds and step in the box's own (major) units."""

    template_name = "components/widgets/slider.html"
    css = "u-input u-input--num"
    words: Any = ""
    unit: Any = ""
    low = high = step = now = Decimal(0)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        try:
            now = parse_number(str(context["widget"]["value"] or ""))
        except ValidationError:
            now = self.now
        context["widget"].update(
            words=self.words,
            unit=self.unit,
            low=plain(self.low),
            high=plain(self.high),
            step=plain(self.step),
            now=plain(min(self.high, max(self.low, now))),
            low_words=formats.number(self.low),
            high_words=formats.number(self.high),
        )
        return context


class DateBoxes(forms.MultiWidget):
    """Day, month, year: a birthday is known by heart, so it is typed and not picked."""

    template_name = "components/widgets/date3.html"

    def __init__(self, attrs: Any = None, *, birthday: bool = False) -> None:
        super().__init__({name: self._box(name, birthday) for name in ("day", "month", "year")}, attrs)

    @staticmethod
    def _box(name: str, birthday: bool) -> TextInput:
        year = name == "year"
        box = TextInput(
            {"inputmode": "numeric", "maxlength": 4 if year else 2, "class": "u-input--year" if year else ""}
        )
        if birthday:
            box.attrs["autocomplete"] = f"bday-{name}"
        return box

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"].pop("aria-describedby", None)
        for part, label in zip(context["widget"]["subwidgets"], (_("Day"), _("Month"), _("Year")), strict=True):
            part["label"] = label
            part["attrs"].pop("aria-describedby", None)
        return context

    def decompress(self, value: Any) -> list[Any]:
        return [value.day, value.month, value.year] if isinstance(value, date) else [None, None, None]

    @property
    def use_fieldset(self) -> bool:  # type: ignore[override]
        return True
