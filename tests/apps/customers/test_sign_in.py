"""Codes are short-lived, counted, bound to what they are for; a new device asks for a second fact; abuse is capped."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.customers.conftest import AT, ON, PHONE
from usance.apps.customers import devices, selectors, services, sign_in
from usance.apps.customers.models import OneTimeCode
from usance.apps.customers.refusals import (
    CodeExpired,
    CodeForSomethingElse,
    CodeTooSoon,
    CodeUsedUp,
    CodeWrong,
    PhoneNotValid,
    SecondFactLocked,
    SecondFactWrong,
    TooManyCodes,
)
from usance.ports.actor import SYSTEM

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CONTEXT = {"document": "ab" * 32, "amount_minor": 5_000_000}


def issue(at: Any = AT, to: str = PHONE, **more: Any) -> sign_in.Issued:
    return sign_in.issue_code(purpose=more.pop("purpose", "sign_in"), to=to, at=at, **more)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def begin(issued: sign_in.Issued, code: str = "", token: str = "", at: Any = AT) -> sign_in.SignInAnswer:
    return sign_in.begin(
        code_id=issued.code_id, code=code or issued.code, device_token=token, language="vi", at=at, on=ON
    )


def test_the_code_itself_is_not_in_the_database(party_id: UUID) -> None:
    issued = issue()
    row = OneTimeCode.objects.values().get(pk=issued.code_id)
    assert len(issued.code) == 6
    for value in row.values():
        stored = bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode()
        assert issued.code.encode() not in stored
        assert PHONE.encode() not in stored
    assert issued.code not in repr(issued)


def test_spaces_and_dashes_do_not_matter_and_a_code_works_once(party_id: UUID) -> None:
    issued = issue()
    typed = f" {issued.code[:3]}-{issued.code[3:]} "
    assert isinstance(sign_in.check_code(code_id=issued.code_id, code=typed, at=AT), sign_in.CodeRight)
    assert isinstance(sign_in.check_code(code_id=issued.code_id, code=typed, at=AT), CodeExpired)


def test_five_wrong_answers_and_the_right_one_no_longer_helps(party_id: UUID) -> None:
    issued = issue()
    answers = [sign_in.check_code(code_id=issued.code_id, code=wrong(issued.code), at=AT) for _ in range(5)]
    assert [getattr(answer, "left", None) for answer in answers] == [4, 3, 2, 1, None]
    assert isinstance(answers[0], CodeWrong)
    assert isinstance(answers[4], CodeUsedUp)
    assert isinstance(sign_in.check_code(code_id=issued.code_id, code=issued.code, at=AT), CodeUsedUp)


def test_a_code_expires_after_ten_minutes(party_id: UUID) -> None:
    issued = issue()
    late = AT + 10 * MINUTE
    assert isinstance(sign_in.check_code(code_id=issued.code_id, code=issued.code, at=late), CodeExpired)
    answer = sign_in.check_code(code_id=issued.code_id, code=issued.code, at=late - SECOND)
    assert isinstance(answer, sign_in.CodeRight)
    assert isinstance(sign_in.check_code(code_id=uuid4(), code="000000", at=AT), CodeExpired)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    other=st.sampled_from(
        [{}, {**CONTEXT, "amount_minor": 5_000_001}, {**CONTEXT, "document": "cd" * 32}, {"amount_minor": 5_000_000}]
    )
)
def test_a_signing_code_is_good_for_its_document_and_amount_only(party_id: UUID, other: dict[str, Any]) -> None:
    OneTimeCode.objects.update(issued_at=AT - timedelta(days=2))  # examples share a database: forget the last one
    issued = issue(purpose="sign_agreement", party_id=party_id, context=CONTEXT)
    refused = sign_in.check_code(code_id=issued.code_id, code=issued.code, context=other, at=AT)
    assert isinstance(refused, CodeForSomethingElse)
    right = sign_in.check_code(code_id=issued.code_id, code=issued.code, context=CONTEXT, at=AT)
    assert isinstance(right, sign_in.CodeRight)


def test_a_signing_code_does_not_sign_in(party_id: UUID) -> None:
    issued = issue(purpose="sign_agreement", party_id=party_id)
    assert isinstance(begin(issued), CodeExpired)


def test_an_unknown_phone_becomes_a_party_with_a_known_device(institution: Any) -> None:
    answer = begin(issue(to="0912 000 111"))
    assert isinstance(answer, sign_in.SignedIn)
    assert answer.is_new_party
    assert selectors.party_with_phone("+84912000111") == answer.party_id
    again = begin(issue(to="0912000111", at=AT + HOUR), token=answer.device_token, at=AT + HOUR)
    assert again == sign_in.SignedIn(answer.party_id, answer.device_id, answer.device_token, False, False)


def test_a_new_device_asks_for_a_second_fact(party_id: UUID) -> None:
    issued = issue()
    assert begin(issued) == sign_in.SecondFactNeeded(issued.code_id, ("birth_date",))
    refused = sign_in.answer_second_fact(code_id=issued.code_id, birth_date=date(1984, 5, 18), at=AT)
    assert isinstance(refused, SecondFactWrong)
    assert refused.left == 4
    answer = sign_in.answer_second_fact(code_id=issued.code_id, birth_date=date(1984, 5, 17), at=AT)
    assert isinstance(answer, sign_in.SignedIn)
    assert devices.is_known(party_id=party_id, token=answer.device_token)
    # the same code does not begin a second session
    once_more = sign_in.answer_second_fact(code_id=issued.code_id, birth_date=date(1984, 5, 17), at=AT)
    assert isinstance(once_more, CodeExpired)


def test_the_last_four_digits_are_a_second_fact_too_but_an_empty_answer_is_not(party_id: UUID) -> None:
    services.set_identity_number(
        party_id=party_id, number="087084000999", source="applicant", actor=SYSTEM, at=AT, on=ON
    )
    issued = issue()
    assert begin(issued) == sign_in.SecondFactNeeded(issued.code_id, ("birth_date", "last_four"))
    assert isinstance(sign_in.answer_second_fact(code_id=issued.code_id, at=AT), SecondFactWrong)
    answer = sign_in.answer_second_fact(code_id=issued.code_id, last_four=" 0999", at=AT)
    assert isinstance(answer, sign_in.SignedIn)


def test_wrong_second_facts_are_counted_over_all_codes_of_a_day(party_id: UUID) -> None:
    def guess(at: Any) -> sign_in.SecondFactAnswer:
        issued = issue(at=at)
        begin(issued, at=at)
        return sign_in.answer_second_fact(code_id=issued.code_id, birth_date=date(1970, 1, 1), at=at)

    answers = [guess(AT + n * HOUR) for n in range(6)]
    assert [type(answer) for answer in answers] == [SecondFactWrong] * 4 + [SecondFactLocked] * 2
    locked = issue(at=AT + 6 * HOUR)
    begin(locked, at=AT + 6 * HOUR)
    right = {"birth_date": date(1984, 5, 17)}
    assert isinstance(sign_in.answer_second_fact(code_id=locked.code_id, at=AT + 6 * HOUR, **right), SecondFactLocked)
    tomorrow = AT + 30 * HOUR
    later = issue(at=tomorrow)
    begin(later, at=tomorrow)
    answer = sign_in.answer_second_fact(code_id=later.code_id, at=tomorrow, **right)
    assert isinstance(answer, sign_in.SignedIn)


def test_the_second_fact_needs_the_right_code_first(party_id: UUID) -> None:
    issued = issue()
    assert isinstance(begin(issued, code=wrong(issued.code)), CodeWrong)
    answer = sign_in.answer_second_fact(code_id=issued.code_id, birth_date=date(1984, 5, 17), at=AT)
    assert isinstance(answer, CodeExpired)


def test_a_forgotten_device_is_asked_again(institution: Any) -> None:
    first = begin(issue())
    assert isinstance(first, sign_in.SignedIn)
    facts = {"birth_date": date(1984, 5, 17)}
    services.state_facts(party_id=first.party_id, facts=facts, source="applicant", actor=SYSTEM, at=AT, on=ON)
    device = devices.of_party(first.party_id).get()
    devices.forget(party_id=first.party_id, device_id=device.pk, actor=SYSTEM, at=AT)
    again = begin(issue(at=AT + HOUR), token=first.device_token, at=AT + HOUR)
    assert isinstance(again, sign_in.SecondFactNeeded)


def test_the_next_code_waits_longer_each_time(institution: Any) -> None:
    issued = issue()
    with pytest.raises(CodeTooSoon) as refused:
        issue(at=AT + 10 * SECOND)
    assert refused.value.seconds == 21
    assert issued.resend_at == AT + 30 * SECOND
    assert issue(at=issued.resend_at).resend_at == issued.resend_at + 60 * SECOND


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(pauses=st.lists(st.integers(min_value=1, max_value=3000), min_size=60, max_size=60))
def test_a_phone_never_gets_more_codes_than_the_cap_however_fast_they_are_asked_for(
    institution: Any, pauses: list[int]
) -> None:
    OneTimeCode.objects.update(issued_at=AT - timedelta(days=30))
    now, sent = AT, []
    for pause in pauses:
        now += pause * SECOND
        try:
            issue(at=now)
        except (CodeTooSoon, TooManyCodes):
            continue
        sent.append(now)
    for end in sent:
        assert sum(end - HOUR < at <= end for at in sent) <= sign_in.PER_PHONE_HOUR
        assert sum(end - 24 * HOUR < at <= end for at in sent) <= sign_in.PER_PHONE_DAY


def test_an_attacker_at_one_address_is_stopped_while_others_are_served(institution: Any) -> None:
    refused = 0
    for n in range(200):
        try:
            issue(to=f"+8491{n:07d}", address="203.0.113.7", at=AT + n * SECOND)
        except TooManyCodes:
            refused += 1
    assert refused == 200 - sign_in.PER_ADDRESS_HOUR
    assert issue(to="+84987654321", address="198.51.100.1", at=AT + 201 * SECOND).code


def test_codes_asked_for_by_others_leave_the_signing_codes_alone(party_id: UUID) -> None:
    now = AT
    for _ in range(sign_in.PER_PHONE_HOUR):
        now = issue(at=now).resend_at
    with pytest.raises(TooManyCodes):
        issue(at=now)
    assert issue(purpose="sign_agreement", party_id=party_id, context=CONTEXT, at=now).code


def test_a_code_that_others_ask_for_does_not_end_mine(party_id: UUID) -> None:
    mine = issue()
    issue(at=AT + MINUTE)
    assert isinstance(begin(mine, at=AT + MINUTE), sign_in.SecondFactNeeded)


def test_a_code_that_i_replace_is_no_longer_good(party_id: UUID) -> None:
    mine = issue()
    sign_in.replace_code(code_id=mine.code_id, at=AT)
    assert isinstance(begin(mine), CodeExpired)


def test_phones_abroad_get_no_codes(institution: Any) -> None:
    with pytest.raises(PhoneNotValid):
        issue(to="+380671234567")
