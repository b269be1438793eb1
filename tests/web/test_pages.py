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
    assert "LIMIT 12" in queries.captured_queries[0]["sql"]
    assert "ORDER BY" not in queries.captured_queries[0]["sql"]
