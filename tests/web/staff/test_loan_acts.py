"""Acts on a loan: nothing happens before its effect was shown and confirmed, nothing happens twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.apps.servicing import loans
from tests.web.staff.lending import ON, Lender
from usance.apps.audit import selectors as trail
from usance.apps.desk import selectors as desk
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors
from usance.workflows import serve_loan

KEY = "0123456789abcdef0123456789abcdef"


def told(loan: Any) -> list[str]:
    return [row.kind for row in selectors.events_of(loan_id=loan.pk)][2:]


def show(browser: Any, loan: Any, act: str, **answers: Any) -> Any:
    """The form is sent: its effect is shown."""
    return browser.post(f"/staff/loans/{loan.pk}/{act}/", {"key": KEY} | answers)


def confirm(browser: Any, loan: Any, act: str, **answers: Any) -> Any:
    """The form is sent, its effect seen, and confirmed as the page does."""
    page = show(browser, loan, act, **answers)
    assert page.status_code == 200, page.context["form"].errors
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    return browser.post(f"/staff/loans/{loan.pk}/{act}/", carried)


RECEIPT = {"amount": "1000000", "how": "bank", "value_on": "2026-03-02", "reference": "FT-1"}


def test_a_receipt_is_shown_then_booked_then_noted(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    page = show(cashier, loan, "receive", **RECEIPT)
    rows = {str(row.label): (row.before, row.after) for row in page.context["difference"]}
    assert [side.minor for side in rows["Owed in all"]] == [3_000_000, 2_000_000]
    assert told(loan) == []
    answer = confirm(cashier, loan, "receive", **RECEIPT)
    assert answer.status_code == 302
    assert told(loan) == ["PaymentReceived"]
    assert selectors.loan(loan.pk).principal_minor == 2_000_000
    (receipt,) = payments.receipts_of(loan.pk)
    assert (receipt.reference, receipt.taken_by) == ("FT-1", str(lender.staff("cashier").pk))
    entry = trail.trail(("servicing.loan", loan.pk)).filter(action="loan.payment_received").get()
    assert entry.actor_id == str(lender.staff("cashier").pk)


def test_a_double_click_books_once(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    page = show(cashier, loan, "receive", **RECEIPT)
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    for _click in range(2):
        assert cashier.post(f"/staff/loans/{loan.pk}/receive/", carried).status_code == 302
    assert told(loan) == ["PaymentReceived"]


def test_the_same_bank_reference_is_refused_in_words(lender: Lender) -> None:
    loan, other, cashier = lender.loan(), lender.loan(), lender.browser("cashier")
    confirm(cashier, loan, "receive", **RECEIPT)
    page = show(cashier, other, "receive", **RECEIPT, key="9" * 32)
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    again = cashier.post(f"/staff/loans/{other.pk}/receive/", carried)
    assert again.status_code == 422
    assert "FT-1" in again.content.decode()
    assert told(other) == []


def test_an_effect_that_changed_meanwhile_is_shown_again(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    page = show(cashier, loan, "receive", **RECEIPT)
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    loans.pay(loan, 2_500_000, ON)
    again = cashier.post(f"/staff/loans/{loan.pk}/receive/", carried)
    assert (again.status_code, again.context["is_stale"]) == (200, True)
    assert told(loan) == ["PaymentReceived"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"}, {"amount": "-5"}, {"amount": "abc"}, {"amount": ""}, {"value_on": "2026-03-03"},
        {"value_on": "2026-03-01"}, {"value_on": "x"}, {"how": "shells"}, {"reference": ""}, {"amount": "9" * 40},
    ],
)  # fmt: skip
def test_answers_that_make_no_sense_are_refused_beside_the_field(lender: Lender, wrong: dict[str, str]) -> None:
    loan = lender.loan()
    page = show(lender.browser("cashier"), loan, "receive", **(RECEIPT | wrong))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == list(wrong)
    assert told(loan) == []


def test_a_form_without_its_key_begins_anew(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    for key in ("", "x", "../../etc"):
        assert cashier.post(f"/staff/loans/{loan.pk}/receive/", {**RECEIPT, "key": key}).status_code == 302
    assert told(loan) == []


def test_a_payment_is_undone_and_its_reference_may_be_booked_again(lender: Lender) -> None:
    loan, cashier, accountant = lender.loan(), lender.browser("cashier"), lender.browser("accountant")
    confirm(cashier, loan, "receive", **RECEIPT)
    answers = {"key": "f" * 32, "entry": serve_loan.source_of(KEY), "reason": "another customer's money"}
    assert confirm(accountant, loan, "reverse", **answers).status_code == 302
    assert told(loan) == ["PaymentReceived", "Reversed"]
    assert selectors.loan(loan.pk).principal_minor == 3_000_000
    assert payments.receipts_of(loan.pk).get().undone_at is not None
    assert cashier.get(f"/staff/loans/{loan.pk}/reverse/").status_code == 403


def test_a_small_waiver_is_done_at_once_and_many_small_ones_are_not(lender: Lender) -> None:
    loan = lender.loan()
    lender.live_until(ON + timedelta(days=10))
    accountant = lender.browser("accountant")
    small = {"balance": "interest", "amount": "20000", "reason": "our mistake"}
    assert confirm(accountant, loan, "waive", **small).status_code == 302
    assert told(loan) == ["Waived"]
    again = small | {"key": "e" * 32}
    page = show(accountant, loan, "waive", **again)
    assert any("second person" in str(effect.text) for effect in page.context["effects"])
    confirm(accountant, loan, "waive", **again)
    assert told(loan) == ["Waived"]
    waiting = desk.open_approval(serve_loan.WAIVE, loan.pk)
    assert waiting is not None
    assert "waits for a second person" in accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    own = accountant.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"})
    assert own.status_code == 422
    compliance = lender.browser("compliance")
    assert compliance.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302
    assert told(loan) == ["Waived", "Waived"]


def test_more_than_is_owed_is_not_forgiven(lender: Lender) -> None:
    loan = lender.loan()
    lender.live_until(ON + timedelta(days=2))
    answers = {"balance": "interest", "amount": "60001", "reason": "x"}
    page = show(lender.browser("accountant"), loan, "waive", **answers)
    assert page.status_code == 422
    assert "60,000" in page.content.decode()


def test_whoever_forgives_may_not_collect_and_the_other_way_round() -> None:
    from usance.apps.access import permissions

    assert permissions.meeting({"loan.waive", "collection.work"})
    assert permissions.meeting({"loan.approve", "collection.work"})
    assert all(not permissions.meeting(role.permissions) for role in permissions.ROLES.values())


def test_a_write_off_takes_two_people_and_what_comes_later_is_recovered(lender: Lender) -> None:
    loan = lender.loan(agreed=loans.single_payment(days=7))
    lender.live_until(ON + timedelta(days=20))
    accountant = lender.browser("accountant")
    assert confirm(accountant, loan, "write-off", reason="cannot be found").status_code == 302
    assert told(loan) == []
    assert confirm(accountant, loan, "write-off", key="a" * 32, reason="again").status_code == 422
    waiting = desk.open_approval(serve_loan.WRITE_OFF, loan.pk)
    assert waiting is not None
    lender.browser("compliance").post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"})
    assert selectors.loan(loan.pk).status == "written_off"
    money = RECEIPT | {"value_on": str(lender.today), "key": "8" * 32}
    assert confirm(lender.browser("cashier"), loan, "receive", **money).status_code == 302
    assert told(loan) == ["WrittenOff", "Recovered"]


def test_another_rate_takes_two_people_and_counts_from_its_day(lender: Lender) -> None:
    loan, accountant = lender.loan(), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=10))
    answers = {"share": "0.5", "value_on": "2026-03-07", "reason": "promised by letter"}
    for wrong in ({"share": "x"}, {"share": "-1"}, {"share": "101"}, {"value_on": "2026-03-01"}, {"reason": ""}):
        page = show(accountant, loan, "rate", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    page = show(accountant, loan, "rate", **answers)
    assert any("second person" in str(effect.text) for effect in page.context["effects"])
    rows = {str(row.label): (row.before, row.after) for row in page.context["difference"]}
    assert [side.minor for side in rows["Owed in all"]] == [3_300_000, 3_225_000]
    assert confirm(accountant, loan, "rate", **answers).status_code == 302
    assert told(loan) == []
    waiting = desk.open_approval(serve_loan.CHANGE_RATE, loan.pk)
    assert waiting is not None
    assert accountant.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 422
    compliance = lender.browser("compliance")
    text = compliance.get(f"/staff/approvals/{waiting.pk}/").content.decode()
    assert "1% a day" in text
    assert "0.5% a day" in text
    assert compliance.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302
    assert told(loan) == ["RateChanged"]
    assert selectors.loan(loan.pk).interest_minor == 225_000
    assert lender.browser("auditor").get(f"/staff/loans/{loan.pk}/?tab=timeline").status_code == 200
    assert lender.browser("cashier").get(f"/staff/loans/{loan.pk}/rate/").status_code == 403


def test_terms_that_were_wrong_are_corrected_by_two_people(lender: Lender) -> None:
    loan, accountant = lender.loan(), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=10))
    asked = accountant.get(f"/staff/loans/{loan.pk}/terms/").context["form"]
    answers = {name: field.initial for name, field in ((f.name, f) for f in asked) if field.initial is not None}
    assert (answers["rates__0__rate__share"], answers["day_count"]) == ("1", "actual/365")
    assert "Nothing was changed" in show(accountant, loan, "terms", **answers | {"reason": "x"}).content.decode()
    answers |= {"rates__0__rate__share": "0.5", "reason": "the contract says half"}
    for wrong in ({"rates__0__rate__share": "much"}, {"day_count": "by moonlight"}, {"reason": ""}):
        page = show(accountant, loan, "terms", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    dear = show(accountant, loan, "terms", **answers | {"rates__0__rate__share": "40"})
    assert "law" in dear.content.decode()
    assert dear.status_code == 422
    page = show(accountant, loan, "terms", **answers)
    assert any("Interest a day: 1% → 0.5%" in str(effect.text) for effect in page.context["effects"])
    rows = {str(row.label): (row.before, row.after) for row in page.context["difference"]}
    assert [side.minor for side in rows["Owed in all"]] == [3_300_000, 3_150_000]
    assert confirm(accountant, loan, "terms", **answers).status_code == 302
    assert told(loan) == []
    waiting = desk.open_approval(serve_loan.CORRECT, loan.pk)
    assert waiting is not None
    compliance = lender.browser("compliance")
    assert "Interest a day" in compliance.get(f"/staff/approvals/{waiting.pk}/").content.decode()
    assert compliance.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302
    assert told(loan) == ["TermsCorrected"]
    assert selectors.loan(loan.pk).interest_minor == 150_000
    assert "Interest a day" in lender.browser("auditor").get(f"/staff/loans/{loan.pk}/?tab=timeline").content.decode()
    assert lender.browser("cashier").get(f"/staff/loans/{loan.pk}/terms/").status_code == 403


def test_an_extension_for_the_borrower_leaves_its_price_due(lender: Lender) -> None:
    loan = lender.loan()
    lender.live_until(ON + timedelta(days=10))
    before = selectors.loan(loan.pk).next_due_on
    service = lender.browser("customer_service")
    assert show(service, loan, "extend", days="8").status_code == 422
    assert confirm(service, loan, "extend", days="7").status_code == 302
    row = selectors.loan(loan.pk)
    assert told(loan) == ["Extended"]
    assert row.due_now_minor == 320_000
    assert row.next_due_on is not None
    assert before is not None


def test_penalties_rest_and_grow_again(lender: Lender) -> None:
    loan = lender.loan(agreed=loans.single_payment(days=7))
    accountant = lender.browser("accountant")
    assert confirm(accountant, loan, "penalty", reason="in hospital").status_code == 302
    lender.live_until(ON + timedelta(days=15))
    assert selectors.loan(loan.pk).penalty_minor == 0
    assert confirm(accountant, loan, "penalty", key="c" * 32).status_code == 302
    lender.live_until(ON + timedelta(days=18))
    assert selectors.loan(loan.pk).penalty_minor > 0


def test_a_debit_without_a_mandate_is_refused_in_words(lender: Lender) -> None:
    loan = lender.loan(agreed=loans.single_payment(days=7))
    lender.card(loan.party_id)
    lender.live_until(ON + timedelta(days=9))
    collector = lender.browser("collector")
    page = show(collector, loan, "debit", amount="100000")
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    refused = collector.post(f"/staff/loans/{loan.pk}/debit/", carried)
    assert refused.status_code == 422
    assert "mandate" in refused.content.decode()
    assert show(collector, loan, "debit", key="d" * 32, amount="99999999").status_code == 422


@pytest.mark.parametrize(
    ("act", "role"),
    [
        ("receive", "cashier"), ("debit", "collector"), ("extend", "collector"), ("waive", "accountant"),
        ("fee", "accountant"), ("penalty", "accountant"), ("send-back", "cashier"), ("reverse", "accountant"),
        ("write-off", "accountant"), ("rate", "accountant"), ("terms", "accountant"),
    ],
)  # fmt: skip
def test_an_act_on_a_loan_that_is_over_is_refused_not_crashed(lender: Lender, act: str, role: str) -> None:
    loan, browser = lender.loan(), lender.browser(role)
    loans.pay(loan, 3_000_000, ON)
    assert browser.get(f"/staff/loans/{loan.pk}/{act}/").status_code == 200
    answers = {"amount": "5", "days": "7", "balance": "interest", "fee_kind": "service", "reason": "x", "entry": "x"}
    page = show(browser, loan, act, **answers)
    assert page.status_code in (200, 422)
    assert lender.browser("auditor").get(f"/staff/loans/{loan.pk}/{act}/").status_code == 403


def test_only_acts_that_make_sense_and_are_allowed_are_offered(lender: Lender) -> None:
    loan = lender.loan()

    def offered(role: str) -> list[str]:
        page = lender.browser(role).get(f"/staff/loans/{loan.pk}/")
        return [shape.code for shape, _address in page.context["acts"]]

    assert offered("auditor") == []
    assert offered("cashier") == ["receive"]
    assert offered("collector") == ["extend_loan"]
    assert offered("accountant") == [
        "waive",
        "credit",
        "add_fee",
        "defer_income",
        "penalty",
        "rest_interest",
        "reschedule",
        "respread",
        "reverse_entry",
        "change_rate",
        "correct_terms",
        "terminate",
        "non_accrual",
        "charge_off",
        "write_off",
        "sell",
    ]
