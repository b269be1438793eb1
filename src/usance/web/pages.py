"""Pages of a long list."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

SIZE = 50
MOST = 10_000  # rows that are counted and paged through; whoever looks for something further down narrows the list
MOST_FOUND = 500  # the same, for what is dear to find


class Bounded(Paginator):
    """Counts no further than MOST, so that a page costs the same in a list of a million as in one of ten thousand; and
    finds out by keys alone which rows a page has, so that its last page costs what its first does: what lies before a
    page is passed over in an index, without the rows themselves and what is joined to them."""

    plain: QuerySet[Any] | None = None  # the same rows in the same order, without what finds them

    @property
    def most(self) -> int:
        return MOST if self.plain is None else MOST_FOUND

    @cached_property
    def found(self) -> list[Any]:
        """All keys, of what is dear to find: once, and not again to count and to read."""
        return list(self.object_list.values_list("pk", flat=True)[: self.most])  # type: ignore[attr-defined]

    @cached_property
    def count(self) -> int:
        if self.plain is not None:
            return len(self.found)
        if not isinstance(self.object_list, QuerySet):
            return min(MOST, len(self.object_list))
        return self.object_list.order_by()[:MOST].count()

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than are counted."""
        return self.count >= self.most

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        end = min(first + self.per_page, self.count)
        return self._get_page(self._rows(first, end), number, self)  # type: ignore[attr-defined]

    def _rows(self, first: int, end: int) -> Any:
        if self.plain is not None:
            return self.plain.filter(pk__in=self.found[first:end])
        found = self.object_list
        if not isinstance(found, QuerySet) or found.query.distinct or not found.model._meta.managed:
            return found[first:end]  # a view has no keys to look up by
        return found.filter(pk__in=list(found.values_list("pk", flat=True)[first:end]))


def of(request: HttpRequest, found: Any, size: int = SIZE, *, plain: QuerySet[Any] | None = None) -> Page[Any]:
    """The page of `found` that the address asks for; the nearest one when it asks for nonsense. `plain` where it is
    dear to find: the same rows in the same order, without what finds them; then only MOST_FOUND are paged through."""
    pages = Bounded(found, size)
    pages.plain = plain
    return pages.get_page(request.GET.get("page"))
