"""Numbers that states give to persons: what a valid one looks like and what it says. Pure; a table by scheme.

Sources (read for this project; a person must confirm them before relying on them):
- Ukraine, РНОКПП (registration number of the taxpayer's card), 10 digits: digits 1-5 count the days since 1899-12-31 to
  the birth date, digit 9 is odd for men, digit 10 is the check digit. Weights as in python-stdnum `stdnum.ua.rntrc`.
- Vietnam, CCCD, 12 digits: Decree 137/2015/ND-CP art. 13 and Circular 07/2016/TT-BCA: province of birth registration
  (001-096; the codes from before the mergers of 2025 stay valid), century and sex (1900s 0 male 1 female, 2000s 2 and
  3, 2100s 4 and 5), two digits of the birth year, six random digits. It has no check digit.
- Germany, steuerliche Identifikationsnummer, 11 digits with a check digit (Abgabenordnung § 139b; python-stdnum
  `stdnum.de.idnr`). It says nothing about its holder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from stdnum.de import idnr
from stdnum.iso7064 import mod_11_10

from usance.apps.customers.refusals import IdentityNumberNotValid

Sex = Literal["male", "female"]


@dataclass(frozen=True, slots=True)
class Says:
    """What a number says about its holder, as far as it does."""

    birth_date: date | None = None
    birth_year: int | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """`read` raises IdentityNumberNotValid; `make` gives a valid number of nobody in particular (tests, simulation)."""

    code: str
    length: int
    read: Callable[[str], Says]
    make: Callable[[date, Sex, Random], str]


UA_EPOCH = date(1899, 12, 31)
UA_WEIGHTS = (-1, 5, 7, 9, 4, 6, 10, 5, 7)
VN_PROVINCES = range(1, 97)


def _ua_check_digit(digits: str) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, UA_WEIGHTS, strict=True)) % 11 % 10


def _read_ua(number: str) -> Says:
    if _ua_check_digit(number[:9]) != int(number[9]):
        raise IdentityNumberNotValid(why="check_digit")
    born = UA_EPOCH + timedelta(days=int(number[:5]))
    return Says(birth_date=born, birth_year=born.year, sex="male" if int(number[8]) % 2 else "female")


def _make_ua(born: date, sex: Sex, random: Random) -> str:
    last = random.choice("13579" if sex == "male" else "02468")
    nine = f"{(born - UA_EPOCH).days:05d}{random.randrange(1000):03d}{last}"
    return f"{nine}{_ua_check_digit(nine)}"


def _read_vn(number: str) -> Says:
    if int(number[:3]) not in VN_PROVINCES:
        raise IdentityNumberNotValid(why="province")
    century, is_female = divmod(int(number[3]), 2)
    if century > 2:
        raise IdentityNumberNotValid(why="format")  # 2200s and later: nobody alive
    return Says(birth_year=1900 + 100 * century + int(number[4:6]), sex="female" if is_female else "male")


def _make_vn(born: date, sex: Sex, random: Random) -> str:
    mark = (born.year // 100 - 19) * 2 + (sex == "female")
    return f"{random.choice(VN_PROVINCES):03d}{mark}{born.year % 100:02d}{random.randrange(10**6):06d}"


def _read_de(number: str) -> Says:
    if not idnr.is_valid(number):
        raise IdentityNumberNotValid(why="check_digit")
    return Says()


def _make_de(born: date, sex: Sex, random: Random) -> str:
    """Ten digits in which exactly one digit is doubled and one is missing, then the check digit."""
    digits = random.sample("0123456789", 10)
    while digits[0] == "0" or digits[1] == "0":
        random.shuffle(digits)
    digits[random.randrange(2, 10)] = digits[0]
    return "".join(digits) + str(mod_11_10.calc_check_digit("".join(digits)))


SCHEMES = {
    "ua_rnokpp": Scheme("ua_rnokpp", 10, _read_ua, _make_ua),
    "vn_cccd": Scheme("vn_cccd", 12, _read_vn, _make_vn),
    "de_idnr": Scheme("de_idnr", 11, _read_de, _make_de),
}
# used where the country's dated rule `identity_number` ({"scheme": ...}) has no row
BY_COUNTRY = {"UA": "ua_rnokpp", "VN": "vn_cccd", "DE": "de_idnr"}


def normal(number: str, scheme: str) -> str:
    """Only the digits, in the right count. Raises IdentityNumberNotValid(why="format")."""
    digits = re.sub(r"[\s.\-/]", "", number)
    if not (digits.isascii() and digits.isdigit()) or len(digits) != SCHEMES[scheme].length:
        raise IdentityNumberNotValid(why="format")
    return digits


def read(number: str, scheme: str) -> Says:
    """What a valid number says. Raises IdentityNumberNotValid."""
    return SCHEMES[scheme].read(normal(number, scheme))


def check(number: str, *, scheme: str, birth_date: date | None, sex: str | None, on: date) -> str:
    """The number in its normal form, when it is valid and agrees with what else is known. `on` is the day of asking:
    nobody is born after it. Raises IdentityNumberNotValid."""
    says = read(number, scheme)
    if says.birth_date and (says.birth_date > on or (birth_date and says.birth_date != birth_date)):
        raise IdentityNumberNotValid(why="birth_date")
    if says.birth_year and (says.birth_year > on.year or (birth_date and says.birth_year != birth_date.year)):
        raise IdentityNumberNotValid(why="birth_date")
    if says.sex and sex and says.sex != sex:
        raise IdentityNumberNotValid(why="sex")
    return normal(number, scheme)


def make(scheme: str, *, birth_date: date, sex: Sex, random: Random) -> str:
    """A valid number that fits the birth date and sex, of nobody in particular."""
    return SCHEMES[scheme].make(birth_date, sex, random)
