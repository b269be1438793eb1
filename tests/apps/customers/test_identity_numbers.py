"""Identity numbers are checked by their country's rule, and against the birth date and sex that were said."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.apps.customers import identity_numbers
from usance.apps.customers.refusals import IdentityNumberNotValid

ON = date(2026, 3, 2)
SCHEMES = sorted(identity_numbers.SCHEMES)
BIRTH_DATES = st.dates(min_value=date(1900, 1, 1), max_value=ON)
SEXES = st.sampled_from(["male", "female"])


def why(number: str, scheme: str, birth_date: date | None = None, sex: str | None = None) -> str:
    with pytest.raises(IdentityNumberNotValid) as refused:
        identity_numbers.check(number, scheme=scheme, birth_date=birth_date, sex=sex, on=ON)
    return str(refused.value.why)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(born=BIRTH_DATES, sex=SEXES, seed=st.integers())
def test_a_number_that_was_made_passes_and_says_what_it_was_made_of(
    scheme: str, born: date, sex: identity_numbers.Sex, seed: int
) -> None:
    number = identity_numbers.make(scheme, birth_date=born, sex=sex, random=Random(seed))
    assert identity_numbers.check(number, scheme=scheme, birth_date=born, sex=sex, on=ON) == number
    says = identity_numbers.read(number, scheme)
    assert says.sex in (sex, None)
    assert says.birth_date in (born, None)
    assert says.birth_year in (born.year, None)


@pytest.mark.parametrize("scheme", ["ua_rnokpp", "de_idnr"])
@given(born=BIRTH_DATES, sex=SEXES, seed=st.integers(), digit=st.integers(1, 9))
def test_the_check_digit_finds_a_wrong_last_digit(
    scheme: str, born: date, sex: identity_numbers.Sex, seed: int, digit: int
) -> None:
    number = identity_numbers.make(scheme, birth_date=born, sex=sex, random=Random(seed))
    wrong = f"{number[:-1]}{(int(number[-1]) + digit) % 10}"
    assert why(wrong, scheme) == "check_digit"


def test_ukraine() -> None:
    assert why("1759013770", "ua_rnokpp") == "check_digit"
    says = identity_numbers.read("1759013776", "ua_rnokpp")
    assert says == identity_numbers.Says(birth_date=date(1948, 2, 28), birth_year=1948, sex="male")
    assert why("1759013776", "ua_rnokpp", birth_date=date(1948, 2, 29)) == "birth_date"
    assert why("1759013776", "ua_rnokpp", sex="female") == "sex"
    assert why("175901377", "ua_rnokpp") == "format"


def test_vietnam() -> None:
    number = "087084000999"  # Đồng Tháp, a man born in 1984
    assert identity_numbers.read(number, "vn_cccd") == identity_numbers.Says(birth_year=1984, sex="male")
    assert identity_numbers.check("087 084 000 999", scheme="vn_cccd", birth_date=None, sex=None, on=ON) == number
    assert why(number, "vn_cccd", birth_date=date(1985, 1, 1)) == "birth_date"
    assert why(number, "vn_cccd", sex="female") == "sex"
    assert why("000084000999", "vn_cccd") == "province"
    assert why("097084000999", "vn_cccd") == "province"
    assert why("087284000999", "vn_cccd") == "birth_date"  # 2084 has not come
    assert why("087984000999", "vn_cccd") == "format"
    assert why("08708400099", "vn_cccd") == "format"
    assert why("०८७०८४०००९९९", "vn_cccd") == "format"  # digits of another script


@given(text=st.text(max_size=20), scheme=st.sampled_from(SCHEMES))
def test_whatever_is_typed_is_answered_by_a_number_or_a_refusal(text: str, scheme: str) -> None:
    try:
        number = identity_numbers.check(text, scheme=scheme, birth_date=None, sex=None, on=ON)
    except IdentityNumberNotValid:
        return
    assert number.isdigit()
