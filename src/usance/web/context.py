"""What every page knows: the institution, its languages, and whose desk it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from usance.web import components
from usance.web.staff import shell


def site(request: HttpRequest) -> dict[str, Any]:
    institution = getattr(request, "institution", None)
    offered = set(institution.languages) if institution else set()
    language = getattr(request, "LANGUAGE_CODE", "")
    return {
        "institution": institution,
        "site": components.site_of(institution, language=language) if institution else None,
        "site_languages": [(code, name) for code, name in settings.LANGUAGES if code in offered],
        "language": getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE),
        "permissions": getattr(request, "permissions", frozenset()),
        "is_demo": bool(institution and institution.is_demo),
        **shell.frame(request),
    }
