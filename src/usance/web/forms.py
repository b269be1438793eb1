"""Forms of the house: fields that speak the country's and the language's way, rendered by the components."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import phonenumbers
from babel.numbers import get_currency_symbol
from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import pretty_name
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.web.templatetags import formats
from usance.web.widgets import (
    RENDERER,
    CheckboxCards,
    ConsentInput,
    DateBoxes,
    DateInput,
    EmailInput,
    FileInput,
    HouseRenderer,
    MoneyInput,
    PasswordInput,
    PhoneInput,
    RadioCards,
    Select,
    SliderInput,
    Textarea,
    TextInput,
    parse_number,
)

__all__ = ["HouseRenderer"]


class MoneyField(forms.Field):
    """Cleans to integer minor units of `currency` (a code, a currency object, an institution); so are the bounds."""

    widget: Any = MoneyInput

    def __init__(
        self, *, currency: Any = None, min_minor: int | None = None, max_minor: int | None = None, **options: Any
    ) -> None:
        self.min_minor, self.max_minor = min_minor, max_minor
        super().__init__(**options)
        if currency is not None:
            self.set_currency(currency)

    def set_currency(self, currency: Any) -> None:
        """Call in the form's __init__ when the currency is the institution's."""
        self.code, self.digits = formats.currency_digits(currency)
        self.widget.attrs.setdefault("inputmode", "decimal" if self.digits else "numeric")
        self.widget.attrs.setdefault("autocomplete", "off")
        self.widget.sign = get_currency_symbol(self.code, locale="en") if self.code != "UAH" else "₴"

    def prepare_value(self, value: Any) -> Any:
        return formats.number(formats.as_decimal(value, self.digits), self.digits) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        scaled = parse_number(str(value)).scaleb(self.digits)
        if scaled != scaled.to_integral_value():
            raise ValidationError(
                _("Enter an amount without parts smaller than %(unit)s.") % {"unit": formats.money(1, self.code)},
                code="parts",
            )
        return int(scaled)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None:
            return
        if self.min_minor is not None and value < self.min_minor:
            raise ValidationError(
                _("Enter %(least)s or more.") % {"least": formats.money(self.min_minor, self.code)}, code="least"
            )
        if self.max_minor is not None and value > self.max_minor:
            raise ValidationError(
                _("Enter %(most)s or less.") % {"most": formats.money(self.max_minor, self.code)}, code="most"
            )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)


class MoneySliderField(MoneyField):
    """An amount by slider; cleans to minor units. One press moves `step_minor`; typing may be finer unless `strict`."""

    widget = SliderInput

    def __init__(
        self, *, min_minor: int, max_minor: int, step_minor: int, currency: Any, strict: bool = True, **options: Any
    ) -> None:
        self.step_minor, self.strict = step_minor, strict
        super().__init__(currency=currency, min_minor=min_minor, max_minor=max_minor, **options)
        box = self.widget
        box.words, box.unit = self.label, box.sign if hasattr(box, "sign") else ""
        box.low, box.high, box.step = (
            formats.as_decimal(value, self.digits) for value in (min_minor, max_minor, step_minor)
        )
        box.now = formats.as_decimal(self.initial if isinstance(self.initial, int) else min_minor, self.digits)

    def prepare_value(self, value: Any) -> Any:
        return formats.number(formats.as_decimal(value, self.digits)) if isinstance(value, int) else value

    def validate(self, value: Any) -> None:
        super().validate(value)
        if self.strict and value is not None and (value - self.min_minor) % self.step_minor:
            raise ValidationError(
                _("Enter an amount in steps of %(step)s.") % {"step": formats.money(self.step_minor, self.code)},
                code="step",
            )


class CountSliderField(forms.Field):
    """A whole number by slider: days, months, instalments. `unit` stands in the box ("days")."""

    widget = SliderInput

    def __init__(self, *, low: int, high: int, step: int = 1, unit: Any = "", **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high, self.step = low, high, step
        box = self.widget
        box.words, box.unit = self.label, unit
        box.low, box.high, box.step = Decimal(low), Decimal(high), Decimal(step)
        box.now = Decimal(self.initial if isinstance(self.initial, int) else low)
        box.attrs.setdefault("inputmode", "numeric")
        box.attrs.setdefault("autocomplete", "off")

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        number = parse_number(str(value))
        if number != number.to_integral_value():
            raise ValidationError(_("Enter a whole number."), code="whole")
        return int(number)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not self.low <= value <= self.high:
            bounds = {"low": formats.number(self.low), "high": formats.number(self.high)}
            raise ValidationError(_("Enter a number from %(low)s to %(high)s.") % bounds, code="bounds")
        if value is not None and (value - self.low) % self.step:
            raise ValidationError(
                _("Enter a number in steps of %(step)s.") % {"step": formats.number(self.step)}, code="step"
            )


class PhoneField(forms.CharField):
    """Cleans to E.164. National numbers are read by the institution's country; set it with `set_country`."""

    widget = PhoneInput

    def __init__(self, *, country: str = "", **options: Any) -> None:
        options.setdefault("label", gettext_lazy("Phone number"))
        super().__init__(max_length=30, **options)
        self.widget.attrs.update(autocomplete="tel", inputmode="tel")
        self.country = ""
        if country:
            self.set_country(country)

    def set_country(self, country: str) -> None:
        self.country = country
        code = phonenumbers.country_code_for_region(country)
        self.widget.calling_code = f"+{code}" if code else ""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str) and self.widget.calling_code and value.startswith(self.widget.calling_code):
            return value.removeprefix(self.widget.calling_code)
        return value

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        if not typed:
            return ""
        try:
            number = phonenumbers.parse(typed, self.country or None)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_valid_number(number):
            raise ValidationError(
                _("Enter a phone number, for example %(example)s.") % {"example": self.example()}, code="phone"
            )
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def example(self) -> str:
        """A mobile number of the country that nobody owns by intent."""
        number = phonenumbers.example_number_for_type(self.country or "UA", phonenumbers.PhoneNumberType.MOBILE)
        if number is None:
            return self.widget.calling_code or "+"
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


class CodeField(forms.CharField):
    """A one-time code: spaces and dashes are welcome. Cleans to digits only."""

    widget = TextInput

    def __init__(self, *, length: int = 6, **options: Any) -> None:
        options.setdefault("label", gettext_lazy("Code"))
        super().__init__(max_length=length * 3, **options)
        self.length = length
        self.validators = []  # what is too long is told in the same words as what is too short
        self.widget.attrs.update(
            {
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "class": "u-code",
                "data-code": length,
                "spellcheck": "false",
            }
        )

    def clean(self, value: Any) -> str:
        typed = unicodedata.normalize("NFKC", super().clean(value))
        digits = re.sub(r"[\s\u00a0\u2010-\u2015-]", "", typed)
        if digits and not re.fullmatch(rf"[0-9]{{{self.length}}}", digits):
            raise ValidationError(_("The code has %(count)s digits.") % {"count": self.length}, code="code")
        return digits


class DateBoxesField(forms.MultiValueField):
    """A date in three boxes. `no_later_than` is set by the view that knows the business date."""

    widget = DateBoxes

    def __init__(self, *, birthday: bool = False, no_later_than: date | None = None, **options: Any) -> None:
        self.no_later_than = no_later_than
        options.setdefault("widget", DateBoxes(birthday=birthday))
        boxes = tuple(forms.IntegerField(localize=False) for _box in range(3))
        options.setdefault("require_all_fields", True)
        super().__init__(boxes, **options)
        self.error_messages["invalid"] = gettext_lazy("Enter a real date: day, month and year.")

    def clean(self, value: Any) -> Any:
        if (
            value
            and any(part in self.empty_values for part in value)
            and any(part not in self.empty_values for part in value)
        ):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return super().clean(value)
        except ValidationError as refused:
            if any(part not in self.empty_values for part in value or ()) and any(
                e.code != "later" for e in refused.error_list
            ):
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None
            raise

    def compress(self, data_list: Sequence[int]) -> date | None:
        if not data_list:
            return None
        day, month, year = data_list
        try:
            made = date(year, month, day)
        except (ValueError, OverflowError):  # the latter: a year of four hundred digits
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if self.no_later_than and made > self.no_later_than:
            raise ValidationError(
                _("Enter a date that is not after %(date)s.") % {"date": formats.date_l(self.no_later_than)},
                code="later",
            )
        return made


class CardChoiceField(forms.ChoiceField):
    """One of a few, as large cards. `notes` by value: hint, or (hint, aside). `inline`: short answers side by side."""

    def __init__(self, *, notes: Mapping[Any, Any] | None = None, inline: bool = False, **options: Any) -> None:
        options.setdefault("widget", RadioCards())
        super().__init__(**options)
        self.error_messages["invalid_choice"] = gettext_lazy("Choose one of the answers.")
        self.widget.notes = {str(value): note for value, note in (notes or {}).items()}
        self.widget.inline = inline


def cards(form: forms.BaseForm, name: str) -> CardChoiceField:
    """A form's field of large cards, to be given its choices when they are known."""
    field = form.fields[name]
    assert isinstance(field, CardChoiceField)
    return field


class CardMultipleChoiceField(forms.MultipleChoiceField):
    """Any of a few, as large cards."""

    def __init__(self, *, notes: Mapping[Any, Any] | None = None, inline: bool = False, **options: Any) -> None:
        options.setdefault("widget", CheckboxCards())
        super().__init__(**options)
        self.widget.notes = {str(value): note for value, note in (notes or {}).items()}
        self.widget.inline = inline


class ConsentField(forms.BooleanField):
    """A sentence to agree to. The label is the sentence; `hint` says what it means."""

    widget = ConsentInput

    def __init__(self, *, hint: Any = "", **options: Any) -> None:
        super().__init__(**options)
        self.widget.words, self.widget.hint = self.label, hint
        self.error_messages["required"] = gettext_lazy("Tick the box if you agree; without it we cannot go on.")


class PercentField(forms.Field):
    """Typed in per cent, cleaned to an exact fraction per one (`Decimal("0.125")` for 12.5)."""

    widget = TextInput

    def to_python(self, value: Any) -> Decimal | None:
        return None if value in self.empty_values else parse_number(str(value)).scaleb(-2)

    def prepare_value(self, value: Any) -> Any:
        return formats.number(value.scaleb(2).normalize()) if isinstance(value, Decimal) else value


# Forms -------------------------------------------------------------------------------------------------------------

DRESSES: Mapping[type[forms.Widget], type[forms.Widget]] = {
    forms.TextInput: TextInput,
    forms.NumberInput: TextInput,
    forms.URLInput: TextInput,
    forms.EmailInput: EmailInput,
    forms.PasswordInput: PasswordInput,
    forms.DateInput: DateInput,
    forms.FileInput: FileInput,
    forms.Textarea: Textarea,
    forms.Select: Select,
    forms.RadioSelect: RadioCards,
    forms.CheckboxSelectMultiple: CheckboxCards,
    forms.CheckboxInput: ConsentInput,
}


class Dressed:
    """Swaps Django's plain widgets for the house's and says "required" in words that help."""

    default_renderer = RENDERER
    use_required_attribute = False  # errors are told by the page, in its own words, all at once

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            dress(name, field)


def dress(name: str, field: forms.Field) -> None:
    """The house's widget for the field, with its attributes kept, and words for what is missing."""
    ours = DRESSES.get(type(field.widget))
    if ours is not None:
        field.widget = _swapped(field.widget, ours, field)
    if isinstance(field, forms.IntegerField | forms.DecimalField):
        field.widget.attrs.setdefault("inputmode", "numeric" if isinstance(field, forms.IntegerField) else "decimal")
    if isinstance(field, forms.EmailField):
        field.error_messages["invalid"] = gettext_lazy("This is not an e-mail address. Write it like name@example.com.")
    if field.error_messages.get("required") == forms.Field.default_error_messages["required"]:
        field.error_messages["required"] = format_lazy(
            gettext_lazy("Please answer: {label}"), label=field.label or pretty_name(name)
        )


def _swapped(widget: forms.Widget, ours: type[forms.Widget], field: forms.Field) -> forms.Widget:
    made = ours(attrs=dict(widget.attrs))
    made.is_required, made.is_localized = widget.is_required, widget.is_localized
    if isinstance(widget, forms.Select | forms.CheckboxSelectMultiple | forms.RadioSelect):
        made.choices = widget.choices  # type: ignore[attr-defined]
    if isinstance(made, ConsentInput):
        made.words, made.hint = field.label, field.help_text
    made.attrs.pop("min", None)
    made.attrs.pop("max", None)
    return made


class Form(Dressed, forms.Form):  # type: ignore[misc]
    """Base of every form of the product."""


class ModelForm(Dressed, forms.ModelForm):  # type: ignore[misc]
    """Base of the few forms that edit a row of configuration as it is."""


class FilterForm(Form):
    """A bar of filters: sent by GET, never required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False
