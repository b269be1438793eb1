"""Addresses of pages that may not be there, or not for this person."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse

from usance.web.staff.request import StaffRequest


def link(request: StaffRequest, permission: str, name: str, *args: Any) -> str:
    """The address of a page for whoever may open it; empty otherwise, so that a cell is plain text."""
    if permission not in request.permissions:
        return ""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
