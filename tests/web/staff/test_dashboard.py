"""The dashboard shows what is true, to whoever may see it, with as many queries for a thousand loans as for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.apps.servicing import loans
from tests.web.samples import World
from usance.apps.access import services as people
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as founding
from usance.ports.actor import SYSTEM

AsRole = Callable[[str], Client]
ADDRESS = "/staff/dashboard/"


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def test_an_empty_house_has_a_page_without_a_division_by_zero(house: World, as_role: AsRole) -> None:
    text = text_of(as_role("auditor"), ADDRESS)
    assert "nothing was decided" in text
    assert "Nothing waits for a person" in text


def test_it_says_what_was_lent_paid_and_is_owed(house: World, as_role: AsRole) -> None:
    on = house.institution.business_date
    first = loans.lend(on=on)
    loans.lend(on=on, agreed=loans.instalments())
    loans.pay(first, 1_000_000, on)
    text = text_of(as_role("auditor"), f"{ADDRESS}?period=7")
    for amount in ("₫15,000,000", "₫1,000,000", "₫14,000,000"):  # lent, paid, owed
        assert amount in text
    assert (
        text.count("<figure") == text.count("<details") - 1 == 6
    )  # each chart has its table; the menu is a details too


@pytest.mark.parametrize("period", ["", "nonsense", "-1", "7", "30", "90", "365"])
def test_any_period_is_answered(house: World, as_role: AsRole, period: str) -> None:
    assert "Money in" in text_of(as_role("auditor"), f"{ADDRESS}?period={period}")


def test_more_loans_need_no_more_queries(house: World, as_role: AsRole, queries: Any) -> None:
    client, on = as_role("auditor"), house.institution.business_date
    loans.lend(on=on)
    client.get(ADDRESS)
    before = queries(lambda: client.get(ADDRESS))
    for _ in range(5):
        loans.lend(on=on)
    assert queries(lambda: client.get(ADDRESS)) == before
    assert before < 60


def test_a_branch_sees_its_own_figures(house: World, as_role: AsRole) -> None:
    root = institutions.units().get(path="root")
    founding.add_unit(parent=root, code="north", name="North", kind="branch")
    on = house.institution.business_date
    loans.lend(on=on)
    loans.lend(on=on, agreed=loans.single_payment(700_000), org_path="root.north")
    user = people.hire(email="n@lender.example", name="North", org_path="root.north", actor=SYSTEM)
    people.grant_role(user=user, role="auditor", org_path="root.north", scope="branch", actor=SYSTEM)
    house.staff["northern"] = user
    text = text_of(as_role("northern"), ADDRESS)
    assert "₫700,000" in text
    assert "₫3,700,000" not in text
    assert "₫3,700,000" in text_of(as_role("auditor"), ADDRESS)


def test_home_is_the_dashboard_for_whoever_may_see_it(house: World, as_role: AsRole) -> None:
    assert as_role("auditor").get("/staff/").headers["Location"] == ADDRESS


def test_the_portfolio_chart_ends_at_what_is_owed_now(house: World) -> None:
    from django.db.models import Q

    from usance.apps.reporting import selectors as figures

    on = house.institution.business_date
    loans.pay(loans.lend(on=on), 500_000, on)
    period = figures.Period(on - timedelta(days=3), on + timedelta(days=1))

    def reach(path: str) -> Q:
        return Q()

    assert figures.outstanding_by_slot(period, reach, 2_500_000) == [0, 0, 0, 2_500_000]
