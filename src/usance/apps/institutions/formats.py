"""Money, dates and shares in words of the active language, for papers, messages and (through the filters of
`web.templatetags.formats`) pages."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_percent
from django.utils.translation import get_language, to_locale

# where CLDR writes the code because the currency is foreign to the language, a sign that people know is shorter
SIGNS = {"UAH": "₴", "VND": "₫", "EUR": "€"}
# where people write dates otherwise than CLDR: without "р.", whose full stop would end a sentence twice; in figures
PATTERNS = {
    "uk": {"medium": "d MMM y", "long": "d MMMM y", "full": "EEEE, d MMMM y"},
    "vi": {"short": "dd/MM/y", "medium": "dd/MM/y"},
}
DIGITS = re.compile(r"([#,]*0)(\.0+)?")


def locale() -> Locale:
    """The active language as Babel knows it. English is international English: day before month, 24 hours."""
    try:
        found = Locale.parse(to_locale(get_language() or "en"))
        return Locale("en", "GB") if str(found) == "en" else found
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def money(minor: int, currency: str, digits: int) -> str:
    """An amount in minor units with the currency's own number of decimals."""
    pattern = with_decimals(locale().currency_formats["standard"].pattern, "0" * digits)
    value = Decimal(minor).scaleb(-digits)
    text = str(format_currency(value, currency, locale=locale(), currency_digits=False, format=pattern))
    return text.replace("-", "\u2212").replace(currency, SIGNS.get(currency, currency))


def with_decimals(pattern: str, decimals: str) -> str:
    """A CLDR number pattern with other decimals, its groups kept."""
    return DIGITS.sub(lambda found: found[1] + (f".{decimals}" if decimals else ""), pattern)


def percent(share: Fraction | Decimal, digits: int = 2) -> str:
    """A fraction as per cent; zeros at the end are left away."""
    exact = (
        Decimal(share.numerator) / Decimal(share.denominator) if isinstance(share, Fraction) else Decimal(str(share))
    ).quantize(Decimal(1).scaleb(-2 - digits), ROUND_HALF_UP)
    shape = with_decimals(locale().percent_formats[None].pattern, "#" * digits)
    return str(format_percent(exact, format=shape, locale=locale()))


def day(value: date | None, length: str = "long") -> str:
    """A date; `length`: short, medium, long, full."""
    return "–" if value is None else str(format_date(value, format=day_pattern(length), locale=locale()))


def moment(value: datetime, length: str = "medium") -> str:
    """A date with its time of day, as the instant's own zone has it."""
    return f"{day(value.date(), length)}, {format_time(value, format='short', locale=locale())}"


def day_pattern(length: str) -> str:
    """The pattern of a date in the active language, or the name of CLDR's own."""
    return PATTERNS.get(locale().language, {}).get(length, length)
