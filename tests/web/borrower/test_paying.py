"""Paying from the borrower's pages when things go wrong: sent twice, too late, from two tabs, refused, unanswered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.borrower.owing import Phone, events, told
from usance.apps.payments import selectors as payments

if TYPE_CHECKING:
    from tests.apps.payments.money import Money


def hold_back(money: Money, name: str) -> list[Any]:
    """Does every job that is due but those of this name; gives them, still to be done."""
    held: list[Any] = []
    for _round in range(50):
        held += [job for job in money.jobs.waiting if job.name == name]
        for job in [job for job in money.jobs.waiting if job.name == name]:
            money.jobs.waiting.remove(job)
        job = money.jobs._next(money.now.at)
        if job is None:
            return held
        money.jobs.run(job.name, job.arguments)
    raise AssertionError("the jobs never end")


def test_the_page_waits_until_the_loan_shows_what_the_bank_confirmed(money: Money, person: Phone) -> None:
    """The bank said yes; the job that books it has not run yet. Nobody is shown the figures of before."""
    loan = money.loan(person.party_id)
    given = person.order(person.choose_to_extend(loan))
    booking = hold_back(money, "take_payment.settled")
    assert money.fresh(given).state == "succeeded"
    assert events(loan) == []
    assert "Your bank said yes" in person.reads(f"/payments/{given.pk}/")
    assert "is on its way" in person.reads(f"/loans/{loan.pk}/")
    again = person.confirm(person.choose(loan))
    assert again.status_code == 409
    assert "See where it is" in again.content.decode()
    money.jobs.waiting.extend(booking)
    money.settle()
    assert person.get(f"/payments/{given.pk}/").headers["Location"] == f"/loans/{loan.pk}/?paid={given.pk}"
    page = person.reads(f"/loans/{loan.pk}/?paid={given.pk}")
    assert "moved the due date" in page
    assert "Due date moved" in page
    assert "is on its way" not in page
