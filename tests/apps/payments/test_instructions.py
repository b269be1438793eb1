"""An order to a payment rail in all its states: whatever the rail does, it is sent once and takes effect once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.apps.payments.money import Money
from usance.apps.audit import selectors as trail
from usance.apps.desk import selectors as desk
from usance.apps.payments import doubts, receipts, refusals, selectors, services
from usance.apps.payments.models import Card, InboundNotice, Instruction
from usance.ports import payment_rail
from usance.ports.actor import SYSTEM

State = Instruction.State


@pytest.fixture
def payer(money: Money) -> Any:
    return money.customer()


def card_of(party_id: Any) -> Card:
    card = selectors.cards_of(party_id).first()
    assert card is not None
    return card


def debit(money: Money, payer: Any, amount_minor: int = 500_000, **more: Any) -> Instruction:
    return money.give("debit", party_id=payer, amount_minor=amount_minor, card_id=card_of(payer).pk, **more)


def test_a_linked_card_is_kept_by_its_token_and_never_by_its_number(money: Money, payer: Any) -> None:
    card = card_of(payer)
    assert (card.last4, card.state) == ("6666", "active")
    assert str(card).endswith("•••• 6666")
    token = services.token_of(card)
    assert token
    assert token.encode() not in bytes(card.token)


def test_success_takes_effect_once_with_the_time_of_the_payment(money: Money, payer: Any) -> None:
    given = debit(money, payer)
    assert (given.state, given.sent_at) == (State.CREATED, None)
    money.settle()
    done = money.fresh(given)
    assert (done.state, money.calls(given)) == (State.SUCCEEDED, 1)
    assert done.reference
    assert selectors.value_date(done) == money.today
    acts = [entry.action for entry in trail.trail(done)]
    assert sorted(acts) == ["payments.debit_given", "payments.debit_succeeded"]


def test_the_same_key_is_the_same_order(money: Money, payer: Any) -> None:
    first = debit(money, payer, key="twice")
    again = debit(money, payer, key="twice")
    money.settle()
    assert again.pk == first.pk
    assert (Instruction.objects.filter(key="twice").count(), money.calls(first)) == (1, 1)


def test_a_refusal_says_why_and_is_final(money: Money) -> None:
    payer = money.customer(card="no_funds_at_debit")
    given = debit(money, payer)
    money.settle()
    refused = money.fresh(given)
    assert (refused.state, refused.reason) == (State.FAILED, "insufficient_funds")
    assert card_of(payer).state == "active"
    assert money.ask(given).state == State.FAILED
    assert money.calls(given) == 1


def test_a_dead_card_is_not_used_again(money: Money) -> None:
    payer = money.customer(card="token_expires")
    card = card_of(payer)
    given = debit(money, payer)
    money.settle()
    assert money.fresh(given).state == State.FAILED
    card.refresh_from_db()
    assert card.state == "dead"
    with pytest.raises(refusals.CardNotUsable):
        money.give("debit", party_id=payer, card_id=card.pk)


@pytest.mark.parametrize("fault", ["timeout_after", "http_error", "processing"])
def test_unknown_is_asked_about_and_never_sent_again(money: Money, payer: Any, fault: str) -> None:
    money.dial("recurring", fault, "500" if fault == "http_error" else "")
    money.dial("recurring", "lose_callbacks", left=5)
    given = debit(money, payer)
    money.jobs.run_pending()
    assert money.fresh(given).state in (State.UNKNOWN, State.PENDING)
    for _minute in range(8):
        money.pass_time(60)
    assert money.fresh(given).state in (State.SUCCEEDED, State.FAILED)
    assert money.calls(given) <= 1
    booked = money.provider.book(given.order_id)
    assert (money.fresh(given).state == State.SUCCEEDED) == bool(booked and booked["status"] == "approved")


def test_an_order_that_never_arrived_ends_by_itself_and_is_not_sent_again(money: Money, payer: Any) -> None:
    money.dial("recurring", "timeout_before")
    given = debit(money, payer)
    money.settle()
    assert money.fresh(given).state == State.UNKNOWN
    for _minute in range(12):
        money.pass_time(60)
    ended = money.fresh(given)
    assert (ended.state, ended.reason, money.calls(given)) == (State.FAILED, "never_arrived", 0)


def test_a_worker_that_dies_after_sending_asks_when_it_comes_back(money: Money, payer: Any) -> None:
    given = debit(money, payer)
    claimed = services.claim(instruction_id=given.pk, provider="fondy", merchant="1700002", at=money.now.at)
    assert claimed is not None  # it died here: the order may be on its way, or not
    money.settle()
    assert (money.fresh(given).state, money.calls(given)) == (State.UNKNOWN, 0)


def test_an_open_order_that_lost_its_job_is_found_by_the_sweep(money: Money, payer: Any) -> None:
    from usance.ports.queue import enqueue

    given = debit(money, payer)
    money.jobs.waiting.clear()
    money.pass_time(600)
    enqueue("payments.sweep")
    money.settle()
    assert money.fresh(given).state == State.SUCCEEDED


@pytest.mark.parametrize("offset", [1, -1])
def test_an_amount_off_by_one_is_not_booked_but_shown_to_a_person(money: Money, payer: Any, offset: int) -> None:
    told = 500_000 + offset
    money.dial("recurring", "wrong_amount", str(offset))
    given = debit(money, payer)
    money.settle()
    odd = money.fresh(given)
    assert (odd.state, odd.told_minor, odd.is_open) == (State.MISMATCH, told, False)
    case = desk.item_of("reconciliation", odd.pk)
    assert case is not None
    settled = services.reconcile(instruction_id=odd.pk, amount_minor=told, at=money.now.at, actor=SYSTEM, note="seen")
    assert (settled.state, settled.booked_minor, settled.amount_minor) == (State.SUCCEEDED, told, 500_000)
    case.refresh_from_db()
    assert case.state == "done"
    with pytest.raises(refusals.NotReconcilable):
        services.reconcile(instruction_id=odd.pk, amount_minor=0, at=money.now.at, actor=SYSTEM)


def test_a_person_may_say_that_nothing_moved_but_no_third_amount(money: Money, payer: Any) -> None:
    money.dial("recurring", "wrong_amount", "-1")
    given = debit(money, payer)
    money.settle()
    with pytest.raises(refusals.NotReconcilable):
        services.reconcile(instruction_id=given.pk, amount_minor=123, at=money.now.at, actor=SYSTEM)
    settled = services.reconcile(instruction_id=given.pk, amount_minor=0, at=money.now.at, actor=SYSTEM)
    assert settled.state == State.FAILED


def test_a_callback_twice_is_stored_once_and_taken_in_once(money: Money, payer: Any) -> None:
    money.dial("recurring", "duplicate_callbacks", "3")
    given = debit(money, payer)
    money.settle()
    mine = [one for one in money.callbacks if given.order_id.encode() in one[1]]
    assert len(mine) > 1
    assert InboundNotice.objects.filter(order_id=given.order_id).count() == 1
    assert len([e for e in trail.trail(given) if e.action == "payments.debit_succeeded"]) == 1


def test_a_forged_callback_is_refused_and_changes_nothing(money: Money, payer: Any, client_of_the_rail: Any) -> None:
    money.dial("recurring", "timeout_after")
    given = debit(money, payer)
    money.settle()
    path, body, kind = next(one for one in money.callbacks if given.order_id.encode() in one[1])
    before = InboundNotice.objects.count()
    forged = body.replace(b"500000", b"500001")
    assert forged != body
    assert client_of_the_rail.post(path, data=forged, content_type=kind).status_code == 403
    assert client_of_the_rail.post(path, data=b"{}", content_type=kind).status_code == 403
    assert client_of_the_rail.post(path.replace("fondy", "other"), data=body, content_type=kind).status_code == 404
    assert client_of_the_rail.get(path).status_code == 405
    assert InboundNotice.objects.count() == before


def test_a_callback_of_an_order_that_is_not_ours_waits_for_a_person(money: Money, payer: Any) -> None:
    given = debit(money, payer)
    money.settle()
    InboundNotice.objects.filter(order_id=given.order_id).update(processed_at=None)
    Instruction.objects.filter(pk=given.pk).update(order_id="gone")
    from usance.ports.queue import enqueue

    notice = InboundNotice.objects.get(order_id=given.order_id)
    enqueue("payments.process_notice", notice_id=str(notice.pk))
    money.settle()
    assert [one.outcome for one in selectors.notices_waiting()] == ["unknown_order"]


def test_what_was_not_sent_can_be_taken_back_and_what_was_cannot(money: Money, payer: Any) -> None:
    given = debit(money, payer)
    assert services.cancel(instruction_id=given.pk, at=money.now.at, actor=SYSTEM).state == State.CANCELLED
    money.settle()
    assert (money.fresh(given).state, money.calls(given)) == (State.CANCELLED, 0)
    second = debit(money, payer)
    money.settle()
    with pytest.raises(refusals.InstructionUnderWay):
        services.cancel(instruction_id=second.pk, at=money.now.at, actor=SYSTEM)


def test_whoever_wants_to_know_now_asks_and_sends_nothing(money: Money, payer: Any) -> None:
    money.dial("recurring", "timeout_after")
    money.dial("recurring", "lose_callbacks", left=5)
    given = debit(money, payer)
    money.jobs.run_pending()
    assert money.fresh(given).state == State.UNKNOWN
    services.ask_now(instruction_id=given.pk, actor=SYSTEM)
    money.jobs.run_pending()
    assert (money.fresh(given).state, money.calls(given)) == (State.SUCCEEDED, 1)


def test_a_removed_card_is_gone_and_the_same_card_of_two_people_shows(money: Money, payer: Any) -> None:
    card = card_of(payer)
    assert selectors.others_with_card(card_id=card.pk) == 0
    other = money.customer()
    assert selectors.others_with_card(card_id=card.pk) == len(
        Card.objects.filter(token_index=card.token_index, party_id=other)
    )
    services.remove_card(card_id=card.pk, party_id=payer, actor=SYSTEM)
    assert not selectors.cards_of(payer).exists()
    with pytest.raises(refusals.CardNotUsable):
        money.give("debit", party_id=payer, card_id=card.pk)


def test_a_search_finds_it_by_whatever_is_known(money: Money, payer: Any) -> None:
    given = debit(money, payer, 512_345)
    debit(money, payer, 512_346)
    money.settle()
    done = money.fresh(given)
    for search in (
        selectors.Search(amount_minor=512_345),
        selectors.Search(amount_minor=512_345, on=money.today, last4="6666"),
        selectors.Search(reference=done.reference),
        selectors.Search(reference=done.order_id[:20]),
    ):
        assert [one.pk for one in selectors.instructions(kind="debit", search=search)] == [given.pk], search
    assert not selectors.instructions(search=selectors.Search(last4="0000")).exists()


def test_outside_money_with_the_same_reference_is_booked_once(money: Money, payer: Any) -> None:
    facts = {
        "how": "bank", "reference": "FT26061", "loan_id": payer, "party_id": payer, "amount_minor": 1000,
        "currency": "VND", "value_on": money.today, "org_path": "root", "at": money.now.at, "actor": SYSTEM,
    }  # fmt: skip
    first = receipts.note(source="staff:a", **facts)
    assert receipts.note(source="staff:a", **facts).pk == first.pk
    with pytest.raises(refusals.ReceiptKnown):
        receipts.note(source="staff:b", **facts)
    receipts.undo(source="staff:a", at=money.now.at)
    assert receipts.note(source="staff:b", **facts).pk != first.pk


def test_a_worker_that_was_stopped_after_it_took_an_order_asks_instead_of_sending(
    money: Money, payer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have settled it meanwhile: what was taken long ago is never sent."""
    given = debit(money, payer)
    claim = services.claim

    def claim_and_sleep(**order: Any) -> Any:
        taken = claim(**order)
        money.now.at += timedelta(minutes=6)
        return taken

    monkeypatch.setattr(services, "claim", claim_and_sleep)
    money.settle()
    assert money.calls(given) == 0
    assert (money.fresh(given).state, money.fresh(given).reason) == (State.FAILED, "never_arrived")


def test_a_payment_of_the_rail_that_is_booked_already_waits_for_a_person(money: Money, payer: Any) -> None:
    first, second = debit(money, payer), debit(money, payer)
    told = payment_rail.Accepted(
        order_id=first.order_id, reference="77", amount_minor=500_000, currency="VND", value_at=money.now.at
    )
    services.settle(instruction_id=first.pk, answer=told, at=money.now.at)
    services.settle(instruction_id=second.pk, answer=replace(told, order_id=second.order_id), at=money.now.at)
    assert (money.fresh(first).state, money.fresh(second).state) == (State.SUCCEEDED, State.MISMATCH)
    with pytest.raises(refusals.NotReconcilable):
        services.reconcile(instruction_id=second.pk, amount_minor=500_000, at=money.now.at, actor=SYSTEM)
    services.reconcile(instruction_id=second.pk, amount_minor=0, at=money.now.at, actor=SYSTEM)
    assert money.fresh(second).state == State.FAILED


def _shifted(body: bytes) -> bytes:
    """A callback in which the bank's reference is called the amount that went back: the values keep their order, so the
    provider's signature still fits."""
    fields = json.loads(body)
    told = {name: value for name, value in fields.items() if name not in ("reversal_amount", "rrn")}
    return json.dumps(told | {"response_zero": fields["reversal_amount"], "reversal_amount": fields["rrn"]}).encode()


def test_a_callback_with_shifted_fields_is_only_a_reason_to_ask(
    money: Money, payer: Any, client_of_the_rail: Any
) -> None:
    given = debit(money, payer)
    money.settle()
    path, body, kind = next(one for one in money.callbacks if given.order_id.encode() in one[1])
    assert client_of_the_rail.post(path, data=_shifted(body), content_type=kind).status_code == 200  # the sum fits
    money.settle()
    done = money.fresh(given)
    assert (done.state, done.returned_minor) == (State.SUCCEEDED, 0)
    assert [one.outcome for one in selectors.notices_of(given.order_id)] == ["known", "asked"]


def test_a_forged_success_of_an_order_that_failed_changes_nothing(money: Money, payer: Any) -> None:
    money.dial("recurring", "decline", "1037")
    given = debit(money, payer)
    money.settle()
    money.ask(given)
    assert money.fresh(given).state == State.FAILED
    assert money.calls(given) == 1


def test_money_that_moved_after_all_is_taken_in_though_it_was_given_up(money: Money, payer: Any) -> None:
    """The network kept our order for longer than a provider may take to know it."""
    given = debit(money, payer)
    services.claim(instruction_id=given.pk, provider="fondy", merchant="1700002", at=money.now.at)
    money.jobs.waiting.clear()
    never = payment_rail.Declined(
        order_id=given.order_id, reason=payment_rail.Reason.NEVER_ARRIVED, hint=payment_rail.Hint.RETRY_LATER
    )
    services.settle(instruction_id=given.pk, answer=never, at=money.now.at)
    late = payment_rail.Accepted(
        order_id=given.order_id, reference="r1", amount_minor=given.amount_minor, currency="VND", value_at=money.now.at
    )
    services.settle(instruction_id=given.pk, answer=late, at=money.now.at)
    done = money.fresh(given)
    assert (done.state, done.reason, done.reference) == (State.SUCCEEDED, "", "r1")


def test_a_refund_taken_for_refused_that_moved_after_all_is_for_a_person(money: Money, payer: Any) -> None:
    given = debit(money, payer)
    money.settle()
    refund = services.give_refund(
        original_id=given.pk, amount_minor=100, key="back", then="", at=money.now.at, actor=SYSTEM
    )
    money.jobs.waiting.clear()
    Instruction.objects.filter(pk=refund.pk).update(state=State.FAILED, sent_at=money.now.at, settled_at=money.now.at)
    late = payment_rail.Accepted(
        order_id=given.order_id, reference="r2", amount_minor=100, currency="VND", value_at=money.now.at
    )
    services.settle(instruction_id=refund.pk, answer=late, at=money.now.at)
    assert money.fresh(refund).state == State.MISMATCH
    assert desk.item_of(services.RECONCILIATION, refund.pk) is not None


def test_the_pauses_between_questions_grow_to_a_day_and_the_sweep_asks_only_what_was_forgotten(
    money: Money, payer: Any
) -> None:
    given = debit(money, payer)
    services.claim(instruction_id=given.pk, provider="fondy", merchant="1700002", at=money.now.at)
    money.jobs.waiting.clear()
    pauses = []
    for _ in range(len(doubts.PAUSES) + 2):
        doubts.plan_question(instruction_id=given.pk, at=money.now.at)
        pauses.append((money.fresh(given).ask_at - money.now.at).total_seconds())
    assert pauses == [*doubts.PAUSES, doubts.PAUSES[-1], doubts.PAUSES[-1]]
    assert doubts.PAUSES[-1] == 86_400
    soon = money.now.at + timedelta(minutes=30)
    assert not selectors.forgotten(at=soon).exists()  # its job waits
    late = money.now.at + timedelta(days=1, minutes=6)
    assert [one.pk for one in selectors.forgotten(at=late)] == [given.pk]  # its job was lost
    doubts.take_up(found=money.fresh(given), at=late)
    assert not selectors.forgotten(at=late + timedelta(minutes=1)).exists()  # not each minute anew


def test_what_stays_in_doubt_for_a_day_comes_before_a_person_and_leaves_when_the_rail_answers(
    money: Money, payer: Any
) -> None:
    given = debit(money, payer)
    services.claim(instruction_id=given.pk, provider="fondy", merchant="1700002", at=money.now.at)
    money.jobs.waiting.clear()
    unknown = payment_rail.Unknown(order_id=given.order_id, why=payment_rail.Why.NO_ANSWER)
    services.settle(instruction_id=given.pk, answer=unknown, at=money.now.at)
    doubts.plan_question(instruction_id=given.pk, at=money.now.at + timedelta(hours=23))
    assert desk.item_of(services.RECONCILIATION, given.pk) is None
    later = money.now.at + timedelta(hours=25)
    doubts.plan_question(instruction_id=given.pk, at=later)
    case = desk.item_of(services.RECONCILIATION, given.pk)
    assert case is not None
    assert case.state == "open"
    late = payment_rail.Accepted(
        order_id=given.order_id, reference="r3", amount_minor=given.amount_minor, currency="VND", value_at=later
    )
    services.settle(instruction_id=given.pk, answer=late, at=later)
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("done", "settled")
