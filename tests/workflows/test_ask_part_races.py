"""A borrower asks for a part in two tabs at the same instant, or takes it back as a colleague agrees: one thing
happens, and money goes out at most once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from tests.apps.payments import money as rails
from tests.apps.servicing import loans
from tests.support import institutions as founding
from tests.workflows.test_ask_part import colleague
from tests.workflows.test_draw_part import in_parts
from usance.apps.access import services as access
from usance.apps.customers import selectors as customers
from usance.apps.customers import sign_in
from usance.apps.desk import services as desk
from usance.apps.desk.models import Approval
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.apps.payments import services
from usance.core.refusals import Refusal
from usance.ports import payment_rail
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import ask_part, one_time_codes

CARD = payment_rail.Card(token="t0ken", masked="444455XXXXXX1111", last4="1111", brand="VISA", expires_on=None)
AMOUNT = 1_000_000


class Stage:
    """A loan in parts with its borrower's card and a colleague, committed."""

    def __init__(self) -> None:
        self.founded = founding.found()
        with tenancy.bound(self.founded.pk), transaction.atomic(), rails.opened(self.founded) as money:
            self.party_id = money.customer(card="")
            self.card_id = services.keep_card(
                party_id=self.party_id, provider="fondy", merchant="1", told=CARD, at=rails.AT, org_path="root"
            ).pk
            self.loan = loans.lend(on=rails.ON, agreed=in_parts(), party_id=self.party_id)
            self.checker = colleague()

    def code(self) -> tuple[UUID, str]:
        with tenancy.bound(self.founded.pk), transaction.atomic():
            phone = customers.current_contact(self.party_id, "phone")
            assert phone is not None
            context = one_time_codes.part_context(loan_id=self.loan.pk, amount_minor=AMOUNT, card_id=self.card_id)
            issued = sign_in.issue_code(
                purpose=sign_in.GET_PART, to=phone.value, party_id=self.party_id, context=context, at=rails.AT
            )
            return issued.code_id, issued.code

    def ask(self, key: str, code_id: UUID, code: str) -> Any:
        return ask_part.ask(
            loan_id=self.loan.pk, amount_minor=AMOUNT, card_id=self.card_id, key=key, code_id=code_id, code=code,
            at=rails.AT,
        )  # fmt: skip

    def at_once(self, *acts: Callable[[], Any]) -> list[bool]:
        """Which of them came to something, all begun together."""
        together = Barrier(len(acts))

        def do(act: Callable[[], Any]) -> bool:
            try:
                with tenancy.bound(self.founded.pk), transaction.atomic():
                    tenancy.current()
                    together.wait()
                    return not isinstance(act(), Refusal)
            except Refusal:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(do, acts))

    def states(self) -> list[str]:
        with tenancy.bound(self.founded.pk), transaction.atomic():
            return list(Approval.objects.order_by("id").values_list("state", flat=True))

    def payouts(self) -> int:
        with tenancy.bound(self.founded.pk), transaction.atomic():
            return payments.for_subject(self.loan.pk).filter(kind="payout").count()


@pytest.fixture
def stage(fresh_db: str) -> Stage:
    return Stage()


def test_the_same_form_sent_twice_at_the_same_instant_asks_once(stage: Stage) -> None:
    code_id, code = stage.code()
    assert stage.at_once(*(lambda: stage.ask("k", code_id, code) for _each in range(3))) == [True, True, True]
    assert stage.states() == ["proposed"]


def test_two_tabs_at_the_same_instant_ask_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "PAUSES", (0, 0, 0, 0, 0))
    codes = [stage.code(), stage.code()]
    tabs = [lambda key=key, code=code: stage.ask(str(key), *code) for key, code in enumerate(codes)]
    assert sorted(stage.at_once(*tabs)) == [False, True]
    assert stage.states() == ["proposed"]


def test_taken_back_as_a_colleague_agrees_it_is_one_of_the_two(stage: Stage) -> None:
    code_id, code = stage.code()
    with tenancy.bound(stage.founded.pk), transaction.atomic():
        row = stage.ask("k", code_id, code)
    agreed, taken_back = stage.at_once(
        lambda: desk.approve(approval_id=row.pk, checker=stage.checker, at=rails.AT),
        lambda: ask_part.take_back(approval_id=row.pk, actor=borrower(stage.party_id), at=rails.AT),
    )
    assert agreed != taken_back
    assert (stage.states(), stage.payouts()) == ((["approved"], 1) if agreed else (["withdrawn"], 0))


def test_two_colleagues_who_agree_at_the_same_instant_send_it_once(stage: Stage) -> None:
    code_id, code = stage.code()
    with tenancy.bound(stage.founded.pk), transaction.atomic():
        row = stage.ask("k", code_id, code)
        other = colleague("accountant")
        access.grant_role(user=other, role="cashier", actor=SYSTEM)
    both = (stage.checker, other)
    done = stage.at_once(*(lambda who=who: desk.approve(approval_id=row.pk, checker=who, at=rails.AT) for who in both))
    assert sorted(done) == [False, True]
    assert (stage.states(), stage.payouts()) == (["approved"], 1)
