"""What a staff view receives once its permit has let the person in."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from usance.apps.access import selectors as access
from usance.ports.actor import Actor


class StaffRequest(HttpRequest):
    """For annotations: the gate (`permits.staff`) and the middleware have set all of these."""

    user: access.User
    institution: Any
    permissions: frozenset[str]
    actor: Actor
    staff_session: access.StaffSession
