"""Where providers knock."""

from __future__ import annotations

from django.urls import path

from usance.web.callbacks import rails

app_name = "callbacks"
urlpatterns = [path("<slug:provider>/<uuid:institution_id>/", rails.receive, name="rail")]
