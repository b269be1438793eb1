"""A message leaves at most once, never outside the law of contact, and says what became of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.messaging.conftest import KYIV, MAIL, PHONE, FakeMessenger, Life, kyiv, new_party
from usance.apps.audit import selectors as audit_trail
from usance.apps.customers import consents, selectors
from usance.apps.customers import services as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.messaging import catalogue, contact_rules, guard, services
from usance.apps.messaging import selectors as messages
from usance.apps.messaging.models import Message, OptOut
from usance.ports import actor as actors
from usance.ports.actor import SYSTEM
from usance.ports.messenger import Declined, DeliveryState, Reason, Unknown, Why

DUE = {"reference": "L-1", "amount_minor": 123_450, "due_on": date(2026, 3, 5), "link": "https://example.com/a"}
TOLD = {"reference": "L-1", "amount_minor": 123_450, "outstanding_minor": 0}
CODE = {"code": "123456", "minutes": 10}


def remind(party_id: UUID, moment: datetime, template: str = "due_tomorrow", **more: Any) -> Message:
    key = more.pop("key", str(uuid4()))
    made = services.send(template=template, key=key, moment=moment, party_id=party_id, context=DUE, **more)
    assert made is not None
    return made


def fresh(message: Message | None) -> Message:
    assert message is not None
    return Message.objects.get(pk=message.pk)


def test_a_reminder_inside_the_hours_is_sent_in_the_borrowers_language(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    message = remind(party_id, life.at(kyiv(2, 12)))
    assert message.state == "queued"
    life.at(kyiv(2, 12))
    assert fresh(message).state == "sent"
    life.at(kyiv(2, 12, 1))
    assert fresh(message).state == "delivered"
    assert post.sent[0].to == PHONE
    text = post.sent[0].text
    assert "нагадуємо" in text
    assert "1\xa0234,50\xa0₴" in text
    assert "5 бер. 2026" in text


def test_outside_the_hours_it_is_held_until_the_next_opening_and_leaves_then(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    message = remind(party_id, life.at(kyiv(6, 21)))
    assert (message.state, message.held_until) == ("held", kyiv(9, 9))
    for moment in (kyiv(6, 22), kyiv(7, 12), kyiv(9, 8, 59)):
        life.at(moment)
        assert fresh(message).state == "held"
    life.at(kyiv(9, 9))
    assert fresh(message).state == "sent"
    assert fresh(message).contact_on == date(2026, 3, 9)
    assert post.times == [kyiv(9, 9)]


def test_the_pushed_business_date_releases_a_held_message_too(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    message = remind(party_id, life.at(kyiv(6, 21)))
    item = institutions.items_due(date(2026, 3, 9)).get()
    assert (item.kind, item.subject_id, item.due_on) == ("message.release", message.pk, date(2026, 3, 9))
    agenda.move_business_date(to=date(2026, 3, 9), ahead_days=3)
    moment = datetime.combine(item.due_on, item.at_time, KYIV)
    assert services.release(message_id=message.pk, moment=moment - timedelta(minutes=1)) == "held"
    assert services.release(message_id=message.pk, moment=moment) == "queued"
    life.at(kyiv(6, 21, 5))  # real time is still Friday evening: the planned moment stands for it
    assert len(post.sent) == 1
    assert services.release(message_id=message.pk, moment=moment) != "held"
    life.at(kyiv(9, 9))
    assert len(post.sent) == 1


def test_a_job_that_gets_its_turn_at_night_does_not_wake_anyone(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    message = remind(party_id, kyiv(2, 19, 30))
    assert message.state == "queued"
    life.at(kyiv(2, 23))  # the worker was down in between
    assert (fresh(message).state, fresh(message).held_until) == ("held", kyiv(3, 9))
    life.at(kyiv(3, 9))
    assert post.times == [kyiv(3, 9)]


def test_over_the_count_of_the_day_it_is_refused_with_the_reason(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    states = [remind(party_id, kyiv(2, 12 + n)).state for n in range(3)]
    assert states == ["queued", "queued", "refused"]
    assert Message.objects.get(state="refused").reason == "daily_count_reached"
    assert remind(new_party(phone="+380671110000"), kyiv(2, 12)).state == "queued"  # another person's day
    assert remind(party_id, kyiv(3, 12)).state == "queued"  # another day


def test_answers_to_the_customer_leave_at_any_hour_and_count_for_nothing(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    now = life.at(kyiv(7, 23))
    for n in range(5):
        sent = services.send(template="payment_received", key=f"p{n}", moment=now, party_id=party_id, context=TOLD)
        assert sent is not None
        assert sent.state == "queued"
    life.at(now)
    assert len(post.sent) == 5
    assert remind(party_id, kyiv(9, 9)).state == "queued"


def test_whatever_would_be_untrue_at_the_next_opening_is_not_kept_for_it(party_id: UUID) -> None:
    message = remind(party_id, kyiv(7, 12), good_until=date(2026, 3, 7))
    assert (message.state, message.reason) == ("refused", "too_late")
    assert remind(party_id, kyiv(7, 12), good_until=date(2026, 3, 9)).state == "held"


def test_holidays_of_the_calendar_are_kept(party_id: UUID) -> None:
    agenda.set_holidays(days={date(2026, 3, 9): "a holiday"})
    assert remind(party_id, kyiv(9, 12)).held_until == kyiv(10, 9)


def test_a_country_without_a_rule_gets_no_reminders(party_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "RULE", "no such rule")
    assert remind(party_id, kyiv(2, 12)).reason == "no_contact_rule"


def test_opted_out_is_respected_where_one_may_opt_out(party_id: UUID) -> None:
    order = {"party_id": party_id, "purpose": "reminder", "channel": "sms", "actor": SYSTEM, "at": kyiv(2, 9)}
    services.opt_out(**order, source="page")
    services.opt_out(**order, source="page")
    assert remind(party_id, kyiv(2, 12)).reason == "opted_out"
    assert remind(party_id, kyiv(2, 12), channel="email").state == "queued"
    late = {**DUE, "as_of": date(2026, 3, 2)}
    told = services.send(template="past_due", key="late", moment=kyiv(2, 12), party_id=party_id, context=late)
    assert fresh(told).state == "queued"
    services.opt_in(**order)
    assert OptOut.objects.filter(ended_at=None).count() == 0
    with pytest.raises(AssertionError):
        services.opt_out(**{**order, "purpose": "collection"}, source="page")


def test_offers_need_a_consent(party_id: UUID) -> None:
    consents.install_texts(on=date(2026, 3, 1))

    def offer(key: str) -> str:
        context = {"link": "https://example.com"}
        return fresh(
            services.send(template="offer", key=key, moment=kyiv(3, 12), party_id=party_id, context=context)
        ).state

    assert offer("one") == "refused"
    text = consents.text_in_force("marketing", "uk", date(2026, 3, 2))
    on = date(2026, 3, 2)
    consents.give(party_id=party_id, purpose="marketing", text_id=text.pk, actor=SYSTEM, at=kyiv(2, 9), on=on)
    assert offer("two") == "queued"


def test_the_same_key_is_one_message(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    one, two = (remind(party_id, kyiv(2, 12), key="same") for _ in range(2))
    assert one.pk == two.pk
    life.at(kyiv(2, 12))
    assert len(post.sent) == 1


def test_unknown_is_never_sent_again(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    post.answer = lambda key: Unknown(key=key, why=Why.NO_ANSWER)
    now = life.at(kyiv(2, 12))
    message = services.send(template="code_sign_in", key="c", moment=now, party_id=party_id, to=PHONE, context=CODE)
    life.at(now)
    assert (fresh(message).state, fresh(message).reason) == ("unknown", "no_answer")
    life.jobs.put("messaging.deliver", {"message_id": str(fresh(message).pk)}, key=None, run_at=None)
    life.at(kyiv(2, 12, 5))
    assert len(post.sent) == 1


def test_a_message_that_a_dead_worker_had_in_hand_is_unknown(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    message = remind(party_id, kyiv(2, 12))
    Message.objects.update(state="sending")
    life.at(kyiv(2, 12))
    assert (fresh(message).state, fresh(message).reason, post.sent) == ("unknown", "interrupted", [])


def test_a_code_that_has_expired_is_not_sent(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    now = kyiv(2, 12)
    order = {"template": "code_sign_in", "moment": now, "to": PHONE, "context": CODE, "language": "uk"}
    message = services.send(key="c", useless_after=now + timedelta(minutes=10), **order)
    life.at(kyiv(2, 12, 10))
    assert (fresh(message).reason, post.sent) == ("too_late", [])
    assert bytes(fresh(message).sealed_to) == b""  # nobody's customer: no erasure would reach it


def test_a_code_is_hidden_once_it_was_sent_and_from_staff_always(
    party_id: UUID, post: FakeMessenger, life: Life
) -> None:
    now = life.at(kyiv(2, 23))
    message = services.send(template="code_sign_in", key="c", moment=now, party_id=party_id, to=PHONE, context=CODE)
    clerk = actors.staff(uuid4())
    assert "123456" not in services.read(message_id=fresh(message).pk, actor=clerk).body
    life.at(now)
    assert "123456" in post.sent[0].text
    assert "123456" not in services.open_words(fresh(message)).body
    assert audit_trail.who_looked(fresh(message)).count() == 1


@pytest.mark.parametrize(
    ("delivery", "reason", "state", "usable"),
    [
        (DeliveryState.DELIVERED, None, "delivered", True),
        (DeliveryState.FAILED, Reason.EXPIRED, "failed", True),
        (DeliveryState.FAILED, Reason.UNREACHABLE, "failed", False),
    ],
)
def test_what_became_of_it_is_asked_and_kept(
    party_id: UUID,
    post: FakeMessenger,
    life: Life,
    delivery: DeliveryState,
    reason: Reason | None,
    state: str,
    usable: bool,
) -> None:
    post.delivery, post.reason = delivery, reason
    message = remind(party_id, kyiv(2, 12))
    life.at(kyiv(2, 12))
    assert fresh(message).state == "sent"
    life.at(kyiv(2, 12, 1))
    assert fresh(message).state == state
    assert bool(selectors.current_contact(party_id, "phone")) == usable


def test_asking_ends(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    post.delivery = DeliveryState.WAITING
    message = remind(party_id, kyiv(2, 12))
    for day in range(2, 20):
        for hour in (1, 12, 13, 23):
            life.at(kyiv(day, hour))
    assert fresh(message).state == "sent"
    assert post.polls == 6
    assert len(post.sent) == 1


def test_declined_is_failed_with_the_reason(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    post.answer = lambda key: Declined(key=key, reason=Reason.UNREACHABLE)
    message = remind(party_id, kyiv(2, 12))
    life.at(kyiv(2, 12))
    assert (fresh(message).state, fresh(message).reason) == ("failed", "unreachable")
    assert (
        services.send(template="payment_received", key="x", moment=kyiv(2, 13), party_id=party_id, context=TOLD) is None
    )


def test_tell_uses_every_verified_channel(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    now = life.at(kyiv(2, 12))
    order = {"template": "payment_received", "moment": now, "context": TOLD}
    assert len(services.tell(party_id=party_id, key="t", **order)) == 2
    assert len(services.tell(party_id=new_party(phone="+380671110000"), key="u", **order)) == 1
    life.at(now)
    assert {sent.to for sent in post.sent} == {PHONE, MAIL, "+380671110000"}
    assert len(messages.messages(party_id=party_id)) == 2
    assert messages.counts(date(2026, 3, 2)) == {"sent": 3}


def test_what_waits_can_be_called_back(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    loan = uuid4()
    held = remind(party_id, kyiv(7, 12), subject=("servicing.loan", loan))
    queued = remind(party_id, kyiv(2, 12), subject=("servicing.loan", loan))
    assert services.cancel_waiting(subject_id=loan, purposes=["reminder"], reason="loan_closed") == 2
    life.at(kyiv(9, 12))
    assert post.sent == []
    assert {fresh(held).reason, fresh(queued).reason} == {"loan_closed"}


OWN = [t for t, about in catalogue.TEMPLATES.items() if about.purpose in ("reminder", "collection")]
orders = st.lists(
    st.tuples(
        st.integers(0, 14 * 24 * 60),  # minutes after the first of March at which it is ordered
        st.integers(0, 600),  # minutes until a worker is there
        st.sampled_from(OWN),
        st.sampled_from(["sms", "email"]),
    ),
    max_size=12,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(orders=orders)
def test_nothing_of_our_own_initiative_ever_leaves_outside_the_law(
    party_id: UUID, post: FakeMessenger, life: Life, orders: list[tuple[int, int, str, str]]
) -> None:
    person = new_party(phone=f"+38067{uuid4().int % 10**7:07d}", mail=MAIL)
    post.sent.clear()
    post.times.clear()
    life.jobs.waiting.clear()
    agenda.set_holidays(days={date(2026, 3, 9): "a holiday"})
    context = {**DUE, "as_of": date(2026, 3, 2), "card": "•••• 1111", "debit_on": date(2026, 3, 5)}
    first = kyiv(1, 0)
    moments = {first + timedelta(hours=6 * n) for n in range(4 * 18)}
    for n, (minute, wait, template, channel) in enumerate(orders):
        moment = first + timedelta(minutes=minute)
        services.send(
            template=template, key=f"{person}{n}", moment=moment, party_id=person, channel=channel, context=context
        )
        moments.add(moment + timedelta(minutes=wait))
    for moment in sorted(moments):
        life.at(moment.astimezone(UTC))
    rule = contact_rules.parse(institutions.rule("UA", "contact", date(2026, 3, 2)))
    days = [moment.astimezone(KYIV).date() for moment in post.times]
    for moment in post.times:
        assert contact_rules.is_open(rule, moment.astimezone(KYIV), lambda day: day == date(2026, 3, 9))
    assert all(days.count(day) <= rule.per_day for day in days)
    waiting = Message.objects.filter(party_id=person, state__in=["queued", "held", "sending"])
    assert not waiting.exists()  # and nothing is forgotten


def test_a_person_who_was_erased_in_between_hears_nothing(party_id: UUID, post: FakeMessenger, life: Life) -> None:
    message = remind(party_id, kyiv(2, 12))
    customers.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=kyiv(2, 12))
    life.at(kyiv(2, 12))
    assert (fresh(message).state, fresh(message).reason, post.sent) == ("refused", "person_erased", [])
