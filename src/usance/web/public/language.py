"""Choosing the language of the screen; the page that asked is shown again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from usance.web import cookies, permits

YEAR = 365 * 24 * 3600


@permits.public
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    response = redirect(back)
    if request.POST.get("language") in request.institution.languages:  # type: ignore[attr-defined]
        cookies.put(response, cookies.LANGUAGE, request.POST["language"], max_age=YEAR)
    return response
