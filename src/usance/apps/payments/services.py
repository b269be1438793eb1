"""Giving instructions to payment rails and recording what became of them. No network here: `tasks` calls the rails.

An instruction goes created -> sent -> (unknown | pending)* -> succeeded | failed | mismatch. Only the first step may be
cancelled. `settle` is the one place where an answer takes effect, whoever brought it: the reply, a status query or a
callback; what it says twice has one effect.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.customers import channels, vault
from usance.apps.desk import services as desk
from usance.apps.institutions import rows, tenancy
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions.models import new_id
from usance.apps.payments import cards, doubts, selectors
from usance.apps.payments.doubts import RECONCILIATION, leave_to_a_person
from usance.apps.payments.models import Card, InboundNotice, Instruction
from usance.apps.payments.refusals import (
    CardNotUsable,
    InstructionUnderWay,
    NotReconcilable,
    RefundTooLarge,
)
from usance.ports.actor import SYSTEM, Actor
from usance.ports.payment_rail import Accepted, Answer, Declined, Hint, Opened, Unknown, Why
from usance.ports.queue import enqueue

Kind, State = Instruction.Kind, Instruction.State
WAITING = {Why.WAITING_FOR_PAYER, Why.PROCESSING}
NOTICE_BODY = "payments_inboundnotice.body"
require_payable, token_of, keep_card = cards.require_payable, cards.token_of, cards.keep_card
remove_card, unblock_card = cards.remove_card, cards.unblock_card


def forget(*, party_id: UUID) -> None:
    """Erasure: of cards and of what the rail told us only that there was one stays; orders, amounts and the rail's
    references are books, and stay."""
    for card in Card.objects.select_for_update().filter(party_id=party_id):
        card.token, card.token_index = b"", secrets.token_hex(32)  # an index of nothing, and of nobody else's card
        card.last4, card.brand, card.expires_on, card.state = "", "", None, Card.State.REMOVED
        card.save(update_fields=["token", "token_index", "last4", "brand", "expires_on", "state"])
    orders = Instruction.objects.filter(party_id=party_id).values("order_id")
    InboundNotice.objects.filter(order_id__in=orders).exclude(processed_at=None).update(body=b"")


def give(
    *,
    kind: str,
    key: str,
    amount_minor: int,
    party_id: UUID,
    subject_type: str,
    subject_id: UUID,
    then: str,
    description: str,
    at: datetime,
    actor: Actor,
    card_id: UUID | None = None,
    refunds_id: UUID | None = None,
    language: str = "en",
    details: Mapping[str, Any] | None = None,
    org_path: str = "root",
) -> Instruction:
    """A new instruction, sent by a job once this transaction commits; the same key again gives the first one.
    Raises CardNotUsable, CardWaits."""
    known = Instruction.objects.filter(key=key).first()
    if known:
        return known
    if card_id and kind == Kind.PAYOUT:
        require_payable(card_id=card_id, party_id=party_id, at=at)
    elif card_id and not Card.objects.filter(selectors.usable_cards(), pk=card_id, party_id=party_id).exists():
        raise CardNotUsable()
    institution, made_id = tenancy.current(), new_id()
    instruction = Instruction(
        id=made_id,
        order_id=f"{institution.code}-{made_id.hex}",
        kind=kind,
        key=key,
        amount_minor=amount_minor,
        currency=institution.currency,
        party_id=party_id,
        card_id=card_id,
        refunds_id=refunds_id,
        subject_type=subject_type,
        subject_id=subject_id,
        then=then,
        description=description,
        language=language,
        details=dict(details or {}),
        ahead_days=institution.ahead_days,
        given_at=at,
        org_path=org_path,
    )
    if not rows.insert_new(instruction):
        return Instruction.objects.get(key=key)
    audit.record(
        action=f"payments.{kind}_given", subject=instruction, actor=actor, details={"amount_minor": amount_minor}
    )
    enqueue("payments.send_instruction", instruction_id=str(made_id))
    return instruction


def give_refund(
    *, original_id: UUID, amount_minor: int, key: str, then: str, at: datetime, actor: Actor
) -> Instruction:
    """Sends back part or all of what a successful instruction brought in; raises RefundTooLarge."""
    original = Instruction.objects.select_for_update().get(pk=original_id, state=State.SUCCEEDED)
    known = Instruction.objects.filter(key=key).first()
    if known:
        return known
    left = selectors.refundable_minor(original)
    if amount_minor > left:
        raise RefundTooLarge(left_minor=left)
    return give(
        kind=Kind.REFUND,
        key=key,
        amount_minor=amount_minor,
        party_id=original.party_id,
        subject_type=original.subject_type,
        subject_id=original.subject_id,
        then=then,
        description=original.description,
        at=at,
        actor=actor,
        refunds_id=original.pk,
        org_path=original.org_path,
    )


def claim(*, instruction_id: UUID, provider: str, merchant: str, at: datetime) -> Instruction | None:
    """Marks an instruction as sent, before it is: None when it was sent, cancelled or settled already. From here on it
    may have reached the rail, so it is never sent again."""
    instruction = (
        Instruction.objects.select_for_update(of=("self",)).select_related("card", "refunds").get(pk=instruction_id)
    )
    if instruction.state != State.CREATED:
        return None
    instruction.state, instruction.sent_at = State.SENT, at
    instruction.provider, instruction.merchant = provider, merchant
    instruction.save(update_fields=["state", "sent_at", "provider", "merchant"])
    return instruction


def cancel(*, instruction_id: UUID, at: datetime, actor: Actor) -> Instruction:
    """Takes back an instruction that was not sent; raises InstructionUnderWay."""
    instruction = Instruction.objects.select_for_update().get(pk=instruction_id)
    if instruction.state != State.CREATED:
        raise InstructionUnderWay()
    instruction.state, instruction.settled_at = State.CANCELLED, at
    instruction.save(update_fields=["state", "settled_at"])
    audit.record(action="payments.cancelled", subject=instruction, actor=actor, details={})
    if instruction.then:
        enqueue(instruction.then, instruction_id=str(instruction.pk))
    return instruction


def page_opened(*, instruction_id: UUID, opened: Opened) -> None:
    """The rail's page is ready for the payer."""
    instruction = Instruction.objects.select_for_update().get(pk=instruction_id)
    if instruction.is_open:
        instruction.page_url, instruction.state = opened.url, State.PENDING
        instruction.save(update_fields=["page_url", "state"])


def settle(*, instruction_id: UUID, answer: Answer, at: datetime) -> Instruction:
    """Takes in what a rail said of an instruction. A final state stays, but for two cases: money that the rail took
    back after success is noted and handed to the job `then`, and so is money that moved after all."""
    instruction = Instruction.objects.select_for_update(of=("self",)).select_related("card").get(pk=instruction_id)
    if instruction.state == State.SUCCEEDED and isinstance(answer, Accepted):
        _note_return(instruction, answer)
    moved_after_all = instruction.state == State.FAILED and isinstance(answer, Accepted)
    if moved_after_all and _is_answered_by_a_person(instruction):
        return instruction
    if not instruction.is_open and not moved_after_all:
        return instruction
    if isinstance(answer, Unknown):
        instruction.state = State.PENDING if answer.why in WAITING else State.UNKNOWN
        instruction.raw_code = answer.code
        instruction.save(update_fields=["state", "raw_code"])
        return instruction
    if isinstance(answer, Declined):
        _fail(instruction, answer, at)
    elif not _may_be_booked(instruction, answer):
        _mismatch(instruction, answer, at)
    else:
        _succeed(instruction, answer, at)
    if instruction.then:
        enqueue(instruction.then, instruction_id=str(instruction.pk))
    doubts.close(instruction, at)
    return instruction


def _may_be_booked(instruction: Instruction, answer: Accepted) -> bool:
    """What disagrees with our order, was booked already, or is a refund that we took for refused (the borrower's money
    is on the loan again, and may be used) is for a person."""
    if instruction.state == State.FAILED and instruction.kind == Kind.REFUND:
        return False
    agrees = answer.agrees_with(instruction.amount_minor, instruction.currency)
    return agrees and not _is_taken(instruction, answer.reference)


def _is_answered_by_a_person(instruction: Instruction) -> bool:
    """Somebody looked at the rail's claim before, and found that nothing had moved."""
    return "told_minor" in instruction.details


def _fail(instruction: Instruction, answer: Declined, at: datetime) -> None:
    instruction.state, instruction.settled_at = State.FAILED, at
    instruction.reason, instruction.hint, instruction.raw_code = answer.reason, answer.hint, answer.code
    instruction.reference = answer.reference
    instruction.save(update_fields=["state", "settled_at", "reason", "hint", "raw_code", "reference"])
    if answer.hint == Hint.DROP_TOKEN and instruction.card_id:
        Card.objects.filter(pk=instruction.card_id, state=Card.State.ACTIVE).update(state=Card.State.DEAD)
    audit.record(
        action=f"payments.{instruction.kind}_failed",
        subject=instruction,
        actor=SYSTEM,
        details={"why": answer.reason},
    )


def _succeed(instruction: Instruction, answer: Accepted, at: datetime) -> None:
    instruction.state, instruction.settled_at = State.SUCCEEDED, at
    instruction.reference, instruction.reason, instruction.hint = answer.reference, "", ""
    # a rail that names no time was asked just now, in business time
    instruction.value_at = answer.value_at or at + timedelta(days=instruction.ahead_days)
    if instruction.kind == Kind.CARD_LINK and answer.card.token:
        instruction.card = _keep_card(instruction, answer, at)
    told = ["state", "settled_at", "reference", "reason", "hint", "value_at", "card"]
    instruction.save(update_fields=told)
    audit.record(
        action=f"payments.{instruction.kind}_succeeded",
        subject=instruction,
        actor=SYSTEM,
        details={"amount_minor": instruction.amount_minor},
    )
    _note_return(instruction, answer)


def _is_taken(instruction: Instruction, reference: str) -> bool:
    """Whether the rail's payment of this number has been booked for another instruction already."""
    same = Instruction.objects.filter(
        provider=instruction.provider, kind=instruction.kind, reference=reference, state=State.SUCCEEDED
    )
    return bool(reference) and same.exclude(pk=instruction.pk).exists()


def _mismatch(instruction: Instruction, answer: Accepted, at: datetime) -> None:
    """Another amount or currency than ours is never booked by itself: a person looks."""
    instruction.state, instruction.settled_at = State.MISMATCH, at
    instruction.reference, instruction.value_at = answer.reference, answer.value_at
    instruction.details |= {"told_minor": answer.amount_minor, "told_currency": answer.currency}
    instruction.save(update_fields=["state", "settled_at", "reference", "value_at", "details"])
    details = {
        "asked_minor": instruction.amount_minor,
        "told_minor": answer.amount_minor,
        "told_currency": answer.currency,
    }
    audit.record(action="payments.mismatch", subject=instruction, actor=SYSTEM, details=details)
    leave_to_a_person(instruction_id=instruction.pk, at=at)


def _note_return(instruction: Instruction, answer: Accepted) -> None:
    """Success, then the rail took money back: what is new of it is handed on once. What we had it send back ourselves
    is no loss."""
    if instruction.kind in (Kind.CARD_LINK, Kind.REFUND):
        return
    if answer.reversed_minor <= instruction.returned_minor:
        return
    returned = answer.reversed_minor - selectors.refunded_minor(instruction.pk)
    if returned <= instruction.returned_minor:
        return
    instruction.returned_minor = returned
    instruction.save(update_fields=["returned_minor"])
    audit.record(
        action="payments.taken_back",
        subject=instruction,
        actor=SYSTEM,
        details={"returned_minor": returned},
    )
    if instruction.then:
        enqueue(instruction.then, instruction_id=str(instruction.pk))


def _keep_card(instruction: Instruction, answer: Accepted, at: datetime) -> Card:
    """The card is the customer's; where it takes the place of another one, money waits."""
    changed = selectors.had_card_before(instruction.party_id, but_for=instruction.subject_id)
    return keep_card(
        party_id=instruction.party_id,
        provider=instruction.provider,
        merchant=instruction.merchant,
        told=answer.card,
        org_path=instruction.org_path,
        at=at,
        payout_from=institutions.moment(tenancy.current(), at) + channels.WAIT if changed else None,
    )


def block_card(*, card_id: UUID, actor: Actor, at: datetime) -> Card:
    """Its owner says that somebody else linked it: nothing goes to it or comes from it any more, and money that has not
    left yet stays."""
    card = Card.objects.select_for_update().get(pk=card_id)
    if card.state != Card.State.BLOCKED:
        card.state = Card.State.BLOCKED
        card.save(update_fields=["state"])
        audit.record(action="payments.card_blocked", subject=card, actor=actor, details={})
    for waiting in Instruction.objects.filter(card=card, state=State.CREATED).order_by("id"):
        with contextlib.suppress(InstructionUnderWay):  # a worker took it in this very moment
            cancel(instruction_id=waiting.pk, at=at, actor=actor)
    return card


def receive_notice(
    *, provider: str, event_id: str, order_id: str, body: bytes, content_type: str, at: datetime
) -> bool:
    """Stores a verified callback raw, sealed, and enqueues its processing; False when it came before."""
    made = new_id()
    sealed = vault.seal_bytes(body, party_id=None, field=NOTICE_BODY)
    is_new = rows.insert_new(
        InboundNotice(
            id=made,
            provider=provider,
            event_id=event_id,
            order_id=order_id,
            body=sealed,
            content_type=content_type,
            received_at=at,
        )
    )
    if is_new:
        enqueue("payments.process_notice", notice_id=str(made))
    return is_new


def finish_notice(*, notice_id: UUID, outcome: str, at: datetime) -> None:
    InboundNotice.objects.filter(pk=notice_id, processed_at__isnull=True).update(processed_at=at, outcome=outcome)


def reconcile(*, instruction_id: UUID, amount_minor: int, at: datetime, actor: Actor, note: str = "") -> Instruction:
    """A person found out what really moved, where the rail spoke of another amount: what we asked for, what the rail
    said (money coming in only), or 0 for nothing. Raises NotReconcilable."""
    instruction = Instruction.objects.select_for_update().get(pk=instruction_id)
    possible = {0, instruction.amount_minor}
    if (
        instruction.kind in (Kind.CHECKOUT, Kind.DEBIT)
        and instruction.details.get("told_currency") == instruction.currency
    ):
        possible.add(instruction.told_minor or 0)
    if instruction.state != State.MISMATCH or amount_minor not in possible:
        raise NotReconcilable()
    if amount_minor and _is_taken(instruction, instruction.reference):
        raise NotReconcilable()
    instruction.state = State.SUCCEEDED if amount_minor else State.FAILED
    instruction.details |= {"reconciled_minor": amount_minor} if amount_minor else {}
    instruction.value_at = instruction.value_at or instruction.settled_at
    instruction.save(update_fields=["state", "details", "value_at"])
    details = {"amount_minor": amount_minor, "note": note[:300]}
    audit.record(action="payments.reconciled", subject=instruction, actor=actor, details=details)
    moment = institutions.moment(tenancy.current(), at)
    desk.finish_of(queue=RECONCILIATION, subject_id=instruction.pk, outcome="reconciled", actor=actor, at=moment)
    if instruction.then:
        enqueue(instruction.then, instruction_id=str(instruction.pk))
    return instruction


def ask_now(*, instruction_id: UUID, actor: Actor) -> None:
    """A person wants to know at once what became of an instruction: the rail is asked, nothing is sent again."""
    instruction = Instruction.objects.get(pk=instruction_id)
    name = "payments.send_instruction" if instruction.state == State.CREATED else "payments.ask_status"
    audit.record(action="payments.asked", subject=instruction, actor=actor, details={})
    enqueue(name, key=f"ask_now:{instruction.pk}", instruction_id=str(instruction.pk))
