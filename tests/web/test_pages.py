"""Pages of long lists: counted no further than people page."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_list_is_counted_no_further_than_people_page(
    institution: Any, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from usance.apps.institutions import selectors, services
    from usance.web import pages

    services.set_holidays(days={institution.business_date.replace(month=1, day=day): "x" for day in range(1, 29)})
    days = selectors.calendar_days(institution.business_date.replace(month=1, day=1), institution.business_date)
    assert pages.of(rf.get("/"), days, size=5).paginator.count == 28
    monkeypatch.setattr(pages, "MOST", 12)
    with CaptureQueriesContext(connection) as queries:
        page = pages.of(rf.get("/", {"page": "99"}), days, size=5)
        assert (page.paginator.count, page.number, len(page.object_list)) == (12, 3, 2)
        assert page.paginator.is_cut  # type: ignore[attr-defined]
    assert "LIMIT 12" in queries.captured_queries[0]["sql"]
    assert "ORDER BY" not in queries.captured_queries[0]["sql"]


def test_what_is_dear_to_find_is_found_once_and_gives_the_same_pages(
    institution: Any, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from usance.apps.institutions import selectors, services
    from usance.web import pages

    first = institution.business_date.replace(month=1, day=1)
    services.set_holidays(days={first.replace(day=day): f"day {day}" for day in range(1, 29)})
    plain = selectors.calendar_days(first, institution.business_date)
    found = plain.filter(name__startswith="day")
    for number in ("1", "6"):
        asked = rf.get("/", {"page": number})
        expected = list(pages.of(asked, found, size=5).object_list)
        with CaptureQueriesContext(connection) as queries:
            page = pages.of(asked, found, size=5, plain=plain)
            assert (list(page.object_list), page.paginator.count) == (expected, 28)
        assert sum("LIKE" in query["sql"] for query in queries.captured_queries) == 1
        assert not page.paginator.is_cut  # type: ignore[attr-defined]
    monkeypatch.setattr(pages, "MOST_FOUND", 7)
    page = pages.of(rf.get("/", {"page": "2"}), found, size=5, plain=plain)
    assert (page.paginator.count, len(page.object_list)) == (7, 2)
    assert page.paginator.is_cut  # type: ignore[attr-defined]
