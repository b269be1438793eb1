"""A simulated institution: the same seed gives the same lives, the books are right afterwards, and a file of applicants
that is wrong is refused whole."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

STARTS_ON = date(2026, 3, 2)
DAYS, PEOPLE = 22, 5


def _live(code: str, seed: int, home: Path, settings: Any) -> dict[str, Any]:
    """Founds a demo institution and lives some weeks of it; gives the summary."""
    from usance.apps.institutions import tenancy
    from usance.config import wiring
    from usance.workflows import demo
    from usance.workflows.simulate import living, outside, people, report

    settings.HOME, settings.USANCE_DEMO = home, True
    settings.USANCE_SANDBOX_URL = "http://127.0.0.1:1"
    wiring.choose_providers()
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    institution_id, _ = demo.found(code=code, starts_on=STARTS_ON, at=at, keys=demo.Secrets.new())
    with tenancy.bound(institution_id):
        zone, today, ahead = living.institution_zone()
        country, language = report.institution_facts()
        found = people.generated(country=country, language=language, count=PEOPLE, seed=seed, on=today)
        plan = living.Plan(people=found, days=DAYS, arrive_days=6, seed=seed, pages_share=0.2)
        with outside.not_waiting_for_the_disk(), outside.opened(zone, today, ahead) as world:
            tally = living.live(world, plan)
        return report.summary(plan, tally, seconds=1)


def _digest(code: str) -> str:
    """All business columns of loans and their events; ids, instants and the order of numbers left out."""
    from django.db import transaction

    from usance.apps.institutions import selectors as institutions
    from usance.apps.institutions import tenancy
    from usance.apps.servicing import selectors

    with tenancy.bound(institutions.institution_id_of(code)), transaction.atomic():
        rows = []
        for loan in selectors.loan_register().order_by("number"):
            told = [
                (e.kind, str(e.effective_on), e.payload.get("amount_minor"))
                for e in selectors.events_of(loan_id=loan.pk)
            ]
            rows.append([loan.status, loan.amount_minor, loan.principal_minor, loan.days_past_due, told])
    return hashlib.sha256(json.dumps(sorted(rows, key=str), default=str).encode()).hexdigest()


@pytest.fixture
def put_back() -> Any:
    """The rails and messengers of the other tests stay theirs."""
    from usance.ports import registry

    before = registry.install(registry.Registry())
    yield
    registry.install(before)


def test_weeks_of_life_leave_books_that_an_audit_finds_clean(
    fresh_db: str, tmp_path: Path, settings: Any, put_back: None
) -> None:
    from django.db import transaction

    from usance.apps.institutions import selectors, tenancy

    summary = _live("ua", 11, tmp_path, settings)
    assert summary["happened"]["applied"] >= PEOPLE
    assert summary["happened"]["by_pages"] >= 1
    assert summary["disbursed"] >= 2
    with tenancy.bound(selectors.institution_id_of("ua")), transaction.atomic():
        assert tenancy.current().business_date == date(2026, 3, 24)
        assert tenancy.current().ahead_days == 0
    assert _audited("ua") == []


def test_whoever_s_card_runs_out_links_a_new_one_and_goes_on_paying(
    fresh_db: str, tmp_path: Path, settings: Any, put_back: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import transaction

    from usance.apps.payments.models import Card
    from usance.workflows.simulate import borrowers

    link = borrowers.link_card

    def soon_over(world: Any, life: Any) -> None:
        had_one = life.card_id is not None
        link(world, life)
        if not had_one:
            with transaction.atomic():
                Card.objects.filter(pk=life.card_id).update(expires_on=STARTS_ON + timedelta(days=6))

    monkeypatch.setattr(borrowers, "link_card", soon_over)
    happened = _live("ua", 11, tmp_path, settings)["happened"]
    assert happened["new_card"] >= 1
    assert happened["paid"] >= 1
    assert not any(name.startswith("refused:card") for name in happened)


def test_a_file_of_applicants_is_read_whole_and_its_outcome_stays_outside(tmp_path: Path) -> None:
    from usance.workflows.simulate import people

    found = people.of_file(people.STATLOG, country="DE", language="en", seed=1, on=STARTS_ON)
    assert len(found) == 1000
    assert {one.habit for one in found} == {"on_time", "stops"}
    assert all("creditability" not in one.answers and "creditability" not in one.extra for one in found)
    assert max(one.months or 0 for one in found) == 72
    assert "income_minor" not in found[0].answers  # the file has no income: none is made up


def test_a_file_with_bad_lines_names_each_and_takes_none(tmp_path: Path) -> None:
    from usance.workflows.simulate import people

    lines = people.STATLOG.read_text().splitlines()[:4]
    lines[2] = lines[2].replace(",48,", ",forty-eight,", 1)
    lines[3] = lines[3].replace(",own,", ",castle,", 1)
    path = tmp_path / "applicants.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(people.FileRefused) as refused:
        people.of_file(path, country="DE", language="en", seed=1, on=STARTS_ON)
    assert "line 3: duration_in_month is 'forty-eight'" in str(refused.value)
    assert "line 4" in str(refused.value)


def test_without_a_key_for_the_seal_nothing_is_begun_and_one_sentence_says_what_to_do(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from usance.workflows import cli_simulate

    settings.USANCE_SEAL_PEM, settings.USANCE_DEMO = str(tmp_path / "none.pem"), False
    assert cli_simulate.main(argparse.Namespace(institution="eu")) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("There is no key at ")
    assert "`usance run`" in told.err


def test_the_same_seed_gives_the_same_people() -> None:
    from usance.workflows.simulate import people

    first = people.generated(country="VN", language="vi", count=20, seed=5, on=STARTS_ON)
    assert first == people.generated(country="VN", language="vi", count=20, seed=5, on=STARTS_ON)
    assert first != people.generated(country="VN", language="vi", count=20, seed=6, on=STARTS_ON)
    assert len({one.identity_number for one in first}) == 20


def test_the_same_seed_lives_the_same_lives_however_many_processes_live_them(
    django_db_setup: None, django_db_blocker: Any, tmp_path: Path
) -> None:
    from tests.support import database

    lived = []
    for processes in (1, 2):
        with database.own_database() as name, database.pointed_to(name), django_db_blocker.unblock():
            said = _simulate(name, tmp_path / str(processes), processes)
            facts = {fact: said[fact] for fact in ("happened", "loans", "disbursed_minor", "business_date")}
            lived.append(facts | {"digest": _digest("vn"), "audit": _audited("vn")})
    assert lived[0] == lived[1]
    assert lived[0]["audit"] == []
    assert lived[0]["happened"]["paid"] >= 2


def _simulate(database_name: str, home: Path, processes: int) -> dict[str, Any]:
    """The command itself, in a process of its own: what it starts shares nothing with this one."""
    from tests.support import database
    from usance.workflows import demo

    home.mkdir()
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    demo.found(code="vn", starts_on=STARTS_ON, at=at, keys=demo.Secrets.new())
    people = ["--customers", "5", "--months", "1", "--arrive-days", "6", "--seed", "12"]
    words = ["simulate", "--institution", "vn", *people, "--processes", str(processes), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "usance.config.cli", *words],
        env=os.environ
        | {
            "USANCE_HOME": str(home),
            "DATABASE_URL": database.address("usance_app", database_name),
            "DATABASE_OWNER_URL": database.address("usance_owner", database_name),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_process_that_stops_in_the_middle_stops_the_others(django_db_blocker: Any) -> None:
    from usance.workflows.simulate import crew

    def work(mine: crew.Crew) -> None:
        if not mine.leads:
            raise SystemExit(3)
        mine.meet()

    with django_db_blocker.unblock(), pytest.raises(crew.CrewBroken):
        crew.together(2, work)


def _audited(code: str) -> list[Any]:
    from usance.apps.institutions import selectors, tenancy
    from usance.workflows.audit_books import audit_books

    with tenancy.bound(selectors.institution_id_of(code)):
        return list(audit_books(full=True).differences)
