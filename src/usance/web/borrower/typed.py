"""What was typed into a page of an application that had ended meanwhile, in another tab or by its time: kept sealed in
the session, and given back on the same page of the next one, until it is saved. (What was typed when the session had
ended is kept by `web/kept.py`.)"""

from __future__ import annotations

import base64
import json
from uuid import UUID

from django.http import HttpRequest, QueryDict

from usance.apps.customers import vault
from usance.apps.origination import selectors as applications

TYPED, FIELD = "typed", "web.typed"
APPLICATION = "application"  # the hidden field that says which draft the page belongs to
LARGEST = 20_000


def keep(request: HttpRequest) -> None:
    """Puts the form aside, where its page belongs to an application."""
    form = request.POST.copy()
    form.pop("csrfmiddlewaretoken", None)
    plain = json.dumps({"page": request.path, "form": form.urlencode()})
    if form.get(APPLICATION) and len(plain) <= LARGEST:
        sealed = vault.seal(plain, party_id=None, field=FIELD)
        request.session[TYPED] = base64.b64encode(sealed).decode()


def give_back(request: HttpRequest, *, party_id: UUID) -> QueryDict | None:
    """The form that was put aside for this page; None when there is none, or when it was somebody else's."""
    kept = request.session.get(TYPED)
    if not kept:
        return None
    told = json.loads(vault.unseal(base64.b64decode(kept), party_id=None, field=FIELD))
    if told["page"] != request.path:
        return None
    form = QueryDict(told["form"])
    return form if _is_theirs(form.get(APPLICATION, ""), party_id) else None


def forget(request: HttpRequest) -> None:
    """The page was saved: what was put aside is no longer needed."""
    if TYPED in request.session:
        del request.session[TYPED]


def _is_theirs(application_id: str, party_id: UUID) -> bool:
    try:
        wanted = UUID(application_id)
    except ValueError:
        return False
    return applications.application_of(application_id=wanted, party_id=party_id) is not None
