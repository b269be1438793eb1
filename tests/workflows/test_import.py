"""A portfolio from another system: what is wrong is named line by line, all or nothing comes in, once, the audit is
clean after it, and life goes on."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from tests.workflows.importing import CUSTOMER, LOAN, SCHEDULE, TODAY, lender, many, portfolio, table
from usance.apps.imports.selectors import File
from usance.ports.actor import SYSTEM

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAID = {"loan": "X-1001", "on": "2026-01-15", "event": "payment", "amount": "212.00", "id": "P-1"}
BY_EVENTS = {**LOAN, "principal": "", "interest": ""}


@pytest.fixture
def bank(fresh_db: str) -> Iterator[UUID]:
    with lender() as institution_id:
        yield institution_id


def check(files: list[File]) -> Any:
    from usance.workflows import import_portfolio

    return import_portfolio.check(files)


def take(files: list[File]) -> Any:
    """Check and take, as the command does; gives the import."""
    from usance.apps.imports import selectors, services
    from usance.workflows import import_portfolio

    checked = import_portfolio.check(files)
    assert checked.is_good, [str(problem) for problem in checked.problems]
    with transaction.atomic():
        row = services.hand_in(files=files, asked_by="test", actor=SYSTEM)
        services.note_check(import_id=row.pk, on=checked.on, lines=checked.line_count, summary=checked.summary,
                            differences=[one.to_json() for one in checked.differences], problems=[],
                            actor=SYSTEM)  # fmt: skip
    import_portfolio.take(import_id=row.pk, checked=checked, actor=SYSTEM, at=AT)
    with transaction.atomic():
        return selectors.one(row.pk)


def loan(number: str = "X-1001") -> Any:
    from usance.apps.servicing import selectors

    with transaction.atomic():
        return selectors.loan_by_number(number)


def audited() -> list[str]:
    from usance.workflows.audit_books import audit_books

    return [str(difference) for difference in audit_books(full=True).differences]


def counted(table_name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table_name}")
        return int(cursor.fetchone()[0])


def in_all() -> dict[str, int]:
    names = ("customers_party", "servicing_loan", "servicing_loanevent", "servicing_loanmovement", "imports_imported",
             "ledger_journalentry", "audit_auditentry")  # fmt: skip
    with transaction.atomic():
        return {name: counted(name) for name in names}


def pay(amount: int, on: date, source: str = "staff:pay") -> Any:
    from usance.apps.servicing import services

    with transaction.atomic():
        return services.receive_payment(
            loan_id=loan().pk, source=source, amount_minor=amount, value_on=on, actor=SYSTEM
        )


def end_days(count: int) -> None:
    from usance.workflows import close_day

    close_day.run_close_inline(at=AT, days=count, do_items=False)


# --- good files --------------------------------------------------------------------------------------------------


def test_a_loan_with_its_balances_comes_in_stands_and_lives_on(bank: UUID) -> None:
    from usance.apps.customers import selectors as customers
    from usance.apps.ledger import selectors as ledger
    from usance.apps.servicing import selectors as servicing

    came = take(portfolio())
    assert (came.state, came.summary["loans"], came.summary["customers"]) == ("taken", 1, 1)
    assert (
        came.summary["groups"][0] | {"principal_minor": 90_000, "interest_minor": 1_840, "past_due": 1}
        == (came.summary["groups"][0])
    )
    with transaction.atomic():
        row = loan("x-1001")
        assert (row.status, row.principal_minor, row.days_past_due, row.bucket) == ("past_due", 90_000, 15, "1-30")
        assert str(row.disbursed_on) == "2025-12-15"
        view = servicing.loan_view(loan_id=row.pk)
        assert [(str(r.due_on), r.paid_minor, r.remaining_minor) for r in view.schedule][:2] == [
            ("2026-01-15", 21_200, 0), ("2026-02-15", 10_160, 10_840),
        ]  # fmt: skip
        assert [str(r.due_on) for r in view.schedule][2:] == ["2026-03-15", "2026-04-15", "2026-05-15", "2026-06-15"]
        person = customers.profile(row.party_id)
        assert (person.display_name, person.phone, person.values["city"]) == ("Muster Erika", "+4915112345678", "Köln")
        assert customers.party_with_phone("+4915112345678") == row.party_id
        assert list(customers.search("muster")) == list(customers.search("erika@example.org"))
        # one entry carries all loans of a day and product: the loan's movements lead to it
        assert list(ledger.entries_of_loan(loan_id=row.pk)) == []
    with transaction.atomic():
        moved = servicing.movements(loan_id=row.pk).filter(kind="taken_over")
        assert {(m.component, m.amount_minor) for m in moved} == {("principal", 90_000), ("interest", 1_840)}
        assert {m.entry.cites for m in moved} == {"date:2026-03-01"}
        clearing = [a for a in ledger.trial_balance(on=TODAY) if a.account.code == "1340"]
    assert [a.balance_minor for a in clearing] == [-91_840]
    assert audited() == []
    end_days(14)
    pay(loan().due_now_minor, date(2026, 3, 16))
    assert loan().status == "active"
    end_days(3)
    with transaction.atomic():
        rest = servicing.payoff(loan_id=loan().pk).total_minor
    pay(rest, date(2026, 3, 19), source="staff:payoff")
    assert (loan().status, loan().outstanding_minor) == ("closed", 0)
    assert audited() == []


def test_a_loan_that_comes_late_opens_with_its_interest_suspended(bank: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    from usance.apps.ledger import selectors as ledger
    from usance.apps.products import calculator
    from usance.apps.servicing import selectors as servicing
    from usance.core.loan.terms import NonAccrual

    made = calculator.terms_of_another_system
    monkeypatch.setattr(
        calculator,
        "terms_of_another_system",
        lambda **asked: replace(made(**asked), non_accrual=NonAccrual(after_days=10)),
    )
    assert take(portfolio()).summary["groups"][0]["interest_minor"] == 1_840
    with transaction.atomic():
        moved = servicing.movements(loan_id=loan().pk).filter(kind="taken_over")
        assert {(m.component, m.amount_minor) for m in moved} == {
            ("principal", 90_000), ("interest", 1_840), ("suspended", 1_840),
        }  # fmt: skip
        carried = {a.account.code: a.balance_minor for a in ledger.trial_balance(on=TODAY)}
    assert (carried["1340"], carried["1270"] < -1_840, carried.get("4110", 0)) == (-90_000, True, 0)
    assert audited() == []
    end_days(3)
    pay(2_000, date(2026, 3, 5))
    with transaction.atomic():
        carried = {a.account.code: a.balance_minor for a in ledger.trial_balance(on=date(2026, 3, 5))}
    assert carried["4110"] + carried.get("4130", 0) < 0
    assert audited() == []


def test_a_loan_with_its_events_is_lived_anew_and_its_own_schedule_is_kept(bank: UUID) -> None:
    from usance.apps.servicing import selectors as servicing
    from usance.core.refusals import Refusal

    schedule = [
        {"loan": "X-1001", "due_on": on, "principal": principal, "interest": interest}
        for on, principal, interest in (
            ("2026-01-15", "200", "12"), ("2026-02-20", "0", "11.90"), ("2026-03-31", "500", "12.84"),
            ("2026-05-31", "500", "9.99"),
        )
    ]  # fmt: skip
    stated = LOAN | {"term": "", "principal": "1000.00", "interest": "14.60"}
    events = [PAID, PAID | {"on": "2026-02-20", "amount": "5", "id": "P-2"},
              {"loan": "X-1001", "on": "2026-02-25", "event": "return", "undoes": "P-2", "id": "R-2"}]  # fmt: skip
    came = take(portfolio(loans=[stated], schedule=schedule, events=events))
    found = {(one["what"], one["theirs"]) for one in came.differences}
    assert ("interest:2026-05-31", "9.99") in found
    assert came.difference_count == len(came.differences)
    with transaction.atomic():
        view = servicing.loan_view(loan_id=loan().pk)
        assert [(str(r.due_on), r.amounts.get("principal", 0)) for r in view.schedule] == [
            ("2026-01-15", 20_000), ("2026-02-20", 0), ("2026-03-31", 50_000), ("2026-05-31", 50_000),
        ]  # fmt: skip
        kinds = [line.kind for line in view.timeline if not line.is_fact]
        assert kinds == [
            "taken_over",
            "payment_returned",
            "payment_received",
            "payment_received",
            "disbursed",
            "approved",
        ]
        before = servicing.loan_view(loan_id=loan().pk, on=date(2026, 2, 1))
        assert before.state.balances["principal"] == 100_000
    assert audited() == []
    with pytest.raises(Refusal) as refused:
        pay(100, date(2026, 2, 1))
    assert refused.value.code == "before_take_over"
    with transaction.atomic():
        services = __import__("usance.apps.servicing.services", fromlist=["x"])
        services.reverse(
            loan_id=loan().pk, source="staff:undo", undoes="import:X-1001:P-1", reason="never came", actor=SYSTEM
        )
    assert loan().principal_minor == 120_000
    end_days(1)
    assert audited() == []


def test_the_same_files_again_bring_nothing_and_others_are_refused(bank: UUID) -> None:
    take(portfolio())
    before = in_all()
    again = check(portfolio())
    assert again.is_good
    assert (again.summary["loans"], again.summary["loans_known"], again.summary["customers_known"]) == (0, 1, 1)
    assert in_all() == before
    other = check(portfolio(loans=[LOAN | {"principal": "899"}]))
    assert [(p.file, p.line, p.code) for p in other.problems] == [("loans.csv", 2, "taken_in_otherwise")]
    more = take(portfolio(customers=[], loans=[LOAN, LOAN | {"loan": "X-1002"}],
                          schedule=[*SCHEDULE, *(row | {"loan": "X-1002"} for row in SCHEDULE)]))  # fmt: skip
    assert (more.summary["loans"], more.summary["loans_known"]) == (1, 1)
    assert loan("X-1002").party_id == loan().party_id
    assert audited() == []


def test_two_takings_at_once_bring_everything_once(bank: UUID) -> None:
    """The second finds the first one's names taken, and its transaction leaves nothing."""
    from usance.apps.imports import services
    from usance.workflows import import_portfolio

    both = []
    for _ in range(2):
        checked = check(portfolio())
        with transaction.atomic():
            row = services.hand_in(files=portfolio(), asked_by="test", actor=SYSTEM)
            services.note_check(import_id=row.pk, on=checked.on, lines=1, summary=checked.summary, problems=[],
                                differences=[], actor=SYSTEM)  # fmt: skip
        both.append((row.pk, checked))
    import_portfolio.take(import_id=both[0][0], checked=both[0][1], actor=SYSTEM, at=AT)
    before = in_all()
    with pytest.raises(IntegrityError):
        import_portfolio.take(import_id=both[1][0], checked=both[1][1], actor=SYSTEM, at=AT)
    assert in_all() == before


def test_interrupted_it_leaves_nothing_and_is_taken_up_again(bank: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    from usance.apps.imports import selectors, services
    from usance.apps.servicing import arrivals
    from usance.workflows import import_portfolio

    with transaction.atomic():
        row = services.hand_in(files=portfolio(), asked_by="test", actor=SYSTEM)
    import_portfolio.run_check(str(row.pk))
    with transaction.atomic():
        services.move(import_id=row.pk, before="checked", after="taking", actor=SYSTEM)
    before = in_all()
    whole = arrivals._record

    class Killed(BaseException):
        pass

    def killed(*args: Any) -> None:
        raise Killed

    monkeypatch.setattr(arrivals, "_record", killed)
    with pytest.raises(Killed):
        import_portfolio.run_take(str(row.pk))
    assert in_all() == before
    monkeypatch.setattr(arrivals, "_record", whole)
    end_days(1)  # the day has moved meanwhile: all is lived anew
    import_portfolio.run_take(str(row.pk))
    import_portfolio.run_take(str(row.pk))
    with transaction.atomic():
        assert selectors.one(row.pk).state == "taken"
        assert selectors.files(row.pk) == []
    assert in_all()["servicing_loan"] == 1
    assert audited() == []


@pytest.mark.parametrize(("count", "with_events"), [(1000, False), (200, True)], ids=["balances", "events"])
def test_a_thousand_loans_come_in_within_seconds(
    bank: UUID, count: int, with_events: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured in our own processor time: other tests may be busy beside it."""
    files = many(count, with_events=with_events)
    started, worked = time.perf_counter(), time.process_time()
    take(files)
    took, worked = time.perf_counter() - started, time.process_time() - worked
    with capsys.disabled():
        how = "with events" if with_events else "with balances"
        print(f"\n{count} loans {how} of as many customers: {took:.1f} s, {worked:.1f} s of our own work")
    assert worked < 30
    with transaction.atomic():
        from usance.apps.servicing import selectors as servicing

        assert servicing.portfolio()["count"] == count
    from usance.workflows.audit_books import audit_books

    assert audit_books(sample=40).differences == ()


# --- bad lines ---------------------------------------------------------------------------------------------------

Change = Callable[[], list[File]]
BAD: list[tuple[str, str, Change, tuple[str, int, str]]] = [
    ("not_utf8", "", lambda: [File("loans.csv", b"loan\xff,x\n")], ("loans.csv", 1, "not_utf8")),
    ("empty", "", lambda: [File("loans.csv", b"")], ("loans.csv", 1, "not_a_table")),
    (
        "a file of something else",
        "",
        lambda: [File("loans.csv", b"loan,name\n1,2\n")],
        ("loans.csv", 1, "unknown_file"),
    ),
    (
        "a column nobody knows",
        "",
        lambda: portfolio(loans=[LOAN | {"colour": "red"}]),
        ("loans.csv", 1, "unknown_column"),
    ),
    ("customers only twice", "", lambda: portfolio(customers=[CUSTOMER, CUSTOMER]), ("customers.csv", 3, "twice")),
]


def bad_customer(**changed: str) -> Change:
    return lambda: portfolio(customers=[CUSTOMER | changed])


def bad_loan(**changed: str) -> Change:
    return lambda: portfolio(loans=[LOAN | changed])


def bad_schedule(index: int, **changed: str) -> Change:
    return lambda: portfolio(schedule=[row | (changed if at == index else {}) for at, row in enumerate(SCHEDULE)])


def bad_event(**changed: str) -> Change:
    return lambda: portfolio(loans=[BY_EVENTS], schedule=(), events=[PAID, PAID | {"id": "P-2"} | changed])


LINES: list[tuple[Change, tuple[str, int, str, str]]] = [
    (bad_customer(customer=""), ("customers.csv", 2, "customer", "missing")),
    (bad_customer(family_name=""), ("customers.csv", 2, "family_name", "no_name")),
    (bad_customer(birth_date="12.08.1980"), ("customers.csv", 2, "birth_date", "not_a_date")),
    (bad_customer(birth_date="2025-01-01"), ("customers.csv", 2, "birth_date", "born_when")),
    (bad_customer(phone="12"), ("customers.csv", 2, "phone", "phone_not_valid")),
    (bad_customer(email="no"), ("customers.csv", 2, "email", "email_not_valid")),
    (bad_customer(identity_number="12345678901"), ("customers.csv", 2, "identity_number", "identity_not_valid")),
    (bad_customer(sex="x"), ("customers.csv", 2, "sex", "not_one_of")),
    (bad_customer(income="1,000.00"), ("customers.csv", 2, "income", "not_an_amount")),
    (bad_customer(reference="ZZZZZZZZ"), ("customers.csv", 2, "reference", "reference_unknown")),
    (bad_customer(branch="root.moon"), ("customers.csv", 2, "branch", "branch_unknown")),
    (bad_customer(employment_months="many"), ("customers.csv", 2, "employment_months", "not_a_number")),
    (bad_loan(loan=""), ("loans.csv", 2, "loan", "missing")),
    (bad_loan(loan="L-000001"), ("loans.csv", 2, "loan", "number_ours")),
    (bad_loan(loan="X" * 31), ("loans.csv", 2, "loan", "cell_too_long")),
    (bad_loan(customer="C-9"), ("loans.csv", 2, "customer", "customer_unknown")),
    (bad_loan(product="gold"), ("loans.csv", 2, "product", "product_unknown")),
    (bad_loan(amount="-5"), ("loans.csv", 2, "amount", "below_zero")),
    (bad_loan(amount="1.234"), ("loans.csv", 2, "amount", "too_fine")),
    (bad_loan(amount="0"), ("loans.csv", 2, "amount", "not_an_amount")),
    (bad_loan(as_of="2026-03-03"), ("loans.csv", 2, "as_of", "not_yet")),
    (bad_loan(disbursed_on="2026-03-01"), ("loans.csv", 2, "disbursed_on", "given_later")),
    (bad_loan(principal="", interest=""), ("loans.csv", 2, "principal", "no_past")),
    (bad_loan(term=""), ("loans.csv", 2, "term", "no_term")),
    (bad_loan(term="0"), ("loans.csv", 2, "term", "not_a_number")),
    (bad_loan(rate="ten"), ("loans.csv", 2, "rate", "not_a_rate")),
    (bad_loan(rate_per="week"), ("loans.csv", 2, "rate_per", "not_one_of")),
    (bad_loan(**{"fee:moon": "5"}), ("loans.csv", 2, "fee:moon", "not_of_product")),
    (bad_loan(principal="99.99"), ("loans.csv", 2, "", "event_refused")),
    (bad_schedule(0, loan="X-9"), ("schedule.csv", 2, "loan", "loan_unknown")),
    (bad_schedule(1, due_on="2026-02-30"), ("schedule.csv", 3, "due_on", "not_a_date")),
    (bad_schedule(1, due_on="2026-01-15"), ("loans.csv", 2, "", "schedule_order")),
    (bad_schedule(1, due_on="2026-04-15", paid_principal="", paid_interest=""), ("loans.csv", 2, "", "schedule_sum")),
    (bad_schedule(1, paid_principal="201"), ("loans.csv", 2, "", "event_refused")),
    (bad_event(event="gift"), ("events.csv", 3, "event", "not_one_of")),
    (bad_event(id="P-1"), ("events.csv", 3, "id", "event_twice")),
    (bad_event(amount=""), ("events.csv", 3, "amount", "missing")),
    (bad_event(on="2026-03-05"), ("events.csv", 3, "on", "not_yet")),
    (bad_event(event="return", undoes="P-9"), ("events.csv", 3, "undoes", "undoes_unknown")),
    (bad_event(event="refund", amount="9999"), ("events.csv", 3, "", "event_refused")),
    (bad_event(event="waiver", balance="penalty", amount="9999"), ("events.csv", 3, "", "event_refused")),
    (bad_event(event="rate", rate=""), ("events.csv", 3, "rate", "missing")),
    (bad_event(event="extension", days="x"), ("events.csv", 3, "days", "not_a_number")),
    (bad_event(loan="X-7"), ("events.csv", 3, "loan", "loan_unknown")),
]


def test_each_kind_of_bad_line_is_named_and_nothing_comes_in(bank: UUID) -> None:
    """One institution for all of them: nothing that is wrong leaves a trace."""
    before = in_all()
    for change, wanted in LINES:
        found = {(p.file, p.line, p.field, p.code) for p in check(change()).problems}
        assert wanted in found, f"{wanted} is not among {found}"
    for name, _, change, (file, line, code) in BAD:
        found = {(p.file, p.line, p.code) for p in check(change()).problems}
        assert (file, line, code) in found, f"{name}: {found}"
    assert in_all() == before


def test_every_problem_has_its_line_here_and_a_whole_sentence(bank: UUID) -> None:
    from usance.workflows.import_portfolio import problems

    tried = {code for *_, (_, _, _, code) in LINES} | {code for *_, (_, _, code) in BAD}
    elsewhere = {"taken_in_otherwise", "somebody_elses", "number_taken", "no_loans", "too_many_lines", "column_twice",
                 "paid_ahead", "terms_refused", "cannot_be_lived"}  # fmt: skip
    assert set(problems.SENTENCES) == tried | elsewhere
    for change, _ in LINES:
        for problem in check(change()).problems:
            assert "%(" not in problem.sentence
            assert problem.sentence.endswith((".", "”.", ")"))


def test_bad_lines_of_every_kind_are_told_at_once_and_what_identifies_people_is_not_repeated(bank: UUID) -> None:
    who = CUSTOMER | {"phone": "999", "birth_date": "1980-13-01"}
    files = portfolio(customers=[who], loans=[LOAN | {"amount": "x"}],
                      schedule=[SCHEDULE[0] | {"due_on": "y"}])  # fmt: skip
    found = check(files)
    assert {(p.file, p.field) for p in found.problems} == {
        ("customers.csv", "phone"), ("customers.csv", "birth_date"), ("loans.csv", "amount"),
        ("schedule.csv", "due_on"),
    }  # fmt: skip
    assert "1980-13-01" not in str([p.to_json() for p in found.problems])


def test_people_who_are_here_already_are_met_by_reference_never_by_guess(bank: UUID) -> None:
    take(portfolio())
    owner = loan().party_id
    with transaction.atomic():
        from usance.apps.customers import selectors as customers

        reference = customers.profile(owner).reference
    twin = CUSTOMER | {"customer": "C-2"}
    second = LOAN | {"loan": "X-2", "customer": "C-2"}
    guessed = check(portfolio(customers=[twin], loans=[second], schedule=()))
    assert [(p.field, p.code, p.details) for p in guessed.problems] == [
        ("phone", "somebody_elses", {"reference": reference})
    ]
    take(portfolio(customers=[twin | {"reference": reference}], loans=[second], schedule=()))
    assert loan("X-2").party_id == loan().party_id
    assert in_all()["customers_party"] == 1


def test_spreadsheets_write_files_in_several_ways(bank: UUID) -> None:
    semicolons = table("Kredite.csv", {**LOAN, "amount": "1200,00", "interest": "18,40"}, separator=";")
    with_mark = File("customers.csv", b"\xef\xbb\xbf" + portfolio()[0].content)
    tabs = table("schedule.csv", *SCHEDULE, separator="\t")
    assert check([with_mark, semicolons, tabs]).is_good


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_checks_takes_and_says_what_it_did(
    bank: UUID, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from usance.workflows import cli_import

    for file in portfolio():
        (tmp_path / file.name).write_bytes(file.content)

    def run(*words: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        cli_import.add_arguments(parser)
        status = cli_import.main(parser.parse_args([*words, "--institution", "eu"]))
        return status, capsys.readouterr().out

    status, said = run(str(tmp_path), "--check")
    assert status == 0
    assert "1 customers, 1 loans" in said
    assert in_all()["servicing_loan"] == 0
    status, said = run(str(tmp_path))
    assert status == 0
    assert "1 loans taken in" in said
    assert "nothing was taken in" in run(str(tmp_path))[1]
    (tmp_path / "loans.csv").write_bytes(table("loans.csv", LOAN | {"loan": "X-3", "amount": "x"}).content)
    status, said = run(str(tmp_path))
    assert status == 1
    assert "loans.csv, line 2, amount: “x” is no amount." in said
    assert in_all()["servicing_loan"] == 1
    assert audited() == []
