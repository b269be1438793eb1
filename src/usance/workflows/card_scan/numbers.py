"""Card numbers in a text: as many digits as a network issues, beginning as it issues them, with the right check digit.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

# first digits -> how many digits in all; the networks of the world and the domestic ones of our countries
NETWORKS: tuple[tuple[tuple[int, int], range], ...] = (
    ((4, 4), range(13, 20)),  # Visa
    ((51, 55), range(16, 17)),  # Mastercard
    ((2221, 2720), range(16, 17)),
    ((34, 34), range(15, 16)),  # American Express
    ((37, 37), range(15, 16)),
    ((300, 305), range(14, 20)),  # Diners Club
    ((36, 36), range(14, 20)),
    ((38, 39), range(14, 20)),
    ((3528, 3589), range(16, 20)),  # JCB
    ((50, 50), range(13, 20)),  # Maestro
    ((56, 58), range(13, 20)),
    ((6, 6), range(13, 20)),  # Maestro, Discover, UnionPay
    ((2200, 2204), range(16, 20)),  # Mir
    ((9704, 9704), range(16, 20)),  # NAPAS, Vietnam
    ((9804, 9804), range(16, 17)),  # Prostir, Ukraine
)
# what is not a number of anything: ids and digests, whose digits are part of a longer word; and fractions
_NO_NUMBERS = re.compile(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?=[0-9a-f]*[a-f])[0-9a-f]{32,}\b|\b\d+\.\d{6,}\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<![+\d])\d(?:[ \t\u00a0.-]?\d){12,}")  # after a plus it is a phone number
WRITTEN = ((4, 6, 5), (4, 6, 4))  # in groups, where these are not of four digits each
CANDIDATE_SQL = r"[0-9]([ \t.-]?[0-9]){12,}"  # what PostgreSQL looks for before anything is read


def has_check_digit(digits: str) -> bool:
    """Luhn's."""
    doubled = [int(sign) * (2 if place % 2 else 1) for place, sign in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_card_number(digits: str) -> bool:
    fits = any(
        first <= int(digits[: len(str(first))]) <= last and len(digits) in lengths
        for (first, last), lengths in NETWORKS
    )
    return fits and has_check_digit(digits) and len(set(digits)) > 1


def card_numbers(text: str) -> Iterator[str]:
    """Each card number in the text, without its separators. A longer run of digits is looked at in every part that is
    set apart by a separator."""
    for run in _DIGITS.finditer(_NO_NUMBERS.sub(" ", text)):
        yield from dict.fromkeys(found for found in _readings(run.group()) if is_card_number(found))


def _readings(run: str) -> Iterator[str]:
    """Ways to read a run of digits: each group alone, and neighbours in the groups in which cards are written. Amounts
    and dates beside each other are none."""
    groups = re.split(r"[ \t\u00a0.-]", run)
    for begin in range(len(groups)):
        for end in range(begin + 1, min(begin + 5, len(groups)) + 1):
            sizes = tuple(map(len, groups[begin:end]))
            in_fours = set(sizes[:-1]) == {4} and sizes[-1] <= 4
            if (end - begin == 1 or in_fours or sizes in WRITTEN) and 13 <= sum(sizes) <= 19:
                yield "".join(groups[begin:end])


def masked(digits: str) -> str:
    """As it may be shown to whoever must find and remove it."""
    return f"{'•' * (len(digits) - 4)}{digits[-4:]}"
