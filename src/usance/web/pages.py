"""Pages of a long list."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

SIZE = 50
FEW = 500  # rows whose keys are read at once
MOST = 10_000  # rows that are counted and paged through; whoever looks for something further down narrows the list


class Bounded(Paginator):
    """Counts no further than MOST, so that a page costs the same in a list of a million as in one of ten thousand; and
    finds out by keys alone which rows a page has, so that its last page costs what its first does: what lies before a
    page is passed over in an index, without the rows themselves and what is joined to them."""

    plain: QuerySet[Any] | None = None  # the same rows in the same order, without what finds them

    @cached_property
    def few(self) -> list[Any]:
        """The keys of the first rows, for what is dear to find: mostly all, so that it is found once, and not again to
        count and to read."""
        return list(self.object_list.values_list("pk", flat=True)[: FEW + 1])  # type: ignore[attr-defined]

    @cached_property
    def count(self) -> int:
        if self.plain is not None and len(self.few) <= FEW:
            return len(self.few)
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
        if self.plain is not None and end <= FEW:
            keys = self.few[first:end]
        else:
            keys = list(found.values_list("pk", flat=True)[first:end])
        return (found if self.plain is None else self.plain).filter(pk__in=keys)


def of(request: HttpRequest, found: Any, size: int = SIZE, *, plain: QuerySet[Any] | None = None) -> Page[Any]:
    """The page of `found` that the address asks for; the nearest one when it asks for nonsense. `plain` where it is
    dear to find: the same rows in the same order, without what finds them."""
    pages = Bounded(found, size)
    pages.plain = plain
    return pages.get_page(request.GET.get("page"))
