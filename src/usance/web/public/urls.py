"""Addresses that anyone may open."""

from __future__ import annotations

from django.urls import path

from usance.web.public import health, language

app_name = "public"
urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("language/", language.choose, name="language"),
]
