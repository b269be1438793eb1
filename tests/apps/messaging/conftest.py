"""A Ukrainian and a Vietnamese institution, a customer, a messenger that answers as it is told, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from usance.ports import clock, messenger, outside, queue, registry

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution

KYIV = ZoneInfo("Europe/Kyiv")
MONDAY = date(2026, 3, 2)
PHONE, MAIL = "+380671234567", "name@example.com"


def kyiv(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    """A moment of March 2026, in which the 2nd is a Monday."""
    return datetime(2026, month, day, hour, minute, tzinfo=KYIV)


@dataclass
class FakeMessenger:
    """Accepts everything, unless `answer` or `delivery` says otherwise; remembers what it was given and when."""

    provider: str = "fake"
    sent: list[messenger.SmsOrder | messenger.EmailOrder] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    polls: int = 0
    answer: Callable[[str], messenger.Answer] = lambda key: messenger.Accepted(key=key, reference=f"ref-{key}")
    delivery: messenger.DeliveryState = messenger.DeliveryState.DELIVERED
    reason: messenger.Reason | None = None

    def _take(self, order: messenger.SmsOrder | messenger.EmailOrder) -> messenger.Answer:
        outside.assert_outside_transaction()
        self.sent.append(order)
        self.times.append(clock.now())
        return self.answer(order.key)

    send_sms = send_email = _take

    def delivery_status(
        self, *, channel: messenger.Channel, references: Sequence[str]
    ) -> Mapping[str, messenger.Delivery]:
        outside.assert_outside_transaction()
        self.polls += 1
        return {
            reference: messenger.Delivery(reference=reference, state=self.delivery, reason=self.reason)
            for reference in references
        }

    def is_alive(self) -> bool:
        return True


@dataclass
class Life:
    """The institution's real time, and the jobs that are due in it."""

    jobs: queue.InlineQueue
    clock: clock.FrozenClock

    def at(self, moment: datetime) -> datetime:
        """It is now `moment`; what is due runs. Gives the moment back."""
        self.clock.at = moment.astimezone(UTC)
        self.jobs.waiting = type(self.jobs.waiting)(job for job in self.jobs.waiting if job.name[:9] == "messaging")
        self.jobs.run_pending(self.clock.at)
        return moment


@pytest.fixture
def post() -> Iterator[FakeMessenger]:
    fake = FakeMessenger()
    before = registry.install(registry.Registry())
    registry.put(registry.MESSENGER, fake)
    yield fake
    registry.install(before)


@pytest.fixture
def life() -> Iterator[Life]:
    from usance.apps.institutions import tenancy
    from usance.config.jobs import run_inline

    now = clock.FrozenClock(kyiv(2, 12).astimezone(UTC))
    jobs = queue.InlineQueue(run=run_inline, whose=tenancy.current_id)
    before_queue, before_clock = queue.install(jobs), clock.install(now)
    yield Life(jobs, now)
    clock.install(before_clock)
    if before_queue is not None:
        queue.install(before_queue)


@pytest.fixture
def ukraine(db: None, post: FakeMessenger, life: Life) -> Iterator[Institution]:
    """Bound; contact 09-20 on weekdays that are no holidays, two a day."""
    from tests.support import institutions
    from usance.apps.institutions import tenancy

    founded = institutions.found("ua")
    with tenancy.bound(founded.pk):
        yield founded


def new_party(language: str = "uk", *, phone: str = PHONE, mail: str = "") -> UUID:
    from usance.apps.customers import services
    from usance.ports.actor import SYSTEM

    made = services.add_party(language=language, on=MONDAY, actor=SYSTEM)
    verified: dict[str, Any] = {"party_id": made, "actor": SYSTEM, "at": kyiv(1, 12), "verified": True}
    services.add_contact(kind="phone", value=phone, **verified)
    if mail:
        services.add_contact(kind="email", value=mail, **verified)
    return made


@pytest.fixture
def party_id(ukraine: Institution) -> UUID:
    return new_party(mail=MAIL)
