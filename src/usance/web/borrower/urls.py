"""Addresses of the borrower's site."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "borrower"
urlpatterns: list[URLPattern] = []
