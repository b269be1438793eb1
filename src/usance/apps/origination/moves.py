"""One change of state: whether it may follow, its row of history, its line in the trail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.institutions import services as institutions
from usance.apps.origination import states
from usance.apps.origination.models import Application, Transition
from usance.core.refusals import Refusal
from usance.ports.actor import Actor

EXPIRE_APPLICATION = "application.expire"
JUST_AFTER_MIDNIGHT = time(0, 5)
ONE_DAY = timedelta(days=1)


class StateDoesNotAllow(Refusal):
    """The application is in a state from which this does not follow."""

    code = "application_state_does_not_allow"
    state: str
    to: str


# --- inside ------------------------------------------------------------------------------------------------------


def locked(application_id: UUID) -> Application:
    row: Application = Application.objects.select_for_update(of=("self",)).get(pk=application_id)
    return row


def require(row: Application, state: str, *, to: str) -> None:
    if row.state != state:
        raise StateDoesNotAllow(state=row.state, to=to)


def move(
    row: Application,
    to: str,
    *,
    actor: Actor,
    on: date,
    at: datetime,
    reasons: Iterable[str] = (),
    digest: str = "",
    changed: Iterable[str] = (),
) -> None:
    """The next state, saved together with the fields that the caller has `changed` in the row."""
    if to not in states.TRANSITIONS[row.state]:
        raise StateDoesNotAllow(state=row.state, to=to)
    before, row.state = row.state, to
    row.save(update_fields=["state", *changed])
    note(row, before, to, actor=actor, on=on, at=at, reasons=reasons, digest=digest)


def note(
    row: Application,
    before: str,
    to: str,
    *,
    actor: Actor,
    on: date,
    at: datetime,
    reasons: Iterable[str] = (),
    digest: str = "",
) -> None:
    why = list(reasons)
    Transition.objects.create(
        application=row,
        from_state=before,
        to_state=to,
        on=on,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id[:60],
        reasons=why,
    )
    details = {"was": before, "reasons": why} if why else {"was": before}
    audit.record(action=f"application.{to}", subject=row, actor=actor, details=details, digest=digest)


def expire_after(row: Application) -> None:
    institutions.schedule(
        kind=EXPIRE_APPLICATION,
        due_on=row.expires_on + ONE_DAY,
        at_time=JUST_AFTER_MIDNIGHT,
        key=f"{EXPIRE_APPLICATION}:{row.pk}:{row.expires_on}",
        subject_id=row.pk,
        org_path=row.org_path,
    )
