"""The jobs that talk to payment rails: always outside a transaction, each safe to run again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from usance.apps.customers import vault
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments import doubts, selectors, services
from usance.apps.payments.models import Instruction
from usance.ports import clock, payment_rail, registry
from usance.ports.payment_rail import (
    Answer,
    DebitOrder,
    HostedOrder,
    Opened,
    OrderKind,
    PaymentRail,
    PayoutOrder,
    RefundOrder,
    Unknown,
    Why,
)
from usance.ports.queue import task

log = structlog.get_logger("usance.payments")

Kind = Instruction.Kind
ORDER_KINDS = {
    Kind.CARD_LINK: OrderKind.LINK_CARD,
    Kind.CHECKOUT: OrderKind.PURCHASE,
    Kind.DEBIT: OrderKind.DEBIT,
    Kind.PAYOUT: OrderKind.PAYOUT,
    Kind.REFUND: OrderKind.PURCHASE,
}
ANSWERED = (Instruction.State.MISMATCH, Instruction.State.CANCELLED)  # by a person; others the rail may still change
PAGE_LIFETIME_S = 1800
SILENT = (Why.NO_ANSWER, Why.BUSY, Why.UNREADABLE, Why.BAD_SIGNATURE)  # the rail is not well: an operator should see it
SEND_WITHIN = timedelta(seconds=30)  # far below the time after which "no such order" is final


@task("payments.send_instruction")
def send_instruction(instruction_id: str) -> None:
    """Sends an instruction once. A worker that dies here leaves it `sent`: the next run asks instead of sending."""
    with transaction.atomic():
        institution = tenancy.current()
        rail = registry.payment_rail(institution.code)
        callback_url = selectors.callback_url(institution.pk, rail.provider)
        base_url = institutions.base_url(institution.pk)
        instruction = services.claim(
            instruction_id=UUID(instruction_id), provider=rail.provider, merchant=rail.merchant, at=clock.now()
        )
        token = services.token_of(instruction.card) if instruction and instruction.card else ""
    if instruction is None or _too_late(instruction):
        ask_status(instruction_id)
        return
    answer = _call(rail, instruction, token=token, callback_url=callback_url, base_url=base_url)
    _take_in(instruction, answer)


def _too_late(instruction: Instruction) -> bool:
    """Whether this worker was stopped for so long since it took the instruction that somebody else may have settled
    it: then it is asked about, not sent."""
    return instruction.sent_at is None or clock.now() - instruction.sent_at > SEND_WITHIN


def _call(
    rail: PaymentRail, instruction: Instruction, *, token: str, callback_url: str, base_url: str
) -> Answer | Opened:
    """The one call to the rail that an instruction stands for."""
    common: dict[str, Any] = {
        "order_id": instruction.order_id,
        "amount_minor": instruction.amount_minor,
        "currency": instruction.currency,
        "description": instruction.description,
        "callback_url": callback_url,
    }
    if instruction.is_hosted:
        order = HostedOrder(
            **common,
            return_url=f"{base_url}/payments/{instruction.pk}/back/",
            language=instruction.language,
            lifetime_s=PAGE_LIFETIME_S,
        )
        return rail.open_card_link(order) if instruction.kind == Kind.CARD_LINK else rail.open_checkout(order)
    if instruction.kind == Kind.DEBIT:
        return rail.debit_card(DebitOrder(**common, token=token))
    if instruction.kind == Kind.PAYOUT:
        return rail.payout_to_card(PayoutOrder(**common, token=token))
    assert instruction.refunds is not None  # a check of the table says so
    return rail.refund(
        RefundOrder(
            order_id=instruction.refunds.order_id,
            refund_id=instruction.order_id,
            amount_minor=instruction.amount_minor,
            currency=instruction.currency,
            comment=instruction.description,
        )
    )


@task("payments.ask_status")
def ask_status(instruction_id: str) -> None:
    """Asks the rail what became of an instruction: the only way out of unknown."""
    with transaction.atomic():
        instruction = selectors.instruction(UUID(instruction_id))
        rail = registry.payment_rail(tenancy.current().code)
    if instruction.sent_at is None or instruction.state in ANSWERED:
        return
    if instruction.kind == Kind.REFUND and not instruction.is_open:  # asking would be saying it again
        return
    if instruction.kind == Kind.REFUND:
        answer = _refund_status(rail, instruction)
    else:
        answer = rail.status(order_id=instruction.order_id, kind=ORDER_KINDS[Kind(instruction.kind)])
    _take_in(instruction, payment_rail.settle(answer, sent_at=instruction.sent_at, at=clock.now()))


def _refund_status(rail: PaymentRail, instruction: Instruction) -> Answer:
    """A refund carries its own idempotency key at the rail, so asking is saying it once more with that key."""
    return _call(rail, instruction, token="", callback_url="", base_url="")  # type: ignore[return-value]


def _take_in(instruction: Instruction, answer: Answer | Opened) -> None:
    """Records what the rail said, and when to ask next if it did not say enough."""
    at = clock.now()
    if isinstance(answer, Unknown) and answer.why in SILENT:
        log.warning("rail.silent", why=answer.why, answer=answer.code or answer.detail, instruction=str(instruction.pk),
                    asked=instruction.asked_count)  # fmt: skip
    with transaction.atomic():
        if isinstance(answer, Opened):
            services.page_opened(instruction_id=instruction.pk, opened=answer)
        else:
            services.settle(instruction_id=instruction.pk, answer=answer, at=at)
        if isinstance(answer, (Opened, Unknown)):
            doubts.plan_question(instruction_id=instruction.pk, at=at)


@task("payments.process_notice")
def process_notice(notice_id: str) -> None:
    """Takes in a callback. What it says is compared with what we know; when it says something new, the rail itself is
    asked: a signature over values alone proves neither the fields nor that this is the latest word."""
    with transaction.atomic():
        notice = selectors.notice(UUID(notice_id))
        if notice.processed_at is not None:
            return
        rail = registry.payment_rail(tenancy.current().code)
        body = vault.unseal_bytes(notice.body, party_id=None, field=services.NOTICE_BODY)
        told = rail.parse_callback(body=body, content_type=notice.content_type)
        instruction = selectors.by_order(told.order_id)
        is_news = instruction is not None and selectors.is_news(instruction, told.answer)
    if instruction is not None and is_news:
        ask_status(str(instruction.pk))
    outcome = "unknown_order" if instruction is None else "asked" if is_news else "known"
    with transaction.atomic():
        services.finish_notice(notice_id=notice.pk, outcome=outcome, at=clock.now())


@task("payments.sweep")
def sweep() -> None:
    """Takes up open instructions whose job was lost: no money stays in the dark."""
    at = clock.now()
    with transaction.atomic():
        for found in selectors.forgotten(at=at):
            doubts.take_up(found=found, at=at)
