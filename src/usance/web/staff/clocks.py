"""The clock of a case as the pages show it: a word, a colour, the desk time left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from usance.apps.institutions import selectors as institutions
from usance.ports import clock
from usance.web import components as ui
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats


def moment(request: StaffRequest) -> datetime:
    """Now, in the institution's business time."""
    return institutions.moment(request.institution, clock.now())


def badge(standing: Any) -> ui.ClockBadge:
    left = formats.minutes(standing.left_minutes)
    if standing.state == "late":
        return ui.ClockBadge(_("Late"), left, "bad")
    if standing.state == "soon":
        return ui.ClockBadge(_("Due soon"), left, "warn")
    if standing.state == "paused":
        return ui.ClockBadge(_("Waits for the applicant"), tone="neutral", paused=True)
    if standing.state == "done":
        return ui.ClockBadge(_("Done"), tone="neutral", paused=True)
    return ui.ClockBadge(_("On time"), left, "good")
