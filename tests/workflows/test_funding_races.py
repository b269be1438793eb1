"""A borrower with two tabs: one asks for the money on another card, the other gives the loan up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db import connection, transaction

from tests.apps.payments import money as rails
from tests.support import institutions as founding
from tests.workflows.test_fund_loan import make_signed
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.apps.payments import services
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.refusals import Refusal
from usance.ports import payment_rail
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import fund_loan

CARD = payment_rail.Card(token="t0ken", masked="444455XXXXXX1111", last4="1111", brand="VISA", expires_on=None)
NO = payment_rail.Declined(
    order_id="", reason=payment_rail.Reason.ISSUER_DECLINED, hint=payment_rail.Hint.RETRY_LATER, code="1000"
)


def test_a_loan_is_not_given_up_while_its_money_is_being_sent(fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    founded = founding.found()
    with tenancy.bound(founded.pk), transaction.atomic(), rails.opened(founded) as money:
        application = make_signed(money, card="")
        card = services.keep_card(
            party_id=application.party_id, provider="fondy", merchant="1", told=CARD, at=rails.AT, org_path="root"
        )
        loan_id = _fund(application, card)
        refused = payments.latest(subject_id=loan_id, kind="payout")
        services.settle(instruction_id=refused.pk, answer=NO, at=rails.AT)
        fund_loan.payout_settled(str(refused.pk))  # the borrower may name another card, or leave
    both, asked = Barrier(2), payments.may_have_moved

    def slowly(**what: Any) -> bool:
        """Both ask before either has acted, if nothing keeps them from it."""
        answer = asked(**what)
        with suppress(BrokenBarrierError):
            both.wait(timeout=1)
        return answer

    cancel = servicing.cancel

    def cancelled_later(**what: Any) -> Any:
        time.sleep(0.5)  # the other tab commits first
        return cancel(**what)

    monkeypatch.setattr(fund_loan.payments, "may_have_moved", slowly)
    monkeypatch.setattr(fund_loan.servicing, "cancel", cancelled_later)

    def tab(act: Any) -> bool:
        try:
            with tenancy.bound(founded.pk), transaction.atomic():
                act()
            return True
        except Refusal:
            return False
        finally:
            connection.close()

    def leave() -> None:
        fund_loan.leave(application_id=application.pk, at=rails.AT, actor=borrower(application.party_id))

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(tab, [lambda: _fund(application, card), leave]))
    with tenancy.bound(founded.pk), transaction.atomic():
        on_its_way = payments.for_subject(loan_id).filter(state__in=payments.OPEN).exists()
        assert (done.count(True), loans.loan(loan_id).status) == (1, "approved" if on_its_way else "cancelled")


def _fund(application: Any, card: Any) -> Any:
    return fund_loan.fund(application_id=application.pk, card_id=card.pk, at=rails.AT, actor=SYSTEM)
