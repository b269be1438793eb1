"""Portfolios at the desk: handed in by one person, checked, let in by another, visible wherever loans are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.web.samples import World
from tests.workflows.importing import CUSTOMER, LOAN, SCHEDULE, portfolio
from usance.apps.desk import selectors as desk
from usance.apps.imports import selectors
from usance.apps.servicing import selectors as servicing

AsRole = Callable[[str], Client]
IMPORTS = "/staff/imports/"
# in dong, which has no decimals
PERSON = CUSTOMER | {"phone": "", "city": "Huế"}
DEBT = LOAN | {"amount": "1200000", "principal": "900000", "interest": "18400"}
PAST = [
    {name: text if name in ("loan", "due_on") else str(int(float(text) * 1000)) for name, text in row.items()}
    for row in SCHEDULE
]


def files(**changed: str) -> list[SimpleUploadedFile]:
    made = portfolio(customers=[PERSON], loans=[DEBT | changed], schedule=PAST)
    return [SimpleUploadedFile(file.name, file.content, "text/csv") for file in made]


def handed_in(client: Client, **changed: str) -> UUID:
    """Hands the files in; the check is done by the job that this enqueues."""
    from usance.workflows import import_portfolio

    answer = client.post(f"{IMPORTS}hand-in/", {"uploads": files(**changed)})
    assert answer.status_code == 302, answer.context["form"].errors
    found = UUID(answer.headers["Location"].rstrip("/").rpartition("/")[2])
    page = client.get(f"{IMPORTS}{found}/").content.decode()
    assert "Being checked" in page
    assert 'data-poll="' in page
    import_portfolio.run_check(str(found))
    return found


def test_one_person_hands_in_another_lets_in_and_the_loan_is_there(house: World, as_role: AsRole) -> None:
    from usance.workflows import import_portfolio

    administrator, accountant = as_role("administrator"), as_role("accountant")
    found = handed_in(administrator)
    page = administrator.get(f"{IMPORTS}{found}/").content.decode()
    assert "Can come in" in page
    assert "₫900,000" in page
    assert accountant.get(f"{IMPORTS}{found}/").context["form"] is None
    assert administrator.post(f"{IMPORTS}{found}/propose/", {"reason": "The old branch"}).status_code == 302
    again = administrator.post(f"{IMPORTS}{found}/propose/", {"reason": ""})
    assert again.status_code == 422
    (proposal,) = desk.waiting_approvals(import_portfolio.APPROVAL, [found])
    own = administrator.get(f"/staff/approvals/{proposal.pk}/")
    assert own.context["may_decide"] is False
    seen = accountant.get(f"/staff/approvals/{proposal.pk}/")
    assert seen.context["may_decide"] is True
    assert "₫900,000" in seen.content.decode()
    assert accountant.post(f"/staff/approvals/{proposal.pk}/", {"verdict": "approve", "note": ""}).status_code == 302
    assert selectors.one(found).state == "taking"
    import_portfolio.run_take(str(found))
    assert selectors.one(found).state == "taken"
    import_portfolio.plan(str(found), "")
    loan = servicing.loan_by_number("X-1001")
    page = accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline").content.decode()
    assert "Taken over from another system" in page
    schedule = accountant.get(f"/staff/loans/{loan.pk}/?tab=schedule").content.decode()
    assert "212,000" in schedule
    assert loan.number in accountant.get("/staff/loans/?search=x-1001").content.decode()


def test_wrong_lines_are_listed_and_can_be_saved(house: World, as_role: AsRole) -> None:
    client = as_role("administrator")
    found = handed_in(client, amount="1.200.000", product="gold")
    page = client.get(f"{IMPORTS}{found}/").content.decode()
    assert "Nothing comes in: lines are wrong" in page
    assert "“1.200.000” is no amount." in page
    saved = client.get(f"{IMPORTS}{found}/problems.csv")
    rows = list(csv.reader(io.StringIO(saved.content.decode("utf-8-sig"))))
    assert {(row[0], row[1], row[2]) for row in rows[1:]} == {
        ("loans.csv", "2", "amount"),
        ("loans.csv", "2", "product"),
    }
    assert client.post(f"{IMPORTS}{found}/propose/", {"reason": ""}).status_code == 422
    assert selectors.files(found) == []


def test_an_import_is_given_up(house: World, as_role: AsRole) -> None:
    client = as_role("administrator")
    found = handed_in(client)
    assert client.post(f"{IMPORTS}{found}/stop/").status_code == 302
    assert selectors.one(found).state == "stopped"
    assert client.post(f"{IMPORTS}{found}/propose/", {"reason": ""}).status_code == 422


@pytest.mark.parametrize("sent", [{}, {"uploads": [SimpleUploadedFile("empty.csv", b"", "text/csv")]}])
def test_no_file_or_an_empty_one_is_told_beside_the_field(house: World, as_role: AsRole, sent: Any) -> None:
    answer = as_role("administrator").post(f"{IMPORTS}hand-in/", sent)
    assert answer.status_code == 422
    assert "uploads" in answer.context["form"].errors


def test_templates_are_read_by_the_very_check(house: World, as_role: AsRole) -> None:
    from usance.workflows import import_portfolio
    from usance.workflows.import_portfolio import formats

    client = as_role("administrator")
    found = []
    for kind in formats.KINDS:
        answer = client.get(f"{IMPORTS}templates/{kind}.csv")
        assert "attachment" in answer.headers["Content-Disposition"]
        found.append(selectors.File(f"{kind}.csv", answer.content))
    assert client.get(f"{IMPORTS}templates/people.csv").status_code == 404
    codes = {problem.code for problem in import_portfolio.check(found).problems}
    assert not codes & {"unknown_file", "unknown_column", "column_twice", "not_utf8", "not_a_table", "missing"}


def test_who_sees_what(house: World, as_role: AsRole) -> None:
    assert "Hand in files" in as_role("administrator").get(IMPORTS).content.decode()
    assert "Hand in files" not in as_role("auditor").get(IMPORTS).content.decode()
    assert as_role("accountant").get(f"{IMPORTS}hand-in/").status_code == 403
    assert as_role("underwriter").get(IMPORTS).status_code == 403
