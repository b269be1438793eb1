"""How figures, dates and numbers are written, by the reader's language. Babel knows; nothing here computes money."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import phonenumbers
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, get_currency_precision
from django.utils import timezone
from django.utils.translation import ngettext

from usance.apps.institutions import formats
from usance.apps.institutions.formats import SIGNS as SIGNS
from usance.apps.institutions.formats import locale as locale
from usance.web.components import Money

INTERNATIONAL = phonenumbers.PhoneNumberFormat.INTERNATIONAL


def local(value: datetime) -> datetime:
    """An instant on the active time zone's clock (the institution's)."""
    return value.astimezone(timezone.get_current_timezone())


def currency_digits(currency: Any) -> tuple[str, int]:
    """Code and minor-unit digits of a currency code, of a currency object (`code`, `digits`) or of an institution."""
    if isinstance(currency, str):
        return currency, get_currency_precision(currency)
    code = getattr(currency, "code", None)
    digits = getattr(currency, "digits", None)
    if hasattr(currency, "currency_digits"):
        code, digits = currency.currency, currency.currency_digits
    if not isinstance(code, str):
        raise TypeError(f"not a currency: {currency!r}")
    return code, get_currency_precision(code) if digits is None else int(digits)


def as_decimal(minor: int, digits: int) -> Decimal:
    """Minor units as a decimal in major units; exact."""
    return Decimal(minor).scaleb(-digits)


def money(amount: Any, currency: Any = None) -> str:
    """`minor|money:"VND"`. Takes minor units and a currency, or a value that knows both (`minor`, `currency`)."""
    if amount is None or amount == "":
        return "–"
    if currency is None:
        minor = amount.minor if hasattr(amount, "minor") else amount.amount_minor
        return money(minor, amount.currency)
    code, digits = currency_digits(currency)
    return formats.money(int(amount), code, digits)


def number(value: Any, digits: int | None = None) -> str:
    """A plain number with the language's groups."""
    if value is None or value == "":
        return "–"
    shape = None if digits is None else "#,##0" + ("." + "0" * int(digits) if int(digits) else "")
    return str(format_decimal(Decimal(str(value)), format=shape, locale=locale()))


def percent(value: Any, digits: int = 2) -> str:
    """A fraction as per cent: `Decimal("0.1234")` is 12.34 %. Zeros at the end are left away."""
    if value is None or value == "":
        return "–"
    return formats.percent(value if isinstance(value, Fraction) else Decimal(str(value)), int(digits))


def date_l(value: date | datetime | None, length: str = "long") -> str:
    """A date in words of the language; `length`: short, medium, long, full."""
    if value is None or value == "":
        return "–"
    return formats.day(local(value).date() if isinstance(value, datetime) else value, length)


def day_month(value: date | None) -> str:
    """A date without its year, for lists in which the year is plain."""
    shape = "dd/MM" if locale().language == "vi" else "d MMM"
    return "–" if value is None else str(format_date(value, format=shape, locale=locale()))


def datetime_l(value: datetime | None, length: str = "medium") -> str:
    """An instant in the institution's local time."""
    if value is None or value == "":
        return "–"
    time = format_time(local(value), format="medium", locale=locale())
    return f"{date_l(value, length)}, {time}"


def moment_l(value: datetime | None) -> str:
    """An instant in the institution's local time, to the minute: for what a person waits for."""
    return "–" if value is None else f"{date_l(value, 'medium')}, {time_l(value)}"


def time_l(value: datetime | None) -> str:
    """The local time of day of an instant."""
    return "–" if value is None else str(format_time(local(value), format="short", locale=locale()))


def days(value: int | None) -> str:
    """A number of days in words: "14 days"."""
    return "–" if value is None else ngettext("%(count)s day", "%(count)s days", value) % {"count": number(value)}


def minutes(value: int | None) -> str:
    """A span in hours and minutes, from minutes: "3 h 20 min"."""
    if value is None:
        return "–"
    hours, rest = divmod(abs(int(value)), 60)
    parts = [ngettext("%(count)s h", "%(count)s h", hours) % {"count": hours}] if hours else []
    if rest or not hours:
        parts.append(ngettext("%(count)s min", "%(count)s min", rest) % {"count": rest})
    return " ".join(parts)


def phone(value: str | None) -> str:
    """A phone number in groups, as its country writes it: "+380 50 000 1234"."""
    try:
        return str(phonenumbers.format_number(phonenumbers.parse(value or ""), INTERNATIONAL))
    except phonenumbers.NumberParseException:
        return value or "–"


def mask_phone(value: str | None) -> str:
    """A number that its owner recognises and nobody else can call: the country code and the last three digits."""
    if not value:
        return "–"
    digits = [sign for sign in value if sign.isdigit()]
    return f"+{''.join(digits[:2])} ••• ••• {''.join(digits[-3:])}" if len(digits) > 6 else "•••"


def mask_card(value: str | None) -> str:
    """The last four digits of a card."""
    return f"•••• {value[-4:]}" if value else "–"


def mask_name(value: str | None) -> str:
    """A person's name as initials."""
    return " ".join(f"{part[0]}." for part in value.split()) if value else "–"


def any_value(value: Any) -> str:
    """What a cell shows: money, date, instant, number or text, each in its own way."""
    if isinstance(value, Money):
        return money(value)
    if isinstance(value, datetime):
        return f"{date_l(value, 'medium')}, {time_l(value)}"
    if isinstance(value, date):
        return date_l(value, "medium")
    if isinstance(value, bool) or value is None or value == "":
        return "–" if value is None or value == "" else str(value)
    return number(value) if isinstance(value, int | Decimal) else str(value)
