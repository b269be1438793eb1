"""All components in their states, for those who build pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from usance.web import permits


@permits.public
def show(request: HttpRequest) -> HttpResponse:
    return render(request, "components/styleguide.html")
