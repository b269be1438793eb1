"""Pages of a long list."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

SIZE = 50


def of(request: HttpRequest, found: Any, size: int = SIZE) -> Page[Any]:
    """The page of `found` that the address asks for; the nearest one when it asks for nonsense."""
    return Paginator(found, size).get_page(request.GET.get("page"))
