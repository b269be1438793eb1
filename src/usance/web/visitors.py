"""Where a request comes from, as far as limits and people's own lists of sessions need to know."""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def address(request: HttpRequest) -> str:
    """The network address. Behind N proxies of our own (USANCE_PROXY_HOPS) it is the Nth from the right of what they
    added; what stands further left was written by the visitor."""
    hops = settings.USANCE_PROXY_HOPS
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if hops and len(passed) >= hops:
        return passed[-hops]
    return str(request.META.get("REMOTE_ADDR", ""))


def device(request: HttpRequest) -> str:
    """Browser and system in a few words, enough for a person to know their own devices."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in BROWSERS if re.search(mark, agent)), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return ", ".join(part for part in (browser, system) if part)
