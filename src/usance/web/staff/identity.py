"""Who sits at the desk: the way in, and the gate before each page of staff."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from usance.apps.access import selectors, sign_in
from usance.ports import actor, clock
from usance.web import cookies, kept, visitors

BACKEND = "usance.apps.access.backend.InstitutionBackend"
SESSION_ID = "staff_session"
PENDING = "staff_sign_in"
PENDING_FOR = FRESH = timedelta(minutes=15)


def enter(request: HttpRequest, view: kept.View) -> HttpResponse | None:
    """Lets a member of staff in: None, with `request.permissions`, `.actor` and `.staff_session` set; otherwise the
    way to the sign-in page, with what was typed kept."""
    user = request.user
    if user.is_authenticated:
        session = sign_in.touch_session(session_id=request.session.get(SESSION_ID), user=user, at=clock.now())
        if session is not None:
            request.permissions = selectors.permissions_of(user)  # type: ignore[attr-defined]
            request.actor = actor.staff(user.pk, label="staff")  # type: ignore[attr-defined]
            request.staff_session = session  # type: ignore[attr-defined]
            return None
        auth.logout(request)
    return _to_sign_in(request, view)


def owner(user: Any) -> Callable[[str], bool]:
    """Says of a device cookie whether it is this person's."""
    return lambda device: sign_in.is_own_device(user=user, mark=device)


def _to_sign_in(request: HttpRequest, view: kept.View) -> HttpResponse:
    device = cookies.read(request, cookies.STAFF_DEVICE)
    known = device if sign_in.is_anyones_device(mark=device) else ""
    back = kept.way_back(request, device=known, view=view, otherwise=reverse("staff:home"))
    target = f"{reverse('staff:sign_in')}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):  # a part of a page: the whole page must go
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def visitor(request: HttpRequest) -> sign_in.Visitor:
    return sign_in.Visitor(visitors.address(request), cookies.read(request, cookies.STAFF_DEVICE))


def remember_password(request: HttpRequest, user: Any, after: str) -> None:
    """The password was right; the second factor is still to come. The session gets a new key. The proof is of this
    password: it ends when the password is changed or taken away."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": str(user.pk),
        "at": clock.now().isoformat(),
        "next": after,
        "proof": user.get_session_auth_hash(),
    }


def pending_user(request: HttpRequest) -> Any | None:
    """Whoever has given the right password on this device a moment ago; None otherwise."""
    pending = request.session.get(PENDING)
    if not pending or clock.now() - datetime.fromisoformat(pending["at"]) > PENDING_FOR:
        return None
    user = selectors.users().filter(pk=pending["user"], is_active=True).first()
    if user is None or not hmac.compare_digest(user.get_session_auth_hash(), pending.get("proof", "")):
        return None
    return user


def let_in(request: HttpRequest, user: Any, *, factor: str, after: str = "") -> str:
    """Both proofs were right: a new session. Gives the address to go to: the one asked for with the password, or
    `after`."""
    after = after or (request.session.get(PENDING) or {}).get("next", "")
    request.session.pop(PENDING, None)
    auth.login(request, user, backend=BACKEND)
    if not request.session.session_key:
        request.session.create()
    opened = sign_in.open_session(
        user=user,
        session_key=str(request.session.session_key),
        device=visitors.device(request),
        factor=factor,
        at=clock.now(),
    )
    request.session[SESSION_ID] = str(opened.pk)
    return safe_next(request, after)


def safe_next(request: HttpRequest, after: str) -> str:
    """An address of this very site, or the desk's first page."""
    allowed = url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure())
    return after if after and allowed else reverse("staff:home")


def know_device(request: HttpRequest, response: HttpResponse, user: Any) -> HttpResponse:
    """Marks the browser as one on which the person signed in, so that strangers' guesses do not lock them out here,
    and speaks their language from now on."""
    kept_for = sign_in.DEVICE_DAYS * 86400
    cookies.put(response, cookies.STAFF_DEVICE, sign_in.device_mark(user), max_age=kept_for)
    if not cookies.read(request, cookies.LANGUAGE):  # a language chosen on the page stays
        cookies.put(response, cookies.LANGUAGE, user.language, max_age=kept_for)
    return response


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person at the desk proved who they are, with both factors, a moment ago."""
    return clock.now() - request.staff_session.started_at <= FRESH  # type: ignore[attr-defined]


def leave(request: HttpRequest) -> None:
    """Signs out: this session ends, here and in the list."""
    session_id = request.session.get(SESSION_ID)
    if request.user.is_authenticated and session_id:
        sign_in.end_session(user=request.user, session_id=session_id, at=clock.now(), reason="signed_out")
    auth.logout(request)
