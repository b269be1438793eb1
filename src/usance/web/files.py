"""Files that a person takes away: always to be saved, never shown in a page of ours, under a name that we chose."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def attachment(content: bytes, *, name: str, kind: str) -> HttpResponse:
    """`kind`: its media type."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def cell(text: str) -> str:
    """A word in a table that a spreadsheet will open: one that begins like a formula is marked as a word."""
    return f"'{text}" if text.startswith(FORMULA) else text
