"""What is logged and measured: ids yes, personal data no."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily

from usance.apps.institutions import tenancy
from usance.config import logs, metrics
from usance.config.middleware import ObservingMiddleware

PERSONAL = {
    "phone": "+84 912 345 678",
    "bare phone": "0912345678",
    "card": "4444 5555 6666 1111",
    "identity number": "079204001234",
    "mail": "first.last@mail.example",
}


@pytest.fixture
def written() -> Iterator[Any]:
    """Calls to the returned function give the entries logged so far, as the log file would have them."""
    root = logging.getLogger()
    handler, before = root.handlers[0], root.level
    assert isinstance(handler, logging.StreamHandler)
    stream, told = handler.stream, io.StringIO()
    handler.setStream(told)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in told.getvalue().splitlines()]
    handler.setStream(stream)
    root.setLevel(before)


@pytest.mark.parametrize("value", PERSONAL.values(), ids=PERSONAL.keys())
def test_personal_data_in_a_message_is_taken_out(value: str, written: Any) -> None:
    structlog.get_logger("x").info(f"sent to {value}.", detail=f"<{value}>", nested={"list": [value]})
    logging.getLogger("library").warning("told %s", value)
    assert len(written()) == 2
    assert value not in json.dumps(written())


@pytest.mark.parametrize(
    "field", ["phone", "full_name", "email", "card_token", "otp_code", "request_body", "identity_number"]
)
def test_a_field_named_after_a_person_is_never_written(field: str, written: Any) -> None:
    structlog.get_logger("x").info("a thing happened", **{field: "whatever it is"})
    assert written()[0][field] == "[personal]"


def test_what_a_database_error_says_of_a_row_is_taken_out(written: Any) -> None:
    try:
        raise ValueError('duplicate key value violates "x"\nDETAIL:  Key (name)=(Somebody) already exists.\nHINT: none')
    except ValueError:
        structlog.get_logger("x").exception("failed")
    assert "Somebody" not in json.dumps(written())
    assert "duplicate key value" in written()[0]["exception"]


@given(st.integers(min_value=10**8, max_value=10**19), st.sampled_from(["", "+", "(", "tel:", "=", "'"]))
def test_no_long_number_survives_in_a_text(number: int, before: str) -> None:
    assert str(number) not in logs.scrub(f"a {before}{number} z")


@pytest.mark.parametrize(
    "text", ["2026-03-02 10:00:00", "0f8fad5b-d9cb-469f-a165-70867728950e", "3 of 12", "payments.send_instruction"]
)
def test_moments_ids_and_names_of_tasks_stay(text: str) -> None:
    assert logs.scrub(text) == text


def test_an_entry_carries_the_institution_it_is_about(written: Any) -> None:
    mine = uuid.uuid4()
    token = tenancy._bound_to.set(mine)
    structlog.get_logger("x").info("inside")
    tenancy._bound_to.reset(token)
    structlog.get_logger("x").info("outside")
    inside, outside = written()
    assert inside["institution_id"] == str(mine)
    assert "institution_id" not in outside


def _answered(request: HttpRequest, status: int = 200) -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        request.resolver_match = ResolverMatch(view, (), {}, url_name="loan", namespaces=["staff"])
        structlog.get_logger("x").info("inside the page")
        return HttpResponse(status=status)

    return ObservingMiddleware(view)(request)


def test_a_request_has_one_id_everywhere(written: Any) -> None:
    response = _answered(RequestFactory().get("/staff/loans/7?token=abc"))
    assert uuid.UUID(response["X-Request-ID"])
    inside, line = written()
    assert inside["request_id"] == line["request_id"] == response["X-Request-ID"]
    assert (line["view"], line["status"], line["method"]) == ("staff:loan", 200, "GET")
    assert "abc" not in json.dumps(written())
    assert "/staff/" not in json.dumps(written())


@pytest.mark.parametrize(
    ("given", "kept"), [("trace-12345678", True), ("short", False), ("x" * 65, False), ("new\nline-123", False)]
)
def test_a_request_id_is_taken_over_only_when_it_is_one(given: str, kept: bool) -> None:
    response = _answered(RequestFactory().get("/", HTTP_X_REQUEST_ID=given))
    assert (response["X-Request-ID"] == given) is kept


def test_requests_are_counted_by_view_never_by_path() -> None:
    labels = {"method": "GET", "view": "staff:loan", "status": "503"}
    before = metrics.REGISTRY.get_sample_value("usance_http_requests_total", labels) or 0
    _answered(RequestFactory().get("/staff/loans/8"), status=503)
    assert metrics.REGISTRY.get_sample_value("usance_http_requests_total", labels) == before + 1


@pytest.mark.django_db
def test_the_metrics_page_tells_of_jobs_and_registered_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_instructions() -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("usance_instructions", "Instructions by state.", labels=["state"])
        family.add_metric(["sent"], 3)
        yield family

    monkeypatch.setattr(metrics, "_sources", [])
    metrics.register(of_instructions)
    metrics.register(of_instructions)
    text = metrics.view(RequestFactory().get("/metrics")).content.decode()
    assert text.count('usance_instructions{state="sent"} 3.0') == 1
    assert "usance_oldest_waiting_job_seconds 0.0" in text
    assert "usance_metrics_sources_failed 0.0" in text


@pytest.mark.django_db
def test_a_source_that_the_database_refuses_is_counted_and_spoils_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Iterator[GaugeMetricFamily]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        yield GaugeMetricFamily("never", "Never.", value=1)

    monkeypatch.setattr(metrics, "_sources", [refused, metrics.jobs])
    text = metrics.view(RequestFactory().get("/metrics")).content.decode()
    assert "usance_metrics_sources_failed 1.0" in text


@pytest.mark.django_db
def test_the_metrics_page_asks_for_its_token_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USANCE_METRICS_TOKEN", "let-me-in")
    assert metrics.view(RequestFactory().get("/metrics")).status_code == 401
    assert metrics.view(RequestFactory().get("/metrics", HTTP_AUTHORIZATION="Bearer let-me-in")).status_code == 200
