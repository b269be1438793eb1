"""Figures of one institution for Prometheus: codes, kinds and states, never a person. Each is read from the tables when
asked, bound to the institution, and carries its code as label; the rest of the collector is in `metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import selectors as messages
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.ports import clock


def instructions() -> Iterator[Metric]:
    """Orders to the payment rails by kind and state, and how many of the open ones nobody has looked at for minutes."""
    code = tenancy.current().code
    known = GaugeMetricFamily(
        "usance_instructions", "Instructions to payment rails.", labels=["institution", "kind", "state"]
    )
    for kind, state, count, _total in payments.counts_by_state():
        known.add_metric([code, kind, state], count)
    yield known
    yield _one("usance_instructions_forgotten", "Open instructions that wait for the sweep.", _forgotten())
    at = clock.now()
    doubt = payments.doubt(at=at)
    waits = (at - doubt.since).total_seconds() if doubt.since else 0.0
    yield _one("usance_instructions_in_doubt", "Instructions of which the rail has not said for a minute.", doubt.count)
    yield _one("usance_instructions_in_doubt_seconds", "Age of the oldest instruction in doubt.", waits)


def _forgotten() -> int:
    return payments.forgotten(at=clock.now()).count()


def closes() -> Iterator[Metric]:
    """The last close, what it left out, and how many days the business date lags behind the institution's time."""
    institution, run = tenancy.current(), loans.latest_run()
    lag = institutions.moment(institution, clock.now()).date() - institution.business_date
    yield _one("usance_business_date_lag_days", "Days that are over and not closed.", max(0, lag.days))
    yield _one("usance_close_problems", "Loans that a close left out and nobody has put right.", _problems())
    if run is None:
        return
    yield _one("usance_close_running", "1 while the latest close is under way.", int(run.finished_at is None))
    yield _one("usance_close_loans", "Loans of the latest close.", run.total_count)
    yield _one("usance_close_loans_done", "Loans that the latest close has done.", run.done_count)
    ended = run.finished_at or clock.now()
    yield _one("usance_close_seconds", "Seconds of the latest close so far.", (ended - run.started_at).total_seconds())


def _problems() -> int:
    return loans.problems_open().count()


def messages_sent() -> Iterator[Metric]:
    """Messages by channel and state."""
    code = tenancy.current().code
    found = GaugeMetricFamily("usance_messages", "Messages to people.", labels=["institution", "channel", "state"])
    rows = messages.messages().order_by().values_list("channel", "state")
    for channel, state, count in rows.annotate(count=Count("pk")).order_by("channel", "state"):
        found.add_metric([code, channel, state], count)
    yield found


def failed_jobs() -> Iterator[Metric]:
    """Jobs that gave up and that nobody has run again."""
    code = tenancy.current().code
    found = GaugeMetricFamily("usance_failed_jobs", "Jobs that gave up.", labels=["institution", "task"])
    rows = institutions.failed_jobs().filter(run_again_at=None).order_by().values_list("task")
    for task, count in rows.annotate(count=Count("pk")).order_by("task"):
        found.add_metric([code, task], count)
    yield found


def _one(name: str, says: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=["institution"])
    family.add_metric([tenancy.current().code], value)
    return family


OF_AN_INSTITUTION = (instructions, closes, messages_sent, failed_jobs)
