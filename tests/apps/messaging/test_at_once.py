"""Limits hold when several workers ask at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction

from tests.apps.messaging.conftest import PHONE, Life, kyiv, new_party
from tests.apps.messaging.test_sending import DUE
from tests.support import institutions
from usance.apps.customers import sign_in, vault
from usance.apps.institutions import tenancy
from usance.apps.messaging import services
from usance.core.refusals import Refusal

WORKERS = 6


@pytest.fixture
def institution_id(fresh_db: str, life: Life) -> UUID:
    founded = institutions.found("ua").pk
    with tenancy.bound(founded), transaction.atomic():
        vault.blind("x", kind="phone")  # the institution's keys are there: making them would queue the workers up
        vault.seal("x", party_id=None, field="x")
    return founded


def at_once(institution_id: UUID, act: Callable[[int], Any]) -> list[Any]:
    """Each worker does it in a transaction of its own; what is refused is the answer too."""

    def work(number: int) -> Any:
        try:
            with tenancy.bound(institution_id), transaction.atomic():
                return act(number)
        except Refusal as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, range(WORKERS)))


def test_one_phone_gets_one_code(institution_id: UUID) -> None:
    answers = at_once(institution_id, lambda n: sign_in.issue_code(purpose="sign_in", to=PHONE, at=kyiv(2, 12)).to)
    assert sorted(answers) == sorted([PHONE, *["code_too_soon"] * (WORKERS - 1)])


def test_one_phone_becomes_one_party(institution_id: UUID) -> None:
    with tenancy.bound(institution_id), transaction.atomic():
        codes = [sign_in.issue_code(purpose="sign_in", to=PHONE, at=kyiv(2, 12 + n)) for n in range(3)] * (WORKERS // 3)

    def begin(n: int) -> Any:
        answer = sign_in.begin(
            code_id=codes[n].code_id,
            code=codes[n].code,
            device_token="",
            language="uk",
            at=codes[n].expires_at.replace(minute=5),
            on=kyiv(2, 12).date(),
        )
        return answer.party_id if isinstance(answer, sign_in.SignedIn) else answer.code  # type: ignore[union-attr]

    answers = at_once(institution_id, begin)
    assert answers.count("code_expired") == WORKERS - 3  # each code once
    assert len({answer for answer in answers if answer != "code_expired"}) == 1


def test_the_count_of_the_day_is_not_overrun(institution_id: UUID) -> None:
    with tenancy.bound(institution_id), transaction.atomic():
        party_id = new_party()

    def remind(n: int) -> str:
        order = {"template": "due_tomorrow", "moment": kyiv(2, 12), "context": DUE}
        message = services.send(key=f"r{n}", party_id=party_id, **order)
        assert message is not None
        return str(message.state)

    assert sorted(at_once(institution_id, remind)) == ["queued"] * 2 + ["refused"] * (WORKERS - 2)


def test_one_key_is_one_message(institution_id: UUID) -> None:
    with tenancy.bound(institution_id), transaction.atomic():
        party_id = new_party()

    def send(n: int) -> UUID:
        context = {"reference": "L-1", "amount_minor": 1, "outstanding_minor": 0}
        order = {"template": "payment_received", "moment": kyiv(2, 12), "context": context}
        message = services.send(key="same", party_id=party_id, **order)
        assert message is not None
        return UUID(str(message.pk))

    assert len(set(at_once(institution_id, send))) == 1
