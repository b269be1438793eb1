"""Pages of a long list."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

SIZE = 50
MOST = 10_000  # rows that are counted and paged through; whoever looks for something further down narrows the list


class Bounded(Paginator):
    """Counts no further than MOST, so that a page costs the same in a list of a million as in one of ten thousand."""

    @cached_property
    def count(self) -> int:
        if not isinstance(self.object_list, QuerySet):
            return min(MOST, len(self.object_list))
        return self.object_list.order_by()[:MOST].count()


def of(request: HttpRequest, found: Any, size: int = SIZE) -> Page[Any]:
    """The page of `found` that the address asks for; the nearest one when it asks for nonsense."""
    return Bounded(found, size).get_page(request.GET.get("page"))
