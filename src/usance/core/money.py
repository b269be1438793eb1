"""Money is a whole number of minor units with a currency; what lies between two minor units is an exact fraction.

Nothing here knows a floating-point number. Rounding happens only in `rounded`, by a rule that has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 code and the number of decimal digits in use (0 for VND, 2 for UAH and EUR, 3 for KWD)."""

    code: str
    digits: int

    def __post_init__(self) -> None:
        if len(self.code) != 3 or not self.code.isascii() or not self.code.isupper():
            raise ValueError(f"not a currency code: {self.code!r}")
        if self.digits not in (0, 1, 2, 3):
            raise ValueError(f"a currency has 0 to 3 digits, not {self.digits}")

    def minor(self, major: str | int | Fraction) -> int:
        """Minor units of an amount in major units ("12.50" -> 1250). ValueError when it has more digits than the
        currency."""
        exact = Fraction(major) * Fraction(10**self.digits)
        if exact.denominator != 1:
            raise ValueError(f"{major} has more digits than {self.code}")
        return exact.numerator

    def text(self, minor: int) -> str:
        """Plain decimal text (1250 -> "12.50"), for formulas, logs and machine formats; people see a localised form."""
        if self.digits == 0:
            return str(minor)
        whole, rest = divmod(abs(minor), 10**self.digits)
        return f"{'-' if minor < 0 else ''}{whole}.{rest:0{self.digits}d}"


# --- rounding, by name -------------------------------------------------------------------------------------------


def _down(numerator: int, denominator: int) -> int:
    """Towards zero."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def _up(numerator: int, denominator: int) -> int:
    """Away from zero."""
    return -(-numerator // denominator) if numerator >= 0 else numerator // denominator


def _half_up(numerator: int, denominator: int) -> int:
    """To the nearest; a half goes away from zero."""
    if numerator < 0:
        return -_half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def _half_even(numerator: int, denominator: int) -> int:
    """To the nearest; a half goes to the even neighbour."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + 1 if twice > denominator or (twice == denominator and whole % 2) else whole


ROUNDINGS: dict[str, Callable[[int, int], int]] = {
    "down": _down,
    "up": _up,
    "half_up": _half_up,
    "half_even": _half_even,
}


def rounded(exact: int | Fraction, rule: str) -> int:
    """The whole number that `rule` (a name in ROUNDINGS) makes of an exact one."""
    return ROUNDINGS[rule](exact.numerator, exact.denominator)


def rounded_to(exact: Fraction, multiple: int, rule: str) -> int:
    """Rounded to a multiple of `multiple` minor units (1000 for Vietnamese cash)."""
    return rounded(exact / multiple, rule) * multiple


# --- splitting without loss --------------------------------------------------------------------------------------


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Parts in proportion to `weights` whose sum is `amount` exactly: the largest remainders get the odd units, the
    earlier part on a tie. Weights are not negative and not all zero."""
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and not all zero")
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
