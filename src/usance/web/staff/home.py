"""The desk's first page: wherever the person's work begins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from usance.web import permits
from usance.web.staff import shell


@permits.staff("")
def show(request: HttpRequest) -> HttpResponse:
    """The first page of the side bar that this person sees; their account where they see none."""
    sections = shell.frame(request)["nav"]
    return redirect(sections[0].items[0].href if sections else "staff:account")
