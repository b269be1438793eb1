"""Prometheus metrics: requests as they happen; jobs and what else stands in the database at the moment of asking."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from hmac import compare_digest
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from usance.apps.institutions import selectors, tenancy
from usance.web.permits import Permit

log = structlog.get_logger(__name__)

REGISTRY = CollectorRegistry()
REQUESTS = Counter("usance_http_requests", "Requests answered.", ["method", "view", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "usance_http_request_seconds",
    "Seconds from request to answer.",
    ["view"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
Source = Callable[[], Iterable[Metric]]
LOOPBACK = ("127.0.0.1", "::1", "")  # "": a server on a socket
_sources: list[Source] = []
_by_institution: list[Source] = []


def register(source: Source, *, by_institution: bool = False) -> None:
    """Add a function that reads metric families from the database when asked (wiring calls this). With
    `by_institution` it is called once for each, bound to it, and labels what it finds with the institution's code."""
    sources = _by_institution if by_institution else _sources
    if source not in sources:
        sources.append(source)


class _Standing(Collector):
    """What stands in the database now. A source that the database refuses is counted, never fatal."""

    def collect(self) -> Iterator[Metric]:
        failed = 0
        found: dict[str, Metric] = {}
        for institution_id, source in (*((None, one) for one in (jobs, *_sources)), *_of_institutions()):
            try:
                with tenancy.bound(institution_id) if institution_id else nullcontext(), transaction.atomic():
                    families = list(source())
            except DatabaseError:
                failed += 1
                log.exception("metrics source failed", source=source.__qualname__)
                continue
            for family in families:  # what several institutions tell of one thing is one family
                found.setdefault(family.name, family)
                if found[family.name] is not family:
                    found[family.name].samples.extend(family.samples)
        yield from found.values()
        yield GaugeMetricFamily(
            "usance_metrics_sources_failed", "Sources that could not be read just now.", value=failed
        )

    def describe(self) -> Iterable[Metric]:
        return []


def _of_institutions() -> Iterator[tuple[UUID, Source]]:
    """Each institution's sources: a transaction each, as none may see two institutions. None when the
    database does not answer, which `jobs` is counted for."""
    known = []
    with suppress(DatabaseError), transaction.atomic():
        known = selectors.all_institutions()
    for institution_id, _host in known:
        for source in _by_institution:
            yield institution_id, source


REGISTRY.register(_Standing())


def jobs() -> Iterator[Metric]:
    """Jobs by task and status, and how long the oldest one that should run has waited."""
    counts = GaugeMetricFamily("usance_jobs", "Jobs in the queue's table.", labels=["task", "status"])
    waiting = GaugeMetricFamily("usance_oldest_waiting_job_seconds", "Age of the oldest job that is due and not begun.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2")
        for task, status, count in cursor.fetchall():
            counts.add_metric([task, status], count)
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at))), 0) "
            "FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred' "
            "WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())"
        )
        waiting.add_metric([], float(cursor.fetchone()[0]))
    yield counts
    yield waiting


def view(request: HttpRequest) -> HttpResponse:
    """The page that Prometheus reads: by USANCE_METRICS_TOKEN as its bearer token, or without one from this machine
    only, as it tells of all institutions."""
    token = os.environ.get("USANCE_METRICS_TOKEN", "")
    if not token and (request.META.get("REMOTE_ADDR") not in LOOPBACK or "X-Forwarded-For" in request.headers):
        return HttpResponse(status=403)
    given = request.headers.get("Authorization", "")
    if token and not compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


view.permit = Permit("operator")  # type: ignore[attr-defined]
