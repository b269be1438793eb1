"""The day is ended from a page that says what that does; sent twice, it ends once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tests.apps.servicing import loans
from tests.web.samples import World
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import Institution
from usance.apps.servicing import selectors as servicing
from usance.apps.servicing.models import CloseProblem
from usance.config.jobs import run_inline
from usance.ports import queue

AsRole = Callable[[str], Client]
CLOCK = "/staff/clock/"


@pytest.fixture
def jobs() -> Iterator[queue.InlineQueue]:
    """Jobs wait until the test runs them."""
    before = queue._queue
    inline = queue.InlineQueue(run=run_inline, whose=tenancy.current_id, on_commit=transaction.on_commit)
    queue.install(inline)
    yield inline
    queue.install(before)  # type: ignore[arg-type]


def form(on: date) -> dict[str, str]:
    return {"business_date": on.isoformat()}


def test_the_confirm_page_names_the_effect_and_changes_nothing(house: World, as_role: AsRole) -> None:
    loans.lend(on=house.institution.business_date)
    page = as_role("accountant").get(f"{CLOCK}advance-week/")
    words = [str(effect.text) for effect in page.context["effects"]]
    assert "9 March 2026" in words[0]
    assert words[1].startswith("1 running loan ")
    assert servicing.latest_run() is None


def test_ending_the_day_leads_to_a_bar_and_to_the_new_date(house: World, as_role: AsRole, jobs: Any) -> None:
    on, client = house.institution.business_date, as_role("accountant")
    loans.lend(on=on)
    sent = client.post(f"{CLOCK}end-day/", form(on))
    bar = sent.headers["Location"]
    assert bar.startswith(f"{CLOCK}progress/?since=2026-03-02&to=2026-03-03")
    run = servicing.latest_run()
    assert run is not None
    page = client.get(bar)
    assert (page.context["done"], page.context["total"]) == (0, 100)
    assert "data-poll=" in page.content.decode()
    assert "A close is under way" in client.get(CLOCK).content.decode()
    run.state, run.done_count = "done", 1
    run.save()
    Institution.objects.filter(pk=house.institution.pk).update(business_date=on + timedelta(days=1))
    tenancy.forget_row()
    polled = client.get(bar, headers={"X-Usance-Poll": "1"}).content.decode()
    assert "data-then=" in polled  # the bar is full: the page itself goes on, and is told the news
    assert "data-poll=" not in polled
    arrived = client.get(bar, follow=True)
    assert arrived.redirect_chain == [(CLOCK, 302)]
    assert "The business date is now Tuesday, 3 March 2026" in arrived.content.decode()


def test_a_form_that_is_sent_twice_ends_one_day(house: World, as_role: AsRole, jobs: Any) -> None:
    on, client = house.institution.business_date, as_role("accountant")
    Institution.objects.filter(pk=house.institution.pk).update(business_date=on + timedelta(days=1))
    tenancy.forget_row()
    for data in (form(on), {}, {"business_date": "tomorrow"}):
        assert client.post(f"{CLOCK}end-day/", data).headers["Location"] == CLOCK
    assert servicing.latest_run() is None


@pytest.mark.parametrize("query", ["", "?since=x&to=y", "?since=2026-03-02", "?since=2026-03-09&to=2026-03-02"])
def test_progress_of_nothing_leads_back(house: World, as_role: AsRole, query: str) -> None:
    assert as_role("accountant").get(f"{CLOCK}progress/{query}").headers["Location"] == CLOCK


def test_only_a_demo_lives_faster_than_time(house: World, as_role: AsRole) -> None:
    Institution.objects.filter(pk=house.institution.pk).update(is_demo=False, business_date=date(2999, 1, 1))
    tenancy.forget_row()
    client = as_role("accountant")
    assert client.get(f"{CLOCK}advance-week/").status_code == 404
    assert client.get(f"{CLOCK}end-day/").status_code == 404
    Institution.objects.filter(pk=house.institution.pk).update(business_date=date(2026, 3, 2))
    tenancy.forget_row()
    assert client.get(f"{CLOCK}end-day/").status_code == 200  # the day is long over: it may be ended by hand


def test_closes_and_what_they_left_out_are_listed(house: World, as_role: AsRole, jobs: Any, queries: Any) -> None:
    on, client = house.institution.business_date, as_role("accountant")
    loan = loans.lend(on=on)
    client.post(f"{CLOCK}end-day/", form(on))
    run = servicing.latest_run()
    assert run is not None
    CloseProblem.objects.create(run=run, loan=loan, business_date=on, reason="the fold disagrees")
    text = client.get(CLOCK).content.decode()
    assert loan.number in text
    assert "the fold disagrees" in text
    assert "The accountant" in text
    before = queries(lambda: client.get(CLOCK))
    CloseProblem.objects.create(run=run, loan=loans.lend(on=on), business_date=on, reason="so does this")
    assert queries(lambda: client.get(CLOCK)) == before


def test_the_buttons_stand_in_the_frame_of_those_who_may(house: World, as_role: AsRole) -> None:
    address = f"{CLOCK}end-day/"
    assert address in as_role("accountant").get("/staff/account/").content.decode()
    assert address not in as_role("auditor").get("/staff/account/").content.decode()
