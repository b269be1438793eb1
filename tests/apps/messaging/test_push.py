"""Reminders go by push where a person allowed that, inside the hours and counts of contact, and by SMS and e-mail when
nobody saw them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.apps.messaging.conftest import MAIL, MONDAY, PHONE, FakeMessenger, Life, kyiv, new_party
from tests.apps.messaging.test_workflows import Calendar
from usance.apps.customers import consents, masking
from usance.apps.customers import selectors as customer_view
from usance.apps.customers import services as customers
from usance.apps.customers.refusals import ConsentTextOutdated
from usance.apps.institutions import tenancy
from usance.apps.messaging import catalogue, push, sending, services
from usance.apps.messaging import selectors as messages
from usance.apps.messaging.models import Message
from usance.ports import messenger, outside, registry
from usance.ports.actor import SYSTEM
from usance.workflows import remind

HERE = {"endpoint": "https://push.example/phone-1", "keys": {"auth": "a", "p256dh": "p"}}
LOCK_SCREEN = "Скоро ваш платіж. Відкрийте, щоб переглянути."


@dataclass
class FakeBrowsers:
    provider: str = "webpush"
    public_key: str = "key"
    sent: list[messenger.PushOrder] = field(default_factory=list)
    answer: Callable[[str], messenger.Answer] = lambda key: messenger.Accepted(key=key, reference="ref")

    def accepts(self, address: str) -> bool:
        return str(json.loads(address)["endpoint"]).startswith("https://push.example/")

    def send_push(self, order: messenger.PushOrder) -> messenger.Answer:
        outside.assert_outside_transaction()
        self.sent.append(order)
        return self.answer(order.key)


@pytest.fixture
def browsers(ukraine: Any) -> FakeBrowsers:
    made = FakeBrowsers()
    registry.put(registry.PUSH, made)
    consents.install_texts(on=date(2026, 3, 1))
    return made


def allow(party_id: UUID, address: Any = HERE, day: int = 2) -> None:
    text = consents.text_to_show("push_reminders", "uk", MONDAY)
    push.allow(
        party_id=party_id,
        address=json.dumps(address),
        text_id=text.pk,
        actor=SYSTEM,
        at=kyiv(day, 9),
        on=date(2026, 3, day),
        evidence=consents.evidence_of("203.0.113.7"),
    )


def stop(party_id: UUID) -> None:
    push.stop(party_id=party_id, because="test", actor=SYSTEM, at=kyiv(2, 10), on=MONDAY)


@pytest.fixture
def calendar(browsers: FakeBrowsers, party_id: UUID, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """A loan that is due on the 4th, and a customer who allowed pushes."""
    made = Calendar(party_id, date(2026, 3, 4))
    monkeypatch.setattr(remind.loans, "loan", lambda loan_id: made.loan)
    monkeypatch.setattr(remind.loans, "owed", lambda loan_id: made.loan)
    made.set(date(2026, 3, 3))
    allow(party_id)
    return made


def remind_now(calendar: Calendar, life: Life) -> Message:
    """The reminder of the day before, at ten on the 3rd; handed to the push service."""
    remind.remind(remind.EARLY[1], subject_id=calendar.loan.pk, due_on=date(2026, 3, 3), moment=life.at(kyiv(3, 10)))
    life.at(kyiv(3, 10))
    return Message.objects.get(channel="push")


def told(post: FakeMessenger) -> list[str]:
    return [order.to for order in post.sent]


def test_a_reminder_goes_by_push_alone_and_says_nothing_of_the_loan(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, life: Life
) -> None:
    message = remind_now(calendar, life)
    (order,) = browsers.sent
    assert (message.state, message.provider, message.language) == ("sent", "webpush", "uk")
    assert (order.title, order.text) == ("Demo ua", LOCK_SCREEN)
    assert json.loads(order.to) == HERE
    assert order.good_for_s == 2 * 3600
    assert post.sent == []
    assert sending.record_seen(message_id=message.pk, now=kyiv(3, 10, 1))
    life.at(kyiv(3, 23))
    message.refresh_from_db()
    assert (message.state, post.sent) == ("delivered", [])


@pytest.mark.parametrize("language", list(catalogue.LANGUAGES))
def test_no_lock_screen_shows_a_figure_or_a_name(language: str) -> None:
    texts = catalogue.LANGUAGES[language].PUSH
    assert set(texts) == {"reminder", "collection"}
    for text in texts.values():
        assert not any(sign.isdigit() or sign in "{}" for sign in text)


def test_what_nobody_saw_in_two_hours_is_said_by_sms_and_e_mail(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, life: Life
) -> None:
    message = remind_now(calendar, life)
    life.at(kyiv(3, 11, 59))
    assert post.sent == []
    life.at(kyiv(3, 12))
    life.at(kyiv(3, 12))
    message.refresh_from_db()
    assert (message.state, message.reason) == ("failed", "expired")
    assert sorted(told(post)) == sorted([PHONE, MAIL])
    assert "500,00" in post.sent[0].text
    assert not sending.record_seen(message_id=UUID(int=0), now=kyiv(3, 13))
    assert sending.record_seen(message_id=message.pk, now=kyiv(3, 13))  # too late, and no harm
    message.refresh_from_db()
    assert message.state == "failed"


def test_what_is_no_longer_true_is_not_said_again(
    calendar: Calendar, post: FakeMessenger, browsers: FakeBrowsers, life: Life
) -> None:
    remind_now(calendar, life)
    calendar.paid = True
    calendar.set(date(2026, 3, 3))
    life.at(kyiv(3, 13))
    assert post.sent == []


def test_a_dead_browser_is_never_tried_again(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, life: Life, party_id: UUID
) -> None:
    browsers.answer = lambda key: messenger.Declined(key=key, reason=messenger.Reason.UNREACHABLE, code="410")
    message = remind_now(calendar, life)
    life.at(kyiv(3, 10))
    assert (message.state, message.reason) == ("failed", "unreachable")
    assert sorted(told(post)) == sorted([PHONE, MAIL])
    assert customer_view.current_contact(party_id, "push") is None
    calendar.set(date(2026, 3, 4))
    remind.remind(remind.EARLY[2], subject_id=calendar.loan.pk, due_on=date(2026, 3, 4), moment=life.at(kyiv(4, 10)))
    life.at(kyiv(4, 10))
    assert len(browsers.sent) == 1
    assert len(post.sent) == 4


@pytest.mark.parametrize("hour", [19, 20])
def test_a_push_keeps_to_the_hours_also_on_a_phone_that_was_off(
    calendar: Calendar, browsers: FakeBrowsers, life: Life, hour: int
) -> None:
    """It may be shown until eight in the evening, and not after; what comes later waits for the morning."""
    remind.remind(
        remind.EARLY[1], subject_id=calendar.loan.pk, due_on=date(2026, 3, 3), moment=life.at(kyiv(3, hour, 30))
    )
    life.at(kyiv(3, hour, 30))
    message = Message.objects.get(channel="push")
    if hour == 19:
        assert [order.good_for_s for order in browsers.sent] == [1800]
    else:
        assert (message.state, message.held_until) == ("held", kyiv(4, 9))
        assert browsers.sent == []


def test_a_push_is_a_contact_and_counts_for_the_day(calendar: Calendar, party_id: UUID, life: Life) -> None:
    remind_now(calendar, life)
    due = {"reference": "L-1", "amount_minor": 1, "due_on": date(2026, 3, 5), "link": "/"}

    def another(key: str) -> str:
        made = services.send(template="due_tomorrow", key=key, moment=kyiv(3, 11), party_id=party_id, context=due)
        assert made is not None
        return made.state

    assert [another("b"), another("c")] == ["queued", "refused"]


def test_the_person_may_stop_it_and_opt_out_of_it(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, party_id: UUID, life: Life
) -> None:
    def allowed() -> bool:
        return push.contact_of(party_id, purpose="reminder", on=MONDAY) is not None

    assert allowed()
    about: dict[str, Any] = {"party_id": party_id, "purpose": "reminder", "actor": SYSTEM, "at": kyiv(2, 9)}
    services.opt_out(**about, channel="push", source="page")
    assert not allowed()
    services.opt_in(**about, channel="push")
    for channel in ("sms", "email"):
        services.opt_out(**about, channel=channel, source="page")
    assert not messages.wants_none(party_id, purpose="reminder")  # a push is still wanted
    services.opt_out(**about, channel="push", source="page")
    assert messages.wants_none(party_id, purpose="reminder")
    services.opt_in(**about, channel="push")
    stop(party_id)
    stop(party_id)
    assert not allowed()
    assert [row.ended_because for row in customers.Contact.objects.filter(kind="push")] == ["withdrawn"]
    given = consents.consents_of(party_id).get(purpose="push_reminders")
    assert given.withdrawn_at is not None
    assert given.text.language == "uk"
    assert "address" in given.evidence


def test_a_consent_that_is_taken_back_while_the_push_waits_for_morning_is_kept(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, party_id: UUID, life: Life
) -> None:
    evening = life.at(kyiv(3, 20, 30))
    remind.remind(remind.EARLY[1], subject_id=calendar.loan.pk, due_on=date(2026, 3, 3), moment=evening)
    push.stop(party_id=party_id, because="test", actor=SYSTEM, at=evening, on=date(2026, 3, 3))
    calendar.set(date(2026, 3, 4))
    life.at(kyiv(4, 9))
    message = Message.objects.get(channel="push")
    assert (message.state, message.reason, browsers.sent) == ("refused", "no_consent", [])
    life.at(kyiv(4, 9))
    assert sorted(told(post)) == sorted([PHONE, MAIL])


def test_one_device_at_a_time_and_never_two_people_on_one(browsers: FakeBrowsers, party_id: UUID) -> None:
    other = new_party(phone="+380671110000")
    second = HERE | {"endpoint": "https://push.example/phone-2"}
    allow(party_id)
    allow(party_id)  # the same again changes nothing
    allow(party_id, second)
    assert [
        row.ended_because for row in customers.Contact.objects.filter(kind="push").order_by("recorded_at", "id")
    ] == [
        "replaced",
        "",
    ]
    allow(other, second)  # the phone was sold, or lent
    assert push.contact_of(party_id, purpose="reminder", on=MONDAY) is None
    found = push.contact_of(other, purpose="reminder", on=MONDAY)
    assert found is not None
    assert json.loads(found.value) == second


@pytest.mark.parametrize(
    "address",
    [
        "",
        "null",
        "[]",
        "{",
        '{"endpoint": 1}',
        json.dumps(HERE | {"endpoint": "https://elsewhere.example/"}),
        "[" * 9000,
    ],
    ids=["empty", "null", "list", "cut", "no keys", "unknown service", "deep"],
)
def test_an_address_that_is_none_is_refused_and_changes_nothing(
    browsers: FakeBrowsers, party_id: UUID, address: str
) -> None:
    text = consents.text_to_show("push_reminders", "uk", MONDAY)
    order: dict[str, Any] = {"party_id": party_id, "actor": SYSTEM, "at": kyiv(2, 9), "on": MONDAY, "evidence": {}}
    with pytest.raises(push.PushAddressNotTaken):
        push.allow(address=address, text_id=text.pk, **order)
    assert not consents.consents_of(party_id).exists()
    assert not customers.Contact.objects.filter(kind="push").exists()


def test_agreeing_to_older_words_is_not_enough(browsers: FakeBrowsers, party_id: UUID) -> None:
    old = consents.text_to_show("push_reminders", "uk", MONDAY)
    consents.add_text(purpose="push_reminders", version=2, language="uk", title="t", body="b", on=MONDAY)
    with pytest.raises(ConsentTextOutdated):
        push.allow(
            party_id=party_id,
            address=json.dumps(HERE),
            text_id=old.pk,
            actor=SYSTEM,
            at=kyiv(2, 9),
            on=MONDAY,
            evidence={},
        )


def test_the_address_is_sealed_erased_and_never_shown(browsers: FakeBrowsers, party_id: UUID) -> None:
    allow(party_id)
    row = customers.Contact.objects.get(kind="push")
    assert b"push.example" not in bytes(row.sealed)
    assert masking.push(json.dumps(HERE)) == "push.example"
    assert masking.push("nonsense") == "••••"
    customers.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=kyiv(2, 12))
    assert push.contact_of(party_id, purpose="reminder", on=MONDAY) is None
    row.refresh_from_db()
    assert row.mac is None


def test_a_browser_may_be_quicker_than_the_push_services_answer(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, life: Life
) -> None:
    def shown_first(key: str) -> messenger.Answer:
        sending.record_seen(message_id=UUID(key), now=kyiv(3, 10))
        return messenger.Unknown(key=key, why=messenger.Why.NO_ANSWER)

    browsers.answer = shown_first
    assert remind_now(calendar, life).state == "delivered"
    life.at(kyiv(3, 13))
    assert post.sent == []


def test_silence_of_the_push_service_is_followed_by_an_sms_not_by_another_push(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, life: Life
) -> None:
    browsers.answer = lambda key: messenger.Unknown(key=key, why=messenger.Why.NO_ANSWER)
    assert remind_now(calendar, life).state == "unknown"
    life.at(kyiv(3, 10))
    assert len(browsers.sent) == 1
    # the push may have been seen, so it counts: one of the two others is over the count of the day
    assert len(post.sent) == 1


def test_a_ticket_of_somebody_else_opens_nothing(calendar: Calendar, life: Life) -> None:
    message = remind_now(calendar, life)
    good = sending.ticket(message)
    assert sending.message_of(good) == message.pk
    for wrong in (
        "",
        "x",
        message.pk.hex,
        f"{message.pk.hex}:",
        f"{UUID(int=1).hex}:{good.rsplit(':', 1)[1]}",
        good + "x",
    ):
        assert sending.message_of(wrong) is None


def test_without_keys_nothing_is_offered_or_sent(
    calendar: Calendar, browsers: FakeBrowsers, post: FakeMessenger, life: Life
) -> None:
    """The keys were taken out of the configuration while a push waited."""
    moment = life.at(kyiv(3, 10) - timedelta(minutes=1))
    remind.remind(remind.EARLY[1], subject_id=calendar.loan.pk, due_on=date(2026, 3, 3), moment=moment)
    registry.install(registry.Registry())
    registry.put(registry.MESSENGER, post)
    assert push.public_key() == ""
    life.at(moment)
    life.at(moment)
    assert Message.objects.get(channel="push").reason == "configuration"
    assert sorted(told(post)) == sorted([PHONE, MAIL])
    assert tenancy.current().code == "ua"
