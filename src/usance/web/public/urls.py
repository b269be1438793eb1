"""Addresses that anyone may open."""

from __future__ import annotations

from django.urls import path

from usance.web.public import app, health, language, verify

app_name = "public"
urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("verify/", verify.ask, name="verify"),
    path("verify/<str:code>/", verify.show, name="verify_code"),
    path("app/<slug:language>/manifest.webmanifest", app.manifest, name="manifest"),
    path("app/<slug:language>/offline/", app.offline, name="offline"),
    path("worker.js", app.worker, name="worker"),
    path("language/", language.choose, name="language"),
]
