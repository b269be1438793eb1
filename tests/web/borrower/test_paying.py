"""Paying from the borrower's pages when things go wrong: sent twice, too late, from two tabs, refused, unanswered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

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


# --- twice -------------------------------------------------------------------------------------------------------


def test_a_double_click_a_reload_and_the_back_button_pay_once(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    address = person.choose(loan)
    seen = person.look(address)
    first, second = person.confirm(address, seen), person.confirm(address, seen)  # the answer of the first was lost
    assert first.headers["Location"] == second.headers["Location"]
    assert person.get(address).headers["Location"] == first.headers["Location"]
    money.settle()
    page = person.reads(address)  # back from the history, weeks later or now
    assert "This loan is paid in full" in page
    assert events(loan) == ["PaymentReceived"]
    assert [one.amount_minor for one in person.orders(loan)] == [3_000_000]


def test_two_tabs_pay_each_what_it_showed(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    one, other = person.choose(loan), person.choose(loan, "other", "500,000")
    given = person.order(one)
    assert given.amount_minor == 3_000_000  # and not what the other tab chose since
    waits = person.confirm(other, {"seen": "x"})
    assert (waits.status_code, events(loan)) == (200, [])  # nothing was seen there: it is shown, not paid
    refused = person.confirm(other)
    assert refused.status_code == 409
    assert f"/payments/{given.pk}/" in refused.content.decode()
    money.settle()
    assert "Nothing is owed on this loan" in person.confirm(other, {"seen": "x"}).content.decode()
    assert events(loan) == ["PaymentReceived"]


def test_two_devices_on_two_card_pages_pay_too_much_and_are_told_whose_money_it_is(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    other = Phone(money, person.party_id)
    given = [device.order(device.choose(loan, card="new")) for device in (person, other)]
    money.settle()
    assert "You also began to pay" in person.reads(person.choose(loan))
    for device, order in zip((person, other), given, strict=True):
        device.pays_on_the_page(order)
    money.settle()
    assert events(loan) == ["PaymentReceived", "PaymentReceived"]
    row = money.standing(loan)
    assert (row.status, row.unapplied_minor) == ("closed", 3_000_000)
    assert "payment_too_much" in told(loan)
    page = person.reads(f"/loans/{loan.pk}/")
    assert "₫3,000,000 more than you owed" in page
    assert "/send-back/" in page


def test_an_order_that_we_did_not_write_orders_nothing(money: Money, person: Phone) -> None:
    loan, other = money.loan(person.party_id), money.loan(person.party_id)
    address = person.choose(loan)
    forged = address[:-3] + ("abc" if address[-3:] != "abc" else "cba")
    elsewhere = address.replace(str(loan.pk), str(other.pk))
    for wrong, home in ((forged, loan), (elsewhere, other), (f"/loans/{loan.pk}/confirm/", loan)):
        for answer in (person.get(wrong), person.client.post(wrong, {"seen": "x"})):
            assert answer.headers["Location"] == f"/loans/{home.pk}/"
    assert person.orders(loan) == person.orders(other) == []


# --- something changed between looking and confirming -------------------------------------------------------------


def test_the_day_ends_while_the_figures_are_on_the_page(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    address = person.choose(loan)
    seen = person.look(address)
    money.pass_days(1)
    page = person.confirm(address, seen)
    text = page.content.decode()
    assert (page.status_code, person.orders(loan)) == (200, [])
    assert "Nothing was charged" in text
    assert "It was ₫3,000,000, it is now ₫3,030,000" in text
    given = person.order(address)
    money.settle()
    assert (given.amount_minor, money.standing(loan).status) == (3_030_000, "closed")


def test_yesterdays_extension_is_confirmed_at_todays_price(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    money.pass_days(3)
    address = person.choose_to_extend(loan)
    seen = person.look(address)
    money.pass_days(1)
    text = person.confirm(address, seen).content.decode()
    assert "It was ₫110,000, it is now ₫140,000" in text
    given = person.order(address)
    money.settle()
    assert given.amount_minor == 140_000
    assert events(loan) == ["Extended", "PaymentReceived"]


def test_the_loan_is_paid_off_by_the_mandate_while_the_borrower_is_about_to_pay(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    address, extension = person.choose(loan), person.choose_to_extend(loan)
    seen = person.look(address)
    money.debit(loan, 3_000_000)
    money.settle()
    for late in (address, extension):
        answer = person.confirm(late, seen)
        assert answer.status_code == 409
        assert f'href="/loans/{loan.pk}/"' in answer.content.decode()
    assert "Nothing is owed on this loan" in person.confirm(address, seen).content.decode()
    assert "Nothing is owed on this loan" in person.reads(f"/loans/{loan.pk}/pay/")
    assert len(person.orders(loan)) == 1


def test_a_card_that_died_meanwhile_is_not_charged_and_another_can_be_chosen(money: Money, person: Phone) -> None:
    from usance.apps.payments.models import Card

    loan = money.loan(person.party_id)
    address = person.choose(loan)
    Card.objects.filter(party_id=person.party_id).update(state=Card.State.DEAD)
    answer = person.confirm(address)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "can no longer be used" in text
    assert f'href="/loans/{loan.pk}/pay/"' in text
    assert "Another card" in person.reads(f"/loans/{loan.pk}/pay/")
    assert person.orders(loan) == []


# --- declined, abandoned, unanswered ------------------------------------------------------------------------------


def test_a_declined_payment_says_why_and_is_tried_again(money: Money) -> None:
    person = Phone(money, money.customer(card="no_funds_at_debit"))
    loan = money.loan(person.party_id)
    address = person.choose(loan)
    given = person.order(address)
    money.settle()
    page = person.reads(address)  # wherever the borrower comes from
    assert "There is not enough money on the card" in page
    assert f'href="/loans/{loan.pk}/pay/"' in page
    assert (events(loan), told(loan)) == ([], ["payment_failed"])
    again = person.order(person.choose(loan, card="new"))
    money.settle()
    person.pays_on_the_page(again)
    money.settle()
    assert (again.pk != given.pk, money.standing(loan).status) == (True, "closed")


def test_an_extension_whose_payment_is_declined_moves_nothing(money: Money) -> None:
    person = Phone(money, money.customer(card="no_funds_at_debit"))
    loan = money.loan(person.party_id)
    due_on = loan.next_due_on
    given = person.order(person.choose_to_extend(loan))
    money.settle()
    page = person.reads(f"/payments/{given.pk}/")
    assert "the due date did not move" in page
    assert f'href="/loans/{loan.pk}/extend/"' in page
    assert (events(loan), money.standing(loan).next_due_on) == ([], due_on)


def test_a_card_page_that_is_left_charges_nothing_and_hinders_nobody(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    given = person.order(person.choose(loan, card="new"))
    money.settle()
    page = person.reads(f"/loans/{loan.pk}/")
    assert "If you did not finish there, nothing is charged" in page
    paid = person.order(person.choose(loan, "other", "500,000"))  # with the saved card, meanwhile
    money.settle()
    assert money.fresh(paid).state == "succeeded"
    money.pass_time(1900)
    money.ask(given)
    page = person.reads(f"/payments/{given.pk}/")
    assert "The card page was closed or its time ran out" in page
    assert "Try again" in page
    assert "If you did not finish there" not in person.reads(f"/loans/{loan.pk}/")
    assert events(loan) == ["PaymentReceived"]


def test_an_answer_and_its_callback_that_are_lost_are_asked_for(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    money.dial("recurring", "timeout_after")
    money.dial("recurring", "lose_callbacks", left=9)
    given = person.order(person.choose(loan))
    money.jobs.run_pending()
    assert money.fresh(given).state == "unknown"
    assert "We are asking your bank" in person.reads(f"/payments/{given.pk}/")
    assert person.confirm(person.choose(loan)).status_code == 409  # nothing is charged again meanwhile
    money.pass_time(30)
    assert "We received your payment" in person.reads(f"/payments/{given.pk}/")
    assert (events(loan), money.calls(given)) == (["PaymentReceived"], 1)


def test_a_callback_that_never_comes_is_not_needed(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    given = person.order(person.choose(loan, card="new"))
    money.settle()
    money.deaf = True
    person.pays_on_the_page(given)
    money.settle()
    assert money.fresh(given).state == "pending"
    person.client.post(f"/payments/{given.pk}/back/")  # the provider's page sends the browser back
    money.settle()
    assert "This loan is paid in full" in person.reads(f"/payments/{given.pk}/")


def test_a_payment_of_another_amount_is_looked_at_and_the_card_is_not_debited_meanwhile(
    money: Money, person: Phone
) -> None:
    from usance.workflows import take_payment

    loan = money.loan(person.party_id)
    money.dial("recurring", "wrong_amount", "-1")
    given = person.order(person.choose(loan))
    money.settle()
    assert "We are checking this payment" in person.reads(f"/payments/{given.pk}/")
    assert events(loan) == []
    assert take_payment.debit(loan_id=loan.pk, amount_minor=500_000, key="due", at=money.now.at) is None


# --- around midnight ----------------------------------------------------------------------------------------------


def test_paid_two_minutes_to_midnight_and_known_three_minutes_after_is_on_time(money: Money, person: Phone) -> None:
    from tests.apps.servicing import loans
    from usance.apps.institutions import services as institutions

    loan = money.loan(person.party_id, agreed=loans.single_payment(days=7))
    money.pass_days(7)
    money.pass_time(13 * 3600 + 58 * 60)  # 23:58 on the day on which it falls due
    given = person.order(person.choose(loan, card="new"))
    money.settle()
    money.deaf = True
    person.pays_on_the_page(given)
    institutions.move_business_date(to=money.today + timedelta(days=1), ahead_days=0)
    assert "past due for 1 day" in person.reads(f"/loans/{loan.pk}/")  # the bank's word is still missing
    money.pass_time(5 * 60)
    money.ask(given)
    row = money.standing(loan)
    assert (row.status, row.closed_on, row.penalty_minor, row.unapplied_minor) == (
        "closed", money.today - timedelta(days=1), 0, 0,
    )  # fmt: skip
    assert row.max_days_past_due == 0
    assert "This loan is paid in full" in person.reads(f"/payments/{given.pk}/")


def test_everything_paid_after_midnight_by_the_figure_of_before_leaves_a_rest_that_is_named(
    money: Money, person: Phone
) -> None:
    from usance.apps.institutions import services as institutions

    loan = money.loan(person.party_id)
    money.pass_time(13 * 3600 + 58 * 60)
    given = person.order(person.choose(loan, card="new"))
    money.settle()
    institutions.move_business_date(to=money.today + timedelta(days=1), ahead_days=0)
    money.pass_time(5 * 60)
    person.pays_on_the_page(given)
    money.ask(given)
    page = person.reads(f"/payments/{given.pk}/")
    assert "₫30,000 is left. Pay it, and the loan is closed." in page
    assert (money.standing(loan).status, money.standing(loan).outstanding_minor) == ("active", 30_000)


# --- too much, too little -----------------------------------------------------------------------------------------


def test_one_unit_too_little_stays_owed_is_shown_and_can_be_paid(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    person.order(person.choose(loan, "other", "2,999,999"))
    money.settle()
    assert money.standing(loan).status == "active"
    assert "₫1" in person.reads(f"/loans/{loan.pk}/")
    assert "debt_free_letter" not in told(loan)
    person.order(person.choose(loan))
    money.settle()
    row = money.standing(loan)
    assert (row.status, row.outstanding_minor, row.unapplied_minor) == ("closed", 0, 0)


def test_a_rest_is_forgiven_only_where_the_agreement_says_so(money: Money, person: Phone) -> None:
    from dataclasses import replace

    from tests.apps.servicing import loans

    generous = replace(loans.single_payment(), forgive_under_minor=500)
    kept, over = (money.loan(person.party_id, agreed=generous) for _ in range(2))
    for loan, rest in ((kept, 500), (over, 501)):
        person.order(person.choose(loan, "other", str(3_000_000 - rest)))
        money.settle()
    assert (money.standing(kept).status, money.standing(over).outstanding_minor) == ("closed", 501)
    assert "a small rest, forgiven as the agreement says" in person.reads(f"/loans/{kept.pk}/explain/")


def overpaid(money: Money, person: Phone) -> Any:
    """A closed loan on which 100,000 too much lies."""
    loan = money.loan(person.party_id)
    person.order(person.choose(loan, "other", "3,100,000"))
    money.settle()
    assert money.standing(loan).unapplied_minor == 100_000
    return loan


def test_what_was_too_much_goes_back_to_its_card_once(money: Money, person: Phone) -> None:
    loan = overpaid(money, person)
    address = f"/loans/{loan.pk}/send-back/"
    assert "₫100,000" in person.reads(address)
    for _click in range(2):
        assert person.client.post(address).headers["Location"] == f"/loans/{loan.pk}/"
    assert "₫100,000 is on its way back to your card" in person.reads(f"/loans/{loan.pk}/")
    money.settle()
    page = person.reads(f"/loans/{loan.pk}/")
    assert "more than you owed" not in page
    assert "on its way back" not in page
    assert told(loan)[-1] == "refund_sent"
    (paid,) = person.orders(loan)
    assert money.provider.book(paid.order_id)["reversed_minor"] == 100_000  # type: ignore[index]


def test_a_refund_that_the_bank_refuses_is_still_the_borrowers_money(money: Money, person: Phone) -> None:
    loan = overpaid(money, person)
    money.dial("reverse", "decline", "1000")
    person.client.post(f"/loans/{loan.pk}/send-back/")
    money.settle()
    assert money.standing(loan).unapplied_minor == 100_000
    assert told(loan)[-1] == "refund_refused"
    assert "The bank refused to take it back last time" in person.reads(f"/loans/{loan.pk}/")
    person.client.post(f"/loans/{loan.pk}/send-back/")
    money.settle()
    assert (money.standing(loan).unapplied_minor, told(loan)[-1]) == (0, "refund_sent")


def test_a_refund_whose_answer_was_lost_is_asked_about_and_sent_once(money: Money, person: Phone) -> None:
    loan = overpaid(money, person)
    money.dial("reverse", "timeout_after")
    person.client.post(f"/loans/{loan.pk}/send-back/")
    money.jobs.run_pending()
    refund = payments.latest(subject_id=loan.pk, kind="refund")
    assert refund is not None
    assert refund.state == "unknown"
    assert "is on its way back to your card" in person.reads(f"/loans/{loan.pk}/")
    money.pass_time(60)
    assert money.fresh(refund).state == "succeeded"
    (paid,) = person.orders(loan)
    assert money.provider.book(paid.order_id)["reversed_minor"] == 100_000  # type: ignore[index]
    assert (money.standing(loan).unapplied_minor, events(loan)[-1]) == (0, "Refunded")


def test_money_that_did_not_come_from_a_card_is_not_promised_to_one(money: Money, person: Phone) -> None:
    from tests.apps.servicing import loans

    loan = money.loan(person.party_id)
    loans.pay(loan, 3_050_000, money.today)
    page = person.client.post(f"/loans/{loan.pk}/send-back/")
    assert page.status_code == 422
    assert "did not come from a card" in page.content.decode()
    assert money.standing(loan).unapplied_minor == 50_000
