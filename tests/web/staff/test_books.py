"""The books on the desk: balanced, down to the movement of one loan; locked by one person, opened by two."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.apps.servicing import loans
from tests.web.samples import World
from usance.apps.access import services as people
from usance.apps.desk import selectors as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as founding
from usance.apps.ledger import selectors as ledger
from usance.ports.actor import SYSTEM

AsRole = Callable[[str], Client]
BOOKS = "/staff/books/"


@pytest.fixture
def lent(house: World) -> Any:
    return loans.lend(on=house.institution.business_date)


def test_the_trial_balance_balances_and_goes_back_in_time(house: World, as_role: AsRole, lent: Any) -> None:
    client = as_role("accountant")
    page = client.get(BOOKS)
    assert page.context["is_balanced"] is True
    assert page.context["total"] == 3_000_000
    before = house.institution.business_date - timedelta(days=1)
    assert client.get(f"{BOOKS}?on={before}").context["total"] == 0


@pytest.mark.parametrize("query", ["on=yesterday", "branch=root.nowhere", "on=&branch="])
def test_bad_days_and_branches_are_told_and_mean_the_usual(house: World, as_role: AsRole, query: str) -> None:
    page = as_role("accountant").get(f"{BOOKS}?{query}")
    assert page.status_code == 200
    assert page.context["is_balanced"] is True


def test_the_export_is_what_the_page_shows(house: World, as_role: AsRole, lent: Any) -> None:
    response = as_role("accountant").get(f"{BOOKS}trial-balance.csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    balances = {row["account"]: row["balance"] for row in rows}
    assert balances["1210"] == "3000000"
    assert sum(int(value) for value in balances.values()) == 0
    assert "attachment" in response.headers["Content-Disposition"]


def test_from_an_account_to_its_entry_to_the_loan(house: World, as_role: AsRole, lent: Any) -> None:
    client = as_role("accountant")
    account = ledger.accounts().get(code="1210")
    page = client.get(f"{BOOKS}accounts/{account.pk}/")
    assert [amount for _label, amount in page.context["figures"]] == [0, 3_000_000]
    entry = next(one for one in ledger.entries_of_loan(loan_id=lent.pk) if one.transfer_count)
    assert f"/staff/books/entries/{entry.pk}/" in page.content.decode()
    text = client.get(f"{BOOKS}entries/{entry.pk}/").content.decode()
    assert lent.number in text
    assert "₫3,000,000" in text
    for wrong in (f"accounts/{uuid4()}/", f"entries/{uuid4()}/"):
        assert client.get(BOOKS + wrong).status_code == 404


def test_a_statement_of_wrong_days_says_so(house: World, as_role: AsRole, lent: Any) -> None:
    account = ledger.accounts().get(code="1210")
    page = as_role("accountant").get(f"{BOOKS}accounts/{account.pk}/?since=2026-03-10&until=2026-03-02")
    assert page.status_code == 200
    assert "since" in page.context["filters"].errors


def test_long_lists_need_no_more_queries(house: World, as_role: AsRole, lent: Any, queries: Any) -> None:
    client, account = as_role("accountant"), ledger.accounts().get(code="1210")
    for address in (BOOKS, f"{BOOKS}accounts/{account.pk}/", f"{BOOKS}journal/", f"{BOOKS}branches/"):
        client.get(address)
        before = queries(lambda address=address: client.get(address))
        for _ in range(3):
            loans.lend(on=house.institution.business_date)
        assert queries(lambda address=address: client.get(address)) == before, address


def test_a_branch_sees_its_own_books_only(house: World, as_role: AsRole, lent: Any) -> None:
    root = institutions.units().get(path="root")
    founding.add_unit(parent=root, code="north", name="North", kind="branch")
    northern = loans.lend(
        on=house.institution.business_date, agreed=loans.single_payment(700_000), org_path="root.north"
    )
    user = people.hire(email="n@lender.example", name="North", org_path="root.north", actor=SYSTEM)
    people.grant_role(user=user, role="accountant", org_path="root.north", scope="branch", actor=SYSTEM)
    house.staff["northern"] = user
    client = as_role("northern")
    assert client.get(BOOKS).context["total"] == 700_000
    assert client.get(f"{BOOKS}?branch=root").context["total"] == 700_000
    own = ledger.entries_of_loan(loan_id=northern.pk)[0]
    foreign = ledger.entries_of_loan(loan_id=lent.pk)[0]
    assert client.get(f"{BOOKS}entries/{own.pk}/").status_code == 200
    assert client.get(f"{BOOKS}entries/{foreign.pk}/").status_code == 404
    journal = client.get(f"{BOOKS}journal/").content.decode()
    assert str(own.pk) in journal
    assert str(foreign.pk) not in journal


def test_a_month_is_locked_by_one_and_opened_by_two(house: World, as_role: AsRole) -> None:
    client = as_role("accountant")
    assert client.get(f"{BOOKS}periods/lock/").context["form"].initial["since"].isoformat() == "2026-02-01"
    days = {"since": "2026-02-01", "until": "2026-02-28"}
    assert client.post(f"{BOOKS}periods/lock/", days).status_code == 302
    (period,) = ledger.periods()
    assert (period.starts_on.isoformat(), period.ends_on.isoformat()) == ("2026-02-01", "2026-03-01")
    again = client.post(f"{BOOKS}periods/lock/", days)
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["until"])
    assert "from 1 February 2026 to 28 February 2026 are locked" in again.content.decode()
    assert client.post(f"{BOOKS}periods/{period.pk}/unlock/", {"reason": ""}).status_code == 422
    assert client.post(f"{BOOKS}periods/{period.pk}/unlock/", {"reason": "a late bill"}).status_code == 302
    assert ledger.periods().get().locked_at is not None
    assert "Opening is proposed" in client.get(f"{BOOKS}periods/").content.decode()
    (waiting,) = desk.approvals_for(house.staff["compliance"])
    shown = client.get(f"/staff/approvals/{waiting.pk}/")
    assert [str(row.label) for row in shown.context["difference"]] == ["1 February 2026 – 28 February 2026"]
    assert shown.context["deciders"] == [house.staff["compliance"].name]
    second = people.hire(email="second@lender.example", name="Second", actor=SYSTEM)
    people.grant_role(user=second, role="accountant", actor=SYSTEM)
    house.staff["second"] = second
    assert "Second" in client.get(f"/staff/approvals/{waiting.pk}/").context["deciders"]
    assert as_role("second").post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302
    assert ledger.periods().get().locked_at is None


@pytest.mark.parametrize("days", [("2026-02-28", "2026-02-01"), ("2026-02-01", "2026-03-02"), ("", ""), ("x", "y")])
def test_days_that_cannot_be_locked_are_refused(house: World, as_role: AsRole, days: tuple[str, str]) -> None:
    page = as_role("accountant").post(f"{BOOKS}periods/lock/", {"since": days[0], "until": days[1]})
    assert page.status_code == 422
    assert not ledger.periods().exists()


def test_an_entry_of_the_close_is_the_loans_and_amounts_that_made_it_up(lender: Any) -> None:
    for number in range(55):
        lender.loan(agreed=loans.single_payment(1_000_000 + 1_000 * number, days=2))
    lender.live_until(lender.today + timedelta(days=4))  # past due: interest and penalties
    client = lender.browser("accountant")
    day = lender.today - timedelta(days=1)
    entry = ledger.entries(starts_on=day, ends_on=lender.today).get(description="close.day")
    page = client.get(f"{BOOKS}entries/{entry.pk}/")
    assert "They add up to the entry" in page.content.decode()
    transfers = {(str(t.debit), str(t.credit)): t.amount_minor for t in ledger.transfers_of(entry.pk)}
    parts = {str(row.cells[0]): (row.cells[3], row.cells[-1].minor, row.href) for row in page.context["parts"].rows}
    assert sum(minor for _count, minor, _href in parts.values()) == sum(transfers.values()) == page.context["made"]
    assert {count for count, _minor, _href in parts.values()} == {55}
    for _count, minor, href in parts.values():  # page after page, the loans of each part
        found, number, pages = [], 1, 1
        while number <= pages:
            listed = client.get(f"{BOOKS}entries/{entry.pk}/{href.partition('#')[0]}&page={number}")
            found += listed.context["movements"].rows
            pages, number = listed.context["movements"].page.paginator.num_pages, number + 1
        assert (len(found), sum(row.cells[-1].minor for row in found)) == (55, minor)
        assert minor in transfers.values()
    assert len(parts) == len(transfers) == 2
    assert client.get(f"{BOOKS}entries/{entry.pk}/?part=nonsense").status_code == 200
