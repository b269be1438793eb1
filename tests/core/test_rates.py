"""APR against published figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.core import apr, calendar, day_counts, rates
from usance.core.apr import Flow

# Examples of Annex III of Directive 98/7/EC (the formula of 2008/48/EC is the same); the documentation of Excel's XIRR;
# the Ukrainian cap of 1 % a day over 30 days.
PUBLISHED = {
    "EU A1": ([("1994-01-01", -100000), ("1995-07-01", 120000)], "days/365", "0.130", 3),
    "EU A2": ([("1994-01-01", -95000), ("1995-07-01", 120000)], "days/365", "0.169", 3),
    "EU A3": ([("1994-01-01", -100000), ("1995-01-01", 60000), ("1996-01-01", 60000)], "days/365", "0.1307", 4),
    "EU A4": (
        [("1994-01-01", -100000), ("1994-04-01", 27200), ("1994-07-01", 27200), ("1995-01-01", 54400)],
        "days/365", "0.132", 3,
    ),
    "EU B2": ([("1994-01-01", -95000), ("1995-07-01", 120000)], "months/12", "0.1685", 4),
    "EU B4": (
        [("1994-01-01", -100000), ("1994-04-01", 27200), ("1994-07-01", 27200), ("1995-01-01", 54400)],
        "months/12", "0.1319", 4,
    ),
    "XIRR": (
        [("2008-01-01", -10000), ("2008-03-01", 2750), ("2008-10-30", 4250), ("2009-02-15", 3250),
         ("2009-04-01", 2750)],
        "days/365", "0.3733625335", 10,
    ),
    "UA 1 % x 30": ([("2024-01-01", -10000), ("2024-01-31", 13000)], "days/365", "23.339", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_apr_is_the_published_one(name: str) -> None:
    flows, times, expected, places = PUBLISHED[name]
    made = [Flow(date.fromisoformat(on), amount) for on, amount in flows]
    assert apr.apr(made, times=times, places=places) == Fraction(expected)


@pytest.mark.parametrize("amounts", [[], [-100], [-100, -10], [100, 10]])
def test_no_apr_without_money_both_ways(amounts: list[int]) -> None:
    with pytest.raises(apr.AprUndefined):
        apr.apr([Flow(date(2026, 1, 1 + k), amount) for k, amount in enumerate(amounts)])


@pytest.mark.parametrize("share", ["1.02", "1.1352", "1.44", "40"])
def test_the_search_for_an_apr_ends_where_it_has_arrived(monkeypatch: pytest.MonkeyPatch, share: str) -> None:
    """Newton's steps double the digits: it takes a few, not a hundred halvings."""
    tried = []
    measured = apr._value_and_slope

    def counted(powers: list[tuple[Decimal, int]], v: Decimal) -> tuple[Decimal, Decimal]:
        tried.append(v)
        return measured(powers, v)

    monkeypatch.setattr(apr, "_value_and_slope", counted)
    back = int(Fraction(share) * 1_000_000 / 12)
    flows = [Flow(date(2026, 1, 15), -1_000_000), *(Flow(date(2026, month, 15), back) for month in range(2, 13))]
    flows.append(Flow(date(2027, 1, 15), back))
    assert apr.apr(flows) != 0
    assert len(tried) < 25


def test_why_there_is_no_apr() -> None:
    day, later = date(2026, 1, 1), date(2027, 1, 1)
    for flows, why in (
        ([], "an APR needs payments"),
        ([Flow(day, -1)], "an APR needs money going out and coming back"),
        ([Flow(day, 0), Flow(later, 1)], "an APR needs money going out and coming back"),
        ([Flow(day, -(10**7)), Flow(later, 1)], "no yearly rate between -99 % and 10^12 explains these payments"),
    ):
        with pytest.raises(apr.AprUndefined) as told:
            apr.apr(flows)
        assert str(told.value) == why
    with pytest.raises(apr.AprUndefined) as told:
        apr.actuarial([apr.Counted(0, Fraction(0), 100), apr.Counted(1, Fraction(0), 1)], Fraction(12))
    assert str(told.value) == "no rate explains these payments"


def test_a_nominal_rate_by_hand() -> None:
    """1,000 back as 1,030 after two whole periods and a half: 1000 (1 + i/2) (1 + i)^2 = 1030."""
    flows = [apr.Counted(0, Fraction(0), -1000), apr.Counted(2, Fraction(1, 2), 1030)]
    rate = apr.actuarial(flows, Fraction(12)) / 12
    assert abs(1000 * (1 + rate / 2) * (1 + rate) ** 2 - 1030) < Fraction(1, 10**20)
    one = apr.actuarial([apr.Counted(0, Fraction(0), -1000), apr.Counted(1, Fraction(0), 1010)], Fraction(12))
    assert abs(one - Fraction("0.12")) < Fraction(1, 10**20)


def test_an_apr_is_rounded_as_asked() -> None:
    flows = [Flow(date(2026, 1, 1), -10_000), Flow(date(2027, 1, 1), 11_235)]
    assert apr.apr(flows) == Fraction("0.1235")
    assert apr.apr(flows, places=3, rounding="down") == Fraction("0.123")
    assert apr.apr(flows, places=3, rounding="half_even") == Fraction("0.124")
    assert apr.apr(flows, places=2, rounding="up") == Fraction("0.13")
    assert apr.apr(list(reversed(flows))) == Fraction("0.1235")


def test_money_after_so_much_time() -> None:
    timed = apr.Timed
    assert apr.effective([timed(Fraction(0), -100), timed(Fraction(2), 121)]) - Fraction("0.1") < Fraction(1, 10**25)
    assert abs(apr.effective([timed(Fraction(0), -100), timed(Fraction(1, 3), 200)]) - 7) < Fraction(1, 10**20)
    loss = apr.effective([timed(Fraction(0), -100), timed(Fraction(1), 40), timed(Fraction(2), 40)])
    assert abs(-100 + 40 / (1 + loss) + 40 / (1 + loss) ** 2) < Fraction(1, 10**20)
    for growth in (10**11, Fraction(2, 100)):
        found = apr.effective([timed(Fraction(0), -1000), timed(Fraction(1), int(1000 * growth))])
        assert abs((1 + found) / growth - 1) < Fraction(1, 10**15)


def test_no_apr_where_almost_nothing_comes_back() -> None:
    with pytest.raises(apr.AprUndefined):
        apr.apr([Flow(date(2026, 1, 1), -10_000_000), Flow(date(2027, 1, 1), 1)])


@given(st.integers(1, 60), st.integers(1, 400), st.integers(1_000, 10**9))
def test_apr_of_interest_compounded_daily_is_its_growth(count: int, basis_points: int, amount: int) -> None:
    """One payment after a year of k periods: (1 + r) ** k - 1, to the rounding of money."""
    start = date(2025, 1, 1)
    back = amount * (1 + Fraction(basis_points, 10_000)) ** min(count, 12)
    flows = [Flow(start, -amount), Flow(date(2026, 1, 1), int(back))]
    expected = Fraction(int(back), amount) - 1
    if expected:
        assert abs(apr.apr(flows, places=8) - expected) <= Fraction(1, 10**8)


def test_months_apart_across_short_months() -> None:
    times = apr.APR_TIMES["months/12"]
    assert times(date(2024, 1, 31), date(2024, 2, 29)) == Fraction(1, 12)
    assert times(date(2024, 1, 31), calendar.add_months(date(2024, 1, 31), 25)) == Fraction(25, 12)
    assert times(date(2024, 1, 15), date(2024, 2, 20)) == Fraction(1, 12) + Fraction(5, 365)


@pytest.mark.parametrize("per", ["week", ""])
def test_a_rate_is_per_day_month_or_year(per: str) -> None:
    with pytest.raises(ValueError, match="per day, month or year"):
        rates.Rate(Fraction(1), per)


def test_years_counted_back_from_an_end_of_february() -> None:
    """ACT/ACT AFB: a year back from 28 February is the end of that February; the days left over are those that are."""
    for start, end, years in [
        (date(2024, 1, 28), date(2024, 2, 28), Fraction(31, 365)),
        (date(2024, 2, 29), date(2025, 2, 28), Fraction(1)),
        (date(2023, 2, 28), date(2025, 2, 28), Fraction(2)),
        (date(2004, 2, 28), date(2008, 2, 27), Fraction(3) + Fraction(365, 366)),
    ]:
        assert day_counts.whole_years_back(start, end) == years
