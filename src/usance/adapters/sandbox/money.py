"""Amounts on the twins' pages. The protocol's minor units have as many digits as the currency has."""

from __future__ import annotations

import re

NO_DIGITS = frozenset({"VND", "JPY", "KRW", "CLP"})


def digits_of(currency: str) -> int:
    return 0 if currency in NO_DIGITS else 2


def show_amount(minor: int, currency: str) -> str:
    """`1,234.50 UAH`, `12,000 VND`."""
    digits = digits_of(currency)
    whole, rest = divmod(minor, 10**digits)
    return f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "") + f" {currency}"


def parse_amount(text: str, currency: str) -> int | None:
    """What a person typed, in minor units; None when it is not an amount. Groups may be parted by spaces, and in
    currencies without decimals also by points and commas."""
    digits = digits_of(currency)
    plain = re.sub(r"[\s\u00a0\u202f]", "", text.upper().replace(currency, ""))
    if not digits:
        plain = re.sub(r"[.,]", "", plain)
    found = re.fullmatch(rf"(\d{{1,12}})(?:[.,](\d{{1,{max(digits, 1)}}}))?", plain)
    if not found:
        return None
    rest = (found[2] or "").ljust(digits, "0")[:digits]
    return int(found[1] + rest)
