"""What happens by the clock on the wall: jobs that every institution's queue gets again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from usance.apps.institutions import selectors, tenancy
from usance.apps.institutions.models import Institution
from usance.ports.queue import enqueue


def always(institution: Institution) -> bool:
    return True


def keeps_time(institution: Institution) -> bool:
    """Whether the day ends by itself at midnight. A demonstration whose clock was pushed forward by hand stays on the
    day that somebody chose to look at, until they push again."""
    return not (institution.is_demo and institution.ahead_days)


@dataclass(frozen=True, slots=True)
class Timer:
    """`cron` in UTC; `task` takes no arguments but its institution; `whose`: the institutions that it runs for."""

    cron: str
    task: str
    whose: Callable[[Institution], bool] = always


TIMERS = (
    Timer("* * * * *", "payments.sweep"),
    Timer("*/5 * * * *", "close.catch_up", keeps_time),
    Timer("* * * * *", "close.hand_out"),
    Timer("*/5 * * * *", "audit.link"),
    Timer("23 * * * *", "access.sweep"),
)


def hand_out(timer: Timer) -> int:
    """Puts the timer's job into the queue of every institution that it concerns, at most one waiting for each. Says for
    how many; each institution has a transaction of its own, as none may see two."""
    count = 0
    for institution_id, _host in selectors.all_institutions():
        with tenancy.bound(institution_id), transaction.atomic():
            if timer.whose(tenancy.current()):
                enqueue(timer.task, key=timer.task)
                count += 1
    return count
