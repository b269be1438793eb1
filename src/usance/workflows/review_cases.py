"""Who has which case of the underwriters' queue. What they decide is in `decide_application`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from usance.apps.access import selectors as access
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors, services
from usance.ports.actor import staff
from usance.workflows.decide_application import OwnCase
from usance.workflows.take_application import UNDERWRITING


def next_case(*, reviewer: access.User, at: datetime) -> Any | None:
    """The case whose clock runs out first, given to the reviewer; never one that they entered themselves. When nobody
    else waits, the first of those that they took and have not decided; None when there is none."""
    own = selectors.entered_by_staff(reviewer.pk)
    taken = desk.take_next(user=reviewer, queues=[UNDERWRITING], at=_moment(at), but=own)
    return taken or desk_view.queue([UNDERWRITING]).filter(owner=reviewer).first()


def take_case(*, application_id: UUID, reviewer: access.User, at: datetime) -> Any:
    """Gives a referred case to the reviewer. Raises OwnCase, CaseTaken, CaseFinished, CaseOutOfReach."""
    row = selectors.application(application_id=application_id)
    if selectors.entered_by(row) == str(reviewer.pk):
        raise OwnCase()
    return desk.take(item_id=_item(row).pk, user=reviewer, at=_moment(at))


def give_case(*, application_id: UUID, to: access.User, supervisor: access.User, at: datetime) -> Any:
    """A supervisor gives the case to somebody, whoever has it now. Raises as `take_case`."""
    row = selectors.application(application_id=application_id)
    if selectors.entered_by(row) == str(to.pk):
        raise OwnCase()
    return desk.assign(item_id=_item(row).pk, user_id=to.pk, actor=staff(supervisor.pk), at=_moment(at))


def put_back(*, application_id: UUID, reviewer: access.User, at: datetime) -> Any:
    """The reviewer gives the case back to the queue; its clock runs on. Raises CaseNotYours, CaseFinished."""
    item = desk.hold(item_id=_item(selectors.application(application_id=application_id)).pk, user=reviewer)
    return desk.release(item_id=item.pk, actor=staff(reviewer.pk), at=_moment(at))


def _moment(at: datetime) -> datetime:
    return institutions.moment(tenancy.current(), at)


def _item(row: Any) -> Any:
    """The application's case. Raises StateDoesNotAllow for one that was never referred."""
    found = desk_view.item_of(UNDERWRITING, row.pk)
    if found is None:
        raise services.StateDoesNotAllow(state=row.state, to="reviewed")
    return found
