"""What makes the borrower's site an app on a phone: its manifest, its service worker, and the page for when there is no
connection. None of them knows who asks."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from usance.web import permits

# the tokens --paper and --brand of the light theme: a manifest cannot read a style sheet
PAPER, BRAND = "#f6f4ee", "#0b4f58"
ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-mask.png", "512x512", "maskable"),
)
ENTRY, WORKER = "src/borrower.ts", "src/worker.ts"


@permits.public
def manifest(request: HttpRequest, language: str) -> JsonResponse:
    """The institution as an app, in a language that it speaks. One app, whatever the language: its id is the scope."""
    institution = _speaking(request, language)
    with translation.override(language):
        told = {
            "id": "/",
            "name": institution.name,
            "short_name": institution.name[:12].strip(),
            "description": _("Your loans: what you owe, when it is due, and how to pay."),
            "lang": language,
            "dir": "rtl" if translation.get_language_bidi() else "ltr",
            "start_url": "/account/",
            "scope": "/",
            "display": "standalone",
            "background_color": PAPER,
            "theme_color": BRAND,
            "icons": [
                {"src": static(f"usance/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
                for name, sizes, purpose in ICONS
            ],
        }
    return JsonResponse(told, content_type="application/manifest+json")


@permits.public
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: our built script after the facts of this institution. It lies at the root because its scope
    is where it lies; a new build is another script, which is how a browser learns of it."""
    institution = request.institution  # type: ignore[attr-defined]
    script, files = _built()
    facts = {
        "name": institution.name,
        "icon": static("usance/icon-192.png"),
        "files": files,
        "offline": {code: reverse("public:offline", args=[code]) for code in institution.languages},
        "language": institution.language,
    }
    told = json.dumps(facts, ensure_ascii=True)
    version = sha256((told + script).encode()).hexdigest()[:12]
    text = f'const USANCE={told[:-1]},"version":"{version}"}};\n{script}'
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


@lru_cache(maxsize=1)
def _built() -> tuple[str, list[str]]:
    """The worker's script, and what the page without a connection needs to be shown."""
    folder = Path(str(settings.DJANGO_VITE["default"]["manifest_path"])).parent
    known: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    entry = known[ENTRY]
    names = [entry["file"], *entry.get("css", []), *(known[one]["file"] for one in entry.get("imports", []))]
    script = (folder / known[WORKER]["file"]).read_text(encoding="utf-8")
    return script, [static(f"dist/{name}") for name in names]


@permits.public
def offline(request: HttpRequest, language: str) -> HttpResponse:
    """What the service worker shows when a page cannot be fetched: kept on the phone, in each language."""
    _speaking(request, language)
    with translation.override(language):
        request.LANGUAGE_CODE = language
        response = render(request, "public/offline.html")
    response.headers["Content-Language"] = language
    return response


def _speaking(request: HttpRequest, language: str) -> Any:
    """The institution; Http404 for a language that it does not speak."""
    institution = request.institution  # type: ignore[attr-defined]
    if language not in institution.languages:
        raise Http404
    return institution
