"""What happens to a loan after it was paid, or beside its payments: taken back by the bank, extended twice, debited by
the mandate, its owner blocked or moved to another phone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.apps.payments.money import ON
from tests.apps.servicing import loans
from tests.web.borrower.owing import Phone, events, told
from tests.workflows.test_draw_part import in_parts, order
from usance.apps.agreements import selectors as papers
from usance.apps.agreements import services as agreements
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors
from usance.apps.servicing import services as servicing
from usance.core.loan.events import IncomeDeferred
from usance.core.loan.terms import CoolingOff, Fee, NonAccrual
from usance.ports.actor import SYSTEM

if TYPE_CHECKING:
    from tests.apps.payments.money import Money


def paid_off(money: Money, person: Phone, *, back_after_days: int = 0) -> tuple[Any, Any]:
    """A loan that was paid in full, and the letter that says so. The bank may take the payment back later."""
    loan = money.loan(person.party_id)
    if back_after_days:
        money.dial("recurring", "reversed_later", str(back_after_days * 86400))
    person.order(person.choose(loan))
    money.settle()
    assert money.standing(loan).status == "closed"
    return loan, papers.letters_in_force(loan.pk).get()


# --- taken back by the bank -----------------------------------------------------------------------------------------


def test_a_payment_taken_back_weeks_later_is_owed_again_and_its_letter_is_no_longer_believed(
    money: Money, person: Phone
) -> None:
    loan, letter = paid_off(money, person, back_after_days=20)
    check = f"/verify/{letter.code}/"
    assert "This paper is genuine" in person.reads(check)
    second = money.loan(person.party_id)
    money.pass_days(21)
    (paid, *_others) = payments.for_subject(loan.pk).filter(kind="debit").order_by("given_at")
    money.ask(paid)
    row = money.standing(loan)
    assert (row.status, row.principal_minor, row.interest_minor) == ("active", 3_000_000, 21 * 30_000)
    assert told(loan)[-1] == "payment_taken_back"

    page = person.reads(check)
    assert "This paper is not valid" in page
    assert "took it back on 23 March 2026" in page
    assert "is paid in full</dd>" not in page
    account = person.reads("/account/")
    assert f"/loans/{loan.pk}/pay/" in account  # both are there to be paid, each with what it owes
    assert f"/loans/{second.pk}/pay/" in account
    assert "took the payment of ₫3,000,000 back" in person.reads(f"/loans/{loan.pk}/?paid={paid.pk}")

    person.order(person.choose(loan))
    money.settle()
    again = papers.letters_in_force(loan.pk).get()
    assert (money.standing(loan).status, again.pk != letter.pk) == ("closed", True)
    assert "This paper is genuine" in person.reads(f"/verify/{again.code}/")
    assert "This paper is not valid" in person.reads(check)  # once taken back it stays so
    assert told(loan).count("loan_closed") == 2
    assert [paper.pk for paper in papers.documents_of(loan.pk)] == [again.pk]
    assert {paper.pk for paper in papers.documents_of(loan.pk, with_taken_back=True)} == {again.pk, letter.pk}
    assert money.standing(second).status == "active"


def test_paid_taken_back_and_paid_again_on_one_day_has_one_letter_that_holds(money: Money, person: Phone) -> None:
    loan, letter = paid_off(money, person, back_after_days=0)
    (paid,) = person.orders(loan)
    from usance.apps.servicing import services
    from usance.ports.actor import SYSTEM

    services.reverse(loan_id=loan.pk, source="staff:x", undoes=f"instruction:{paid.pk}", reason="x", actor=SYSTEM)
    money.settle()
    assert not papers.letters_in_force(loan.pk).exists()
    person.order(person.choose(loan))
    money.settle()
    assert papers.letters_in_force(loan.pk).get().pk != letter.pk


def test_an_extension_falls_away_when_its_price_is_taken_back(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    money.pass_days(10)
    money.dial("recurring", "reversed_later", str(5 * 86400))
    given = person.order(person.choose_to_extend(loan))
    money.settle()
    assert money.standing(loan).next_due_on == loan.next_due_on + timedelta(days=7)
    money.pass_days(6)
    money.ask(given)
    row = money.standing(loan)
    assert events(loan) == ["Extended", "PaymentReceived", "PaymentReturned", "Reversed"]
    assert (row.extension_count, row.status, row.past_due_minor, row.fee_minor) == (0, "active", 0, 0)
    assert (row.next_due_on, row.interest_minor) == (loan.next_due_on, 16 * 30_000)
    assert told(loan)[-1] == "extension_undone"
    assert "the due date is the one of before again" in person.reads(f"/loans/{loan.pk}/?paid={given.pk}")


# --- extensions -----------------------------------------------------------------------------------------------------


def test_an_extension_bought_twice_moves_the_date_once_and_says_so(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    tabs = [person.order(person.choose_to_extend(loan, card="new")) for _tab in range(2)]
    money.settle()
    for given in tabs:
        person.pays_on_the_page(given)
    money.settle()
    assert events(loan) == ["Extended", "PaymentReceived", "PaymentReceived"]
    row = money.standing(loan)
    assert row.next_due_on == loan.next_due_on + timedelta(days=7)
    assert (row.extension_count, row.outstanding_minor) == (1, 2_980_000)
    pages = sorted(person.reads(f"/loans/{loan.pk}/?paid={given.pk}") for given in tabs)
    assert sum("moved the due date" in page for page in pages) == 1
    assert sum("but the due date did not move" in page for page in pages) == 1
    assert sorted(told(loan)) == ["extension_made", "extension_not_made"]


def test_bought_in_one_tab_and_paid_off_in_the_other(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    extension = person.order(person.choose_to_extend(loan, card="new"))
    money.settle()
    person.order(person.choose(loan))
    money.settle()
    assert money.standing(loan).status == "closed"
    person.pays_on_the_page(extension)
    money.settle()
    row = money.standing(loan)
    assert (row.status, row.extension_count, row.unapplied_minor) == ("closed", 0, 20_000)
    assert "but the due date did not move" in person.reads(f"/payments/{extension.pk}/")
    assert "₫20,000 more than you owed" in person.reads(f"/loans/{loan.pk}/")


# --- the mandate ----------------------------------------------------------------------------------------------------


def due(money: Money, loan: Any) -> str:
    """What the agenda's try to debit the card comes to on a day on which it was announced."""
    from datetime import time

    from usance.apps.institutions.models import new_id
    from usance.ports.due import Item
    from usance.workflows import loan_life

    item = Item(
        id=new_id(), kind=loan_life.TRY, key=f"try:{money.now.at}", due_on=money.today, at_time=time(9, 30),
        subject_id=loan.pk, org_path="root",
    )  # fmt: skip
    return loan_life.try_debit(item, money.now.at)


def late_and_announced(money: Money, person: Phone) -> Any:
    """A loan that is past due, whose owner was told that the card will be debited."""
    from usance.workflows import close_day

    loan = money.loan(person.party_id, agreed=loans.single_payment(days=7))
    close_day.run_close_inline(at=money.now.at, days=8, do_items=False)
    money.pass_time(8 * 86400)
    assert money.standing(loan).status == "past_due"
    assert told(loan)[-1] == "card_debit_announced"
    return loan


def test_a_card_that_is_dead_at_the_debit_is_told_and_not_tried_again(money: Money, person: Phone) -> None:
    loan = late_and_announced(money, person)
    money.dial("recurring", "decline", "1078")
    assert due(money, loan) == "instructed"
    money.settle()
    assert told(loan)[-1] == "payment_failed"
    money.pass_time(86400)
    assert due(money, loan) == "no_card_or_mandate"
    page = person.reads(f"/loans/{loan.pk}/pay/")
    assert "Another card" in page
    assert "••••" not in page
    assert len(person.orders(loan)) == 1


def test_a_mandate_withdrawn_after_the_announcement_debits_nothing(money: Money, person: Phone) -> None:
    from usance.apps.customers import consents

    loan = late_and_announced(money, person)
    (given,) = consents.consents_of(person.party_id)
    assert person.client.post(f"/account/consents/{given.pk}/withdraw/").status_code == 302
    assert due(money, loan) == "no_card_or_mandate"
    assert person.orders(loan) == []
    assert person.card in person.reads(f"/loans/{loan.pk}/pay/")  # by their own hand the card still pays
    person.order(person.choose(loan))
    money.settle()
    assert money.standing(loan).status == "closed"


def test_the_debit_leaves_a_payment_that_is_under_way_alone(money: Money, person: Phone) -> None:
    loan = late_and_announced(money, person)
    person.order(person.choose(loan))
    assert due(money, loan) == "no_card_or_mandate"
    money.settle()
    assert due(money, loan) == "nothing_past_due"
    assert (events(loan), money.standing(loan).unapplied_minor) == (["PaymentReceived"], 0)


# --- the person -----------------------------------------------------------------------------------------------------


def test_a_blocked_borrower_still_sees_the_loan_and_pays_it(money: Money, person: Phone) -> None:
    from usance.ports.actor import SYSTEM
    from usance.workflows import customer_care

    loan = money.loan(person.party_id)
    customer_care.block(party_id=person.party_id, reason="fraud", actor=SYSTEM)
    assert "₫3,000,000" in person.reads(f"/loans/{loan.pk}/")
    person.order(person.choose(loan))
    money.settle()
    assert money.standing(loan).status == "closed"
    assert papers.letters_in_force(loan.pk).exists()


def test_after_a_changed_phone_what_is_due_is_told_to_the_new_one(money: Money, person: Phone) -> None:
    from usance.apps.customers import selectors as customer_view
    from usance.apps.customers import services as customers
    from usance.ports.actor import borrower
    from usance.workflows import close_day

    loan = money.loan(person.party_id)
    (old,) = customer_view.contacts(person.party_id, "phone")
    money.settle()
    customers.add_contact(
        party_id=person.party_id, kind="phone", value="+84901999888", actor=borrower(person.party_id), at=money.now.at,
        verified=True,
    )  # fmt: skip
    close_day.run_close_inline(at=money.now.at, days=27)
    money.pass_time(27 * 86400)
    assert "due_in_3_days" in told(loan)
    reminders = money.provider.inbox("84901999888")
    assert any("2026" in one["text"] for one in reminders)
    assert not money.provider.inbox(old.value.lstrip("+"))


def test_a_loan_that_was_written_off_says_what_is_still_owed_and_whom_to_call(money: Money, person: Phone) -> None:
    from usance.apps.servicing import services
    from usance.ports.actor import SYSTEM

    loan = money.loan(person.party_id)
    given = person.order(person.choose(loan, "other", "500,000", card="new"))  # its page stays open meanwhile
    money.settle()
    services.write_off(loan_id=loan.pk, source="staff:off", reason="gone", actor=SYSTEM)
    page = person.reads(f"/loans/{loan.pk}/")
    assert "₫3,000,000" in page
    assert "the debt remains" in page
    assert f"/loans/{loan.pk}/pay/" not in page
    person.pays_on_the_page(given)
    money.settle()
    assert events(loan) == ["WrittenOff", "Recovered"]
    assert "₫2,500,000" in person.reads(f"/loans/{loan.pk}/")


def test_that_interest_is_no_income_of_ours_is_not_said_to_who_owes_it(money: Money, person: Phone) -> None:
    short = loans.single_payment(days=7)
    pages = []
    for agreed in (short, replace(short, non_accrual=NonAccrual(after_days=1))):
        pages.append(money.loan(person.party_id, agreed=agreed))
    money.pass_days(10)
    plain, suspended = (selectors.state_on(money.standing(loan)) for loan in pages)
    assert suspended.balances == {**plain.balances, "suspended": plain.balances["interest"] + plain.balances["penalty"]}
    said = [person.reads(f"/loans/{loan.pk}/").partition("<main")[2] for loan in pages]
    assert "income" not in said[1]
    assert said[1].count("<li") == said[0].count("<li")


# --- money in parts ---------------------------------------------------------------------------------------------------


def test_how_long_the_money_took_is_told_of_the_first_part(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id, agreed=in_parts())
    order(money, loan, 2_000_000, "first")
    money.settle()
    told_first = re.search(r"On your card \d+ \w+ after you signed", person.reads(f"/loans/{loan.pk}/"))
    assert told_first
    money.now.at += timedelta(hours=2)
    order(money, loan, 2_000_000, "second")
    money.settle()
    page = person.reads(f"/loans/{loan.pk}/")
    assert events(loan) == ["Disbursed", "Disbursed"]
    assert told_first[0] in page


# --- the first days ----------------------------------------------------------------------------------------------


def test_in_the_first_days_one_may_step_back_and_then_owes_what_was_received(money: Money, person: Phone) -> None:
    fee = Fee(kind="service", when="deducted", share=Fraction("0.1"))
    agreed = replace(loans.single_payment(), fees=(fee,), cooling_off=CoolingOff(days=14, pay_days=7))
    loan = money.loan(person.party_id, agreed=agreed)
    assert f"/loans/{loan.pk}/step-back/" in person.reads(f"/loans/{loan.pk}/")
    page = person.reads(f"/loans/{loan.pk}/step-back/")
    assert "All fees are given back" in page
    assert "2,700,000" in page
    assert events(loan) == []
    for _twice in range(2):
        assert person.client.post(f"/loans/{loan.pk}/step-back/", {}).status_code == 302
    assert events(loan) == ["Withdrawn"]
    after = person.reads(f"/loans/{loan.pk}/")
    assert "Stepped back from the loan" in after
    assert "step-back" not in after
    assert "You stepped back from this loan: pay" in after
    assert "Move the due date" not in after
    assert money.standing(loan).principal_minor == 2_700_000
    money.settle()
    assert told(loan) == ["stepped_back"]
    stranger = Phone(money, money.customer())
    assert stranger.get(f"/loans/{loan.pk}/step-back/").status_code == 404


def test_a_loan_without_days_to_step_back_offers_none(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    assert "step-back" not in person.reads(f"/loans/{loan.pk}/")
    assert person.client.post(f"/loans/{loan.pk}/step-back/", {}).status_code == 302
    assert events(loan) == []


# --- papers and sessions --------------------------------------------------------------------------------------------


def test_a_paper_that_is_still_written_says_so_and_is_there_a_moment_later(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    person.order(person.choose(loan))
    while not papers.letters_in_force(loan.pk).exists():
        job = money.jobs._next(money.now.at)
        assert job is not None
        money.jobs.run(job.name, job.arguments)
    letter = papers.letters_in_force(loan.pk).get()
    early = person.get(f"/documents/{letter.pk}/")
    assert early.status_code == 409
    assert "being written" in early.content.decode()
    money.settle()
    assert person.get(f"/documents/{letter.pk}/").content.startswith(b"%PDF")


def test_bills_stand_among_the_papers_under_their_name_and_the_older_ones_fold(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    for number in range(1, 8):
        content = {
            "due_on": f"2026-0{number + 2}-02",
            "number": number,
            "new": {"principal": 1000},
            "carried": {},
            "paid_minor": 0,
            "total_minor": 1000,
            "card": "",
        }
        agreements.order(
            kind="bill", key=f"bill:{number}", party_id=person.party_id, subject=("servicing.loan", loan.pk),
            language="vi", reference=f"{loan.number}/{number}", issued_on=ON, content=content,
        )  # fmt: skip
    money.settle()
    page = person.reads(f"/loans/{loan.pk}/")
    shown, older = page.split("Older papers")
    assert shown.count(">Bill ") == 5
    assert f"{loan.number}/7" in shown
    assert f"{loan.number}/1" in older
    assert "Debt-free letter" not in page
    bill = papers.documents_of(loan.pk)[0]
    assert person.get(f"/documents/{bill.pk}/").content.startswith(b"%PDF")
    assert ">Bill</dd>" in person.reads(f"/verify/{bill.code}/")
    assert ">Bill " in person.reads("/account/")


# --- income over the term --------------------------------------------------------------------------------------------


def test_a_charge_that_is_added_is_on_the_page_and_what_a_third_party_pays_is_not(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id, agreed=replace(loans.single_payment(), income_share=Fraction(1, 2)))
    for number, owed_by in enumerate(("borrower", "third_party")):
        income = IncomeDeferred(effective_on=ON, source=f"i{number}", amount_minor=70_000, owed_by=owed_by)
        servicing.record(loan_id=loan.pk, event=income, actor=SYSTEM)
    page = person.reads(f"/loans/{loan.pk}/")
    assert page.count("Charge for the whole term") == 1
    said = [words in page for words in ("part of the debt", "a third party", "Income not earned")]
    assert said == [True, False, False]
