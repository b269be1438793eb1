"""Frozen dataclasses to plain JSON and back, driven by their type hints; fractions and dates are exact text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


class UnreadableValue(ValueError):
    """Stored JSON that does not fit its type: an unknown field, a missing one, a wrong kind of value."""


def ratio_text(exact: Fraction) -> str:
    """ "0.01" where decimals are exact, "1/3" where they are not."""
    rest, digits = exact.denominator, 0
    if rest == 1:
        return str(exact.numerator)
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        digits = max(digits, power)
    if rest != 1:
        return str(exact)
    text = str(abs(exact.numerator) * 10**digits // exact.denominator).rjust(digits + 1, "0")
    sign = "-" if exact < 0 else ""
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def ratio(text: str) -> Fraction:
    """What `ratio_text` wrote; several times as fast as asking Fraction, which allows for more."""
    numerator, is_ratio, denominator = text.partition("/")
    if is_ratio:
        return Fraction(int(numerator), int(denominator))
    whole, _, decimals = text.partition(".")
    return Fraction(int(whole + decimals), 10 ** len(decimals))


def encode(value: Any) -> Any:
    """Plain JSON of a value: dataclasses become objects, dates ISO text, fractions decimal or p/q text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Fraction):
        return ratio_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, frozenset):
        return sorted(encode(item) for item in value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def decode(kind: Any, data: Any) -> Any:
    """The value of type `kind` that `encode` made `data` from. Raises UnreadableValue."""
    origin = get_origin(kind)
    if origin is UnionType:
        inner = [option for option in get_args(kind) if option is not NoneType]
        return None if data is None else decode(inner[0], data)
    if origin in (tuple, frozenset):
        return origin(decode(get_args(kind)[0], item) for item in _expect(list, data))
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, _expect(dict, data))
    if kind is Fraction:
        return _read(Fraction, data)
    if kind is date:
        return _read(date.fromisoformat, data)
    return _expect(kind, data)


def _decode_dataclass(kind: type, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    known = {field.name: field for field in fields(kind) if field.init}
    unknown = data.keys() - known.keys()
    missing = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING} - data.keys()
    if unknown or missing:
        raise UnreadableValue(f"{kind.__name__}: unknown {sorted(unknown)}, missing {sorted(missing)}")
    return kind(**{name: decode(hints[name], item) for name, item in data.items()})


def _read(reader: Callable[[str], Any], data: Any) -> Any:
    try:
        return reader(_expect(str, data))
    except (ValueError, ZeroDivisionError) as unlike:
        raise UnreadableValue(str(unlike)) from unlike


def _expect(kind: type, data: Any) -> Any:
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise UnreadableValue(f"expected {kind.__name__}, found {data!r}")
    return data
