"""The trail is found by who, what, whom and when; its chain is verified on request; the institution shows its rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.apps.servicing import loans
from tests.web.samples import World
from usance.apps.audit import selectors as trail
from usance.apps.audit import services as audit
from usance.ports.actor import staff
from usance.web.staff import trail_words

AsRole = Callable[[str], Client]
TRAIL = "/staff/trail/"


def rows(client: Client, query: str = "") -> list[Any]:
    page = client.get(f"{TRAIL}?{query}")
    assert page.status_code == 200
    return list(page.context["table"].rows)


def test_the_trail_is_narrowed_by_what_is_given(house: World, as_role: AsRole) -> None:
    loan = loans.lend(on=house.institution.business_date)
    client = as_role("auditor")
    assert len(rows(client, f"subject_type=servicing.loan&subject_id={loan.pk}")) == 3  # booked, approved, disbursed
    assert {row.cells[0] for row in rows(client, "action=loan.booked")} == {"Loan booked"}
    assert len(rows(client, "action=ledger.")) == trail.search(action="ledger.").count() > 0
    assert rows(client, f"actor={house.staff['cashier'].pk}") == []
    assert rows(client, "until=2001-01-01") == []
    assert rows(client, "actor=kind:borrower") == []


@pytest.mark.parametrize("query", ["action=nonsense", "actor=x", "since=soon", "until=%E2%88%9E", "page=-1"])
def test_nonsense_filters_nothing(house: World, as_role: AsRole, query: str) -> None:
    assert rows(as_role("auditor"), query)


def test_a_longer_trail_needs_no_more_queries(house: World, as_role: AsRole, queries: Any) -> None:
    client = as_role("auditor")
    loans.lend(on=house.institution.business_date)  # each kind of thing on the page is looked up once
    client.get(TRAIL)
    before = queries(lambda: client.get(TRAIL))
    loans.lend(on=house.institution.business_date)
    assert queries(lambda: client.get(TRAIL)) == before


def test_details_are_told_in_words(house: World, as_role: AsRole) -> None:
    loan = loans.lend(on=house.institution.business_date)
    client = as_role("auditor")
    (booked,) = rows(client, f"action=loan.booked&subject_id={loan.pk}")
    assert booked.cells[3] == f"Loan {loan.number}"  # by the number that people know
    as_role("underwriter").get(f"/staff/loans/{loan.pk}/")
    (looked,) = rows(client, f"action=personal.viewed&subject_id={loan.pk}")
    assert looked.cells[4] == "summary"
    things = {"origination.application": "Application"}
    told = {
        "amount_minor": 500_000,
        "expires_on": "2026-12-02",
        "was": "draft",
        "about": "origination.application:01a2279161e3",
        "fields": ["income_minor", "family_name"],
        "anew": [True, {"so": "it"}],
    }
    words = trail_words.details(told, currency="VND", things=things)
    assert words == (
        "Amount: ₫500,000 · Until: 2 Dec 2026 · Before: Not sent yet · About: Application 279161e3 · "
        "Income a month, Family name · anew: yes, so: it"
    )


def test_the_outcome_of_a_verification_is_shown(house: World, as_role: AsRole) -> None:
    client = as_role("auditor")
    assert client.post(f"{TRAIL}verify/").headers["Location"] == TRAIL
    audit.verify_and_record(actor=staff(house.staff["auditor"].pk, label="staff"))
    text = client.get(TRAIL).content.decode()
    assert "The chain is whole" in text
    head = trail.head()
    assert head is not None
    assert head.hash in text


def test_who_may_only_read_the_trail_may_not_verify_it(house: World, as_role: AsRole) -> None:
    client = as_role("administrator")
    assert f"{TRAIL}verify/" not in client.get(TRAIL).content.decode()
    assert client.post(f"{TRAIL}verify/").status_code == 403


def test_the_institution_shows_its_rules_with_their_source(house: World, as_role: AsRole) -> None:
    text = as_role("auditor").get("/staff/institution/").content.decode()
    assert "Civil Code" in text
    assert "Not confirmed" in text
    assert "Asia/Ho_Chi_Minh" in text
