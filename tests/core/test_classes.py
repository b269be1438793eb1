"""Classes of loans by how long they are past due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.core.classes import LoanClass, Scheme, changes, class_of, scheme_of

VIETNAM = scheme_of(
    {
        "classes": [
            {"code": "standard", "from": 0},
            {"code": "special_mention", "from": 10},
            {"code": "substandard", "from": 91},
            {"code": "doubtful", "from": 181},
            {"code": "loss", "from": 361},
        ],
        "extended": ["substandard", "doubtful", "loss"],
    }
)
INDIA = scheme_of(
    {
        "classes": [
            {"code": "standard", "from": 0},
            {"code": "sma_0", "from": 1},
            {"code": "sma_1", "from": 31},
            {"code": "sma_2", "from": 61},
            {"code": "npa", "from": 91, "stays": True},
        ]
    }
)


@pytest.mark.parametrize(
    ("days", "code"),
    [(0, "standard"), (9, "standard"), (10, "special_mention"), (90, "special_mention"), (91, "substandard"),
     (180, "substandard"), (181, "doubtful"), (360, "doubtful"), (361, "loss"), (4000, "loss")],
)  # fmt: skip
def test_a_class_begins_on_its_day(days: int, code: str) -> None:
    assert class_of(VIETNAM, days_past_due=days) == code


@pytest.mark.parametrize(("count", "code"), [(0, "standard"), (1, "substandard"), (2, "doubtful"), (7, "loss")])
def test_an_extended_loan_is_at_least_of_the_class_that_the_rule_names(count: int, code: str) -> None:
    assert class_of(VIETNAM, days_past_due=0, extension_count=count) == code
    assert class_of(VIETNAM, days_past_due=400, extension_count=count) == "loss"


def test_non_performing_is_left_only_when_nothing_is_past_due() -> None:
    assert class_of(INDIA, days_past_due=40, before="npa") == "npa"
    assert class_of(INDIA, days_past_due=0, before="npa") == "standard"
    assert class_of(INDIA, days_past_due=40, before="sma_2") == "sma_1"


def test_a_class_of_an_older_rule_does_not_hold_a_loan() -> None:
    assert class_of(INDIA, days_past_due=5, before="a class that is no more") == "sma_0"


@given(
    st.sampled_from([VIETNAM, INDIA]),
    st.integers(0, 500),
    st.integers(1, 200),
    st.integers(0, 4),
    st.sampled_from(["", "standard", "npa", "loss"]),
)
def test_many_days_at_once_are_those_days_one_by_one(
    scheme: Scheme, was: int, passed: int, extensions: int, before: str
) -> None:
    at_once = changes(scheme, days_past_due=(was, was + passed), extension_count=extensions, before=before)
    one_by_one, code = [], before
    for days in range(was + 1, was + passed + 1):
        for day, then in changes(scheme, days_past_due=(days - 1, days), extension_count=extensions, before=code):
            one_by_one.append((day, then))
            code = then
    assert list(at_once) == one_by_one


def test_a_scheme_is_read_as_it_is_written() -> None:
    told = {"classes": [{"code": "good", "from": 0}, {"code": "bad", "from": 9, "stays": True}]}
    assert scheme_of(told) == Scheme((LoanClass("good", 0, False), LoanClass("bad", 9, True)), ())
    assert scheme_of({**told, "extended": ["bad"]}).extended == ("bad",)
    assert [scheme_of(told).rank(code) for code in ("good", "bad", "ugly")] == [0, 1, -1]


def test_a_class_changes_on_its_edges_and_an_age_that_stands_still_is_looked_at_once() -> None:
    assert list(changes(INDIA, days_past_due=(0, 95), before="standard")) == [
        (1, "sma_0"), (31, "sma_1"), (61, "sma_2"), (91, "npa"),
    ]  # fmt: skip
    assert list(changes(INDIA, days_past_due=(0, 0), before="npa")) == [(0, "standard")]
    assert list(changes(INDIA, days_past_due=(95, 0), before="npa")) == [(0, "standard")]
    assert list(changes(VIETNAM, days_past_due=(0, 0), extension_count=1)) == [(0, "substandard")]
    assert list(changes(VIETNAM, days_past_due=(3, 4))) == [(4, "standard")]
