"""Codes travel from the request to the phone; reminders fall due around a due date and are sent while they are true."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.apps.messaging.conftest import KYIV, MAIL, PHONE, FakeMessenger, Life, kyiv, new_party
from usance.apps.customers import channels, selectors, sign_in
from usance.apps.customers.refusals import CodeExpired, CodeForSomethingElse, CodeWrong, PhoneOfSomeoneElse
from usance.apps.institutions import selectors as agenda
from usance.apps.institutions import services as institutions
from usance.apps.messaging.models import Message
from usance.ports import due
from usance.ports.actor import SYSTEM
from usance.workflows import changed_channels, one_time_codes, remind

NEW_PHONE = "+380671112233"


def code_in(order: Any) -> str:
    found = re.search(r"\d{6}", order.text)
    assert found
    return found[0]


def test_a_borrower_signs_up_with_the_code_that_reached_their_phone(
    ukraine: Any, post: FakeMessenger, life: Life
) -> None:
    now = life.at(kyiv(7, 23))  # codes are asked for by people, also on a Saturday night
    sent = one_time_codes.send_sign_in_code(phone="067 123 45 67", language="uk", address="203.0.113.7", at=now)
    assert sent.masked_to == "+380 •••• 4567"
    life.at(now)
    answer = sign_in.begin(
        code_id=sent.code_id, code=code_in(post.sent[0]), device_token="", language="uk", at=now, on=now.date()
    )
    assert isinstance(answer, sign_in.SignedIn)
    assert selectors.profile(answer.party_id).phone == PHONE
    assert bytes(Message.objects.get().sealed_to) == b""


def test_a_signing_code_names_the_amount_and_fits_this_document_only(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    now = life.at(kyiv(2, 12))
    deal: dict[str, Any] = {"application_id": uuid4(), "document_hash": "ab" * 32, "amount_minor": 500_000}
    sent = one_time_codes.send_signing_code(party_id=party_id, address="", at=now, **deal)
    life.at(now)
    assert "5\xa0000,00\xa0₴" in post.sent[0].text
    code = code_in(post.sent[0])
    for change in ({"amount_minor": 500_001}, {"document_hash": "cd" * 32}, {"application_id": uuid4()}):
        context = one_time_codes.signing_context(**{**deal, **change})
        answer = sign_in.check_code(code_id=sent.code_id, code=code, context=context, at=now)
        assert isinstance(answer, CodeForSomethingElse)
    context = one_time_codes.signing_context(**deal)
    right = sign_in.check_code(code_id=sent.code_id, code=code, context=context, at=now)
    assert isinstance(right, sign_in.CodeRight)
    assert right.party_id == party_id


def test_a_changed_phone_is_proved_waits_and_the_old_one_is_told(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    now = life.at(kyiv(2, 12))
    sent = changed_channels.send_phone_code(party_id=party_id, phone="067 111 22 33", address="", at=now)
    life.at(now)
    order: dict[str, Any] = {"party_id": party_id, "code_id": sent.code_id, "actor": SYSTEM, "at": now}
    code = code_in(post.sent[0])
    assert isinstance(changed_channels.confirm_phone(code="x", **order), CodeWrong)
    stranger = {**order, "party_id": new_party(phone="+380500000001")}
    assert isinstance(changed_channels.confirm_phone(code=code, **stranger), CodeExpired)  # not their code at all
    change = changed_channels.confirm_phone(code=code, **order)
    assert isinstance(change, channels.ChannelChange)
    life.at(now)
    assert {sent.to for sent in post.sent} == {NEW_PHONE, PHONE, MAIL}
    assert selectors.party_with_phone(PHONE) == party_id
    now = life.at(kyiv(3, 12))
    changed_channels.count(str(change.pk))
    assert selectors.party_with_phone(NEW_PHONE) == party_id
    assert selectors.party_with_phone(PHONE) is None
    assert [contact.ended_at for contact in selectors.contacts(party_id, "phone")] == [None, now]


def test_no_page_can_replace_a_phone_at_once(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    now = life.at(kyiv(2, 12))
    sent = one_time_codes.send_contact_code(party_id=party_id, channel="phone", value=NEW_PHONE, address="", at=now)
    life.at(now)
    order: dict[str, Any] = {"party_id": party_id, "code_id": sent.code_id, "actor": SYSTEM, "at": now}
    with pytest.raises(one_time_codes.MustWait):
        one_time_codes.confirm_contact(code=code_in(post.sent[0]), **order)


def test_a_phone_that_is_anothers_cannot_be_taken_even_with_its_code(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    other = new_party(phone=NEW_PHONE)
    now = life.at(kyiv(2, 12))
    sent = changed_channels.send_phone_code(party_id=party_id, phone=NEW_PHONE, address="", at=now)
    life.at(now)
    with pytest.raises(PhoneOfSomeoneElse):
        changed_channels.confirm_phone(
            party_id=party_id, code_id=sent.code_id, code=code_in(post.sent[0]), actor=SYSTEM, at=now
        )
    assert selectors.party_with_phone(NEW_PHONE) == other


class Calendar:
    """A loan as its standing columns tell it, and the days going by."""

    def __init__(self, party_id: UUID, due_on: date) -> None:
        self.due_on = due_on
        self.loan = SimpleNamespace(pk=uuid4(), party_id=party_id, number="L-1", org_path="root", amount=50_000)
        self.paid = False
        self.set(due_on - timedelta(days=20))

    def set(self, on: date) -> None:
        owed = 0 if self.paid else self.loan.amount
        late = (on - self.due_on).days if owed and on > self.due_on else 0
        self.loan.checkpoint_on, self.loan.days_past_due = on, late
        self.loan.next_due_on = self.due_on if owed and not late else None
        self.loan.next_due_minor = owed if self.loan.next_due_on else 0
        self.loan.past_due_minor = owed if late else 0
        self.loan.due_now_minor = owed if on >= self.due_on else 0

    def plan(self, on: date, revision: int = 1) -> None:
        remind.plan(loan_id=self.loan.pk, due_dates=[self.due_on], on=on, revision=revision)

    def live(self, life: Life, first: date, last: date, pay_on: date | None = None) -> list[tuple[date, str]]:
        """The days [first, last]: each begins with what falls due on it; messages leave. Gives what was done."""
        done, day = [], first
        while day <= last:
            self.paid = self.paid or day == pay_on
            self.set(day)
            for item in agenda.items_due(day):
                moment = datetime.combine(item.due_on, item.at_time, KYIV)
                life.at(moment)
                outcome = due.handler(item.kind)(due_item(item), moment)
                institutions.finish_item(item_id=item.pk, outcome=outcome, at=moment)
                done.append((day, f"{item.kind}: {outcome}"))
                life.at(moment)
            day += timedelta(days=1)
        return done


def due_item(row: Any) -> due.Item:
    names = ("id", "kind", "key", "due_on", "at_time", "subject_id", "org_path")
    return due.Item(**{name: getattr(row, name) for name in names})


@pytest.fixture
def calendar(party_id: UUID, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    made = Calendar(party_id, date(2026, 3, 18))  # a Wednesday
    monkeypatch.setattr(remind.loans, "loan", lambda loan_id: made.loan)
    monkeypatch.setattr(remind.loans, "owed", lambda loan_id: made.loan)
    return made


def templates() -> list[tuple[str, str]]:
    rows = Message.objects.filter(channel="sms").exclude(state="refused").order_by("moment", "id")
    return [(str(row.contact_on)[5:], row.template) for row in rows]


def test_reminders_come_before_on_and_after_the_due_date_until_it_is_paid(
    calendar: Calendar, post: FakeMessenger, life: Life
) -> None:
    calendar.plan(date(2026, 3, 1))
    calendar.live(life, date(2026, 3, 1), date(2026, 4, 30), pay_on=date(2026, 4, 20))
    assert templates() == [
        ("03-16", "due_in_3_days"),  # three days before is a Sunday: held until Monday
        ("03-17", "due_tomorrow"),
        ("03-18", "due_today"),
        ("03-19", "past_due"),
        ("03-23", "past_due"),  # three days after is a Saturday
        ("03-25", "past_due"),
        ("04-01", "past_due"),
        ("04-17", "past_due_serious"),
    ]
    mails = [order.to for order in post.sent if order.to == MAIL]
    assert len(mails) == 8
    assert all(9 <= at.astimezone(KYIV).hour < 20 and at.astimezone(KYIV).isoweekday() < 6 for at in post.times)


def test_a_paid_loan_hears_nothing(calendar: Calendar, post: FakeMessenger, life: Life) -> None:
    calendar.plan(date(2026, 3, 1))
    done = calendar.live(life, date(2026, 3, 1), date(2026, 6, 30), pay_on=date(2026, 3, 3))
    assert post.sent == []
    assert {word.split(": ")[1] for _, word in done} == {"not_needed"}


def test_a_closed_loan_takes_its_reminders_off_the_calendar(
    calendar: Calendar, post: FakeMessenger, life: Life
) -> None:
    calendar.plan(date(2026, 3, 1))
    remind.stop(loan_id=calendar.loan.pk, at=kyiv(2, 12))
    assert calendar.live(life, date(2026, 3, 1), date(2026, 6, 30)) == []
    calendar.plan(date(2026, 3, 3), revision=2)  # the payment came back: it owes again
    assert agenda.items_due(date(2026, 12, 31)).count() == 4


def test_after_an_extension_only_the_new_date_is_spoken_of(calendar: Calendar, post: FakeMessenger, life: Life) -> None:
    calendar.plan(date(2026, 3, 1))
    calendar.live(life, date(2026, 3, 1), date(2026, 3, 17))
    calendar.due_on = date(2026, 4, 15)
    calendar.plan(date(2026, 3, 17), revision=2)
    calendar.live(life, date(2026, 3, 18), date(2026, 4, 17))
    assert templates() == [
        ("03-16", "due_in_3_days"),
        ("03-17", "due_tomorrow"),
        ("04-13", "due_in_3_days"),  # three days before is a Sunday
        ("04-14", "due_tomorrow"),
        ("04-15", "due_today"),
        ("04-16", "past_due"),
    ]


def test_a_late_loan_that_is_planned_anew_goes_on_where_it_is(calendar: Calendar, life: Life, post: Any) -> None:
    calendar.set(date(2026, 3, 23))  # five days late
    calendar.plan(date(2026, 3, 23))
    kinds = [(item.kind, item.due_on) for item in agenda.items_due(date(2026, 12, 31))]
    assert kinds == [("remind.late_7", date(2026, 3, 25))]


def test_planning_twice_changes_nothing(calendar: Calendar) -> None:
    for _ in range(2):
        calendar.plan(date(2026, 3, 1))
    waiting = agenda.items_due(date(2026, 12, 31))
    assert sorted(item.kind for item in waiting) == sorted({"remind.late_1", *remind.EARLY_KINDS})


def test_every_kind_has_its_handler() -> None:
    assert {*remind.KINDS, "message.release"} <= due.kinds()
