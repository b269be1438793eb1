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
    """Counts no further than MOST, so that a page costs the same in a list of a million as in one of ten thousand; and
    finds out by keys alone which rows a page has, so that its last page costs what its first does: what lies before a
    page is passed over in an index, without the rows themselves and what is joined to them."""

    @cached_property
    def count(self) -> int:
        if not isinstance(self.object_list, QuerySet):
            return min(MOST, len(self.object_list))
        return self.object_list.order_by()[:MOST].count()

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        end = min(first + self.per_page, self.count)
        return self._get_page(self._rows(first, end), number, self)  # type: ignore[attr-defined]

    def _rows(self, first: int, end: int) -> Any:
        found = self.object_list
        if not isinstance(found, QuerySet) or found.query.distinct or not found.model._meta.managed:
            return found[first:end]  # a view has no keys to look up by
        return found.filter(pk__in=list(found.values_list("pk", flat=True)[first:end]))


def of(request: HttpRequest, found: Any, size: int = SIZE) -> Page[Any]:
    """The page of `found` that the address asks for; the nearest one when it asks for nonsense."""
    return Bounded(found, size).get_page(request.GET.get("page"))
