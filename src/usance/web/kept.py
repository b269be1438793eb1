"""What was typed on a page whose session had ended is not lost: it is kept, sealed, until the same person has signed in
again, and then sent with one press, as if nothing had happened.

Whose it is, the browser's device cookie says: it names whoever signed in there last, and only they are offered it.
Forms with passwords or one-time codes are never kept, nor files, nor anything from a browser at which nobody has signed
in before.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django import forms as plain
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from usance.apps.customers import vault
from usance.ports import clock
from usance.web import forms

SESSION, FIELD, AFRESH = "kept_answers", "web_session.kept", "afresh"
MOST_BYTES, GOOD_FOR = 60_000, timedelta(hours=2)

View = Callable[..., HttpResponse]


def looked_at_again(view: View) -> View:
    """For a page that must be seen again before it is sent, such as one that moves money: nothing of it is kept."""
    view.is_looked_at_again = True  # type: ignore[attr-defined]
    return view


def way_back(request: HttpRequest, *, device: str, view: View, otherwise: str) -> str:
    """Called when a request came without a session: keeps what was typed in the new, nameless one. Gives the page to
    come back to after signing in: where the form stood, as a form's own address may take nothing but answers. `device`
    is the browser's device cookie if somebody's, else empty."""
    here = request.get_full_path()
    if request.method != "POST" or getattr(view, "is_looked_at_again", False) or _keep(request, device):
        return here
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}):
        return otherwise
    parts = urlsplit(came_from)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _keep(request: HttpRequest, device: str) -> bool:
    answers = {name: request.POST.getlist(name) for name in request.POST if name != "csrfmiddlewaretoken"}
    if request.FILES or not device or any(name == "code" or "password" in name for name in answers):
        return False
    body = json.dumps({"device": device, "path": request.get_full_path(), "answers": answers}).encode()
    if len(body) > MOST_BYTES:
        return False
    sealed = base64.b64encode(vault.seal_bytes(body, party_id=None, field=FIELD)).decode()
    request.session[SESSION] = {"sealed": sealed, "at": clock.now().isoformat()}
    return True


def offer(request: HttpRequest, *, owns: Callable[[str], bool], parent: str = "") -> HttpResponse | None:
    """On the page where something was typed, to whom it belongs: the answers, ready to be sent. `owns` says whether a
    device cookie is the signed-in person's."""
    held = request.session.get(SESSION)
    if not held:
        return None
    if request.method == "POST" or clock.now() - datetime.fromisoformat(held["at"]) > GOOD_FOR:
        del request.session[SESSION]
        return None
    known = json.loads(vault.unseal_bytes(base64.b64decode(held["sealed"]), party_id=None, field=FIELD))
    if not owns(known["device"]):
        del request.session[SESSION]
        return None
    if AFRESH in request.GET and request.path == urlsplit(known["path"]).path:
        del request.session[SESSION]
        return redirect(known["path"])
    if known["path"] != request.get_full_path():
        return None
    context = {"form": _carrying(known["answers"]), "parent": parent, "cancel_url": f"{request.path}?{AFRESH}=1"}
    return render(request, "kept.html", context)


def _carrying(answers: dict[str, list[str]]) -> forms.Form:
    """The answers in hidden fields, those with several values too."""
    fields = {name: plain.CharField(required=False, widget=plain.MultipleHiddenInput) for name in answers}
    made: forms.Form = type("KeptForm", (forms.Form,), fields)(initial=answers)
    return made
