"""Who may call a view, written on the view itself. A view without a permit fails the route test.

The permit is also the gate: it runs before the view, and the route test reads it to know what each role must see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from usance.web import kept

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Permit:
    """`kind`: who; `action`: the permission a member of staff needs (`""`: any member of staff)."""

    kind: Literal["public", "borrower", "staff", "provider", "operator"]
    action: str = ""


def public(view: View) -> View:
    """Anyone, signed in or not."""
    view.permit = Permit("public")  # type: ignore[attr-defined]
    return view


def provider(view: View) -> View:
    """A provider's server: the view verifies the signature itself."""
    view.permit = Permit("provider")  # type: ignore[attr-defined]
    return view


def borrower(view: View) -> View:
    """A customer who proved their phone: `request.party_id` is theirs."""

    @wraps(view)
    def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        from usance.web.borrower import identity

        party_id = identity.of(request)
        if party_id is None:
            return identity.to_sign_in(request, view)
        request.party_id = party_id  # type: ignore[attr-defined]
        return kept.offer(request, owns=identity.owner(party_id)) or view(request, *args, **kwargs)

    gate.permit = Permit("borrower")  # type: ignore[attr-defined]
    return gate


def fresh(back: str) -> Callable[[View], View]:
    """Under `borrower` or `staff`: what changes how somebody signs in needs a proof of the last quarter of an hour.
    Whoever gave theirs earlier is signed out and gives it again; then the page named `back` is shown."""

    def decorate(view: View) -> View:
        @wraps(view)
        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            from usance.web.borrower import identity as customer
            from usance.web.staff import identity as desk

            mine = desk if hasattr(request, "staff_session") else customer
            if mine.is_fresh(request):
                return view(request, *args, **kwargs)
            mine.leave(request)
            messages.info(request, _("To be sure that it is you, please sign in again."))
            entrance = "staff:sign_in" if mine is desk else "borrower:sign_in"
            after = request.get_full_path() if request.method == "GET" else reverse(back)
            return redirect(f"{reverse(entrance)}?{urlencode({'next': after})}")

        return gate

    return decorate


def staff(action: str = "") -> Callable[[View], View]:
    """A member of staff, fully signed in (second factor too), whose roles allow `action`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            from usance.web.staff import identity

            answer = identity.enter(request, view)
            if answer is not None:
                return answer
            if action and action not in request.permissions:  # type: ignore[attr-defined]
                raise PermissionDenied(action)
            typed = kept.offer(request, owns=identity.owner(request.user), parent="layouts/staff.html")
            return typed or view(request, *args, **kwargs)

        gate.permit = Permit("staff", action)  # type: ignore[attr-defined]
        return gate

    return decorate


def sent_from(page: str) -> Callable[[View], View]:
    """An address that only takes a form. Whoever comes there in another way (back, reload, a fresh sign-in) is led to
    the page that has the form."""

    def decorate(view: View) -> View:
        @wraps(view)
        def taken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs) if request.method == "POST" else redirect(page)

        return taken

    return decorate
