"""A portfolio from another system: checked line by line, seen by a second person, taken in as a whole or not at all.

The check is a dry run and may be repeated; taking in is one transaction. What came in once never comes in again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from usance.apps.access import selectors as access
from usance.apps.customers import arrivals as customer_arrivals
from usance.apps.desk import approvals as desk
from usance.apps.imports import selectors as imports
from usance.apps.imports import services
from usance.apps.imports.selectors import CHECKED, CHECKING, CUSTOMER, LOAN, TAKING, File, Import
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.servicing import arrivals as loan_arrivals
from usance.core.refusals import Refusal
from usance.ports import clock, queue
from usance.ports.actor import SYSTEM, Actor, staff
from usance.ports.queue import task
from usance.workflows import loan_life
from usance.workflows.import_portfolio.checking import Checked, check

__all__ = ["APPROVAL", "apply_approval", "check", "hand_in", "propose", "run_check", "run_take", "take"]

APPROVAL = "import.take"
CHECK, TAKE, PLAN = "imports.check", "imports.take", "imports.plan"
ATTEMPTS = 3
AT_ONCE = 200  # loans whose reminders one transaction plans


class DayMoved(Exception):
    """The business date is another one than that of the check: all loans are lived anew."""


class NothingToTake(Refusal):
    """All that the files hold is here already."""

    code = "import_nothing_to_take"


def hand_in(*, files: Sequence[File], user: access.User) -> Import:
    """Keeps the files and has them checked. Raises NoFiles."""
    row = services.hand_in(files=files, asked_by=str(user.pk), actor=staff(user.pk))
    queue.enqueue(CHECK, import_id=str(row.pk))
    return row


def propose(*, import_id: UUID, maker: access.User, at: datetime, reason: str = "") -> Any:
    """Asks a second person. Raises ImportNotReady, NothingToTake, AlreadyProposed."""
    row = services.hold(import_id)
    if row.state != CHECKED:
        raise services.ImportNotReady(state=row.state)
    if not row.summary["loans"] and not row.summary["customers"]:
        raise NothingToTake()
    counted = {name: row.summary[name] for name in ("customers", "loans", "groups", "currency")}
    return desk.propose(
        kind=APPROVAL, subject=row, before={}, after=counted | {"differences": row.difference_count}, maker=maker,
        at=at, reason=reason, reference=row.digest[:12],
    )  # fmt: skip


def apply_approval(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """What the second person's yes does: the portfolio is taken in by a job. Raises ImportNotReady."""
    services.move(import_id=UUID(str(subject_id)), before=CHECKED, after=TAKING, actor=actor)
    queue.enqueue(TAKE, import_id=str(subject_id))


# --- jobs --------------------------------------------------------------------------------------------------------


@task(CHECK)
def run_check(import_id: str) -> None:
    """The dry run. A worker that dies leaves nothing but the progress."""
    found = UUID(import_id)
    with transaction.atomic():
        row, files = imports.one(found), imports.files(found)
    if row.state != CHECKING:
        return
    checked = _checked(found, files)
    with transaction.atomic():
        _note(found, checked)


@task(TAKE)
def run_take(import_id: str) -> None:
    """Takes in what was approved. Whatever has changed since its check is found by checking again: then nothing comes
    in, and the import says why."""
    found = UUID(import_id)
    for _ in range(ATTEMPTS):
        with transaction.atomic():
            row, files = imports.one(found), imports.files(found)
        if row.state != TAKING:
            return
        checked = _checked(found, files)
        if not checked.is_good:
            with transaction.atomic():
                _note(found, checked)
            return
        try:
            take(import_id=found, checked=checked, actor=SYSTEM, at=clock.now())
            return
        except (DayMoved, IntegrityError) as again:
            last: Exception = again
    raise last


def _checked(import_id: UUID, files: Sequence[File]) -> Checked:
    """The check, its progress written where a page can see it."""

    def tell(done: int, total: int) -> None:
        with transaction.atomic():
            services.note_progress(import_id=import_id, done=done, total=total)

    tenancy.forget_row()
    return check(files, tell=tell)


def _note(import_id: UUID, checked: Checked) -> None:
    services.note_check(
        import_id=import_id,
        on=checked.on,
        lines=checked.line_count,
        summary=checked.summary,
        problems=[problem.to_json() for problem in checked.problems],
        differences=[difference.to_json() for difference in checked.differences],
        actor=SYSTEM,
    )


def take(
    *, import_id: UUID, checked: Checked, actor: Actor, at: datetime, tell: Callable[[str], None] = lambda words: None
) -> None:
    """Everything, in one transaction, on the business date of the check. Raises DayMoved; IntegrityError when the same
    thing came in meanwhile."""
    assert checked.is_good
    with transaction.atomic():
        today = institutions.hold_business_date()
        if today != checked.on:
            raise DayMoved(today)
        row = services.hold(import_id)
        if row.state not in (CHECKED, TAKING):
            raise services.ImportNotReady(state=row.state)
        ledger.open_books()  # an institution founded before has no account for this yet
        tell("customers")
        customer_arrivals.take_in([arrival for _, _, arrival in checked.customers], actor=actor, at=at, on=today)
        people = [(name, said, arrival.party_id) for name, said, arrival in checked.customers]
        services.note_arrivals(import_id=import_id, kind=CUSTOMER, arrived=[*people, *checked.customers_met])
        tell("loans")
        loan_arrivals.take_in(
            [arrival for _, _, arrival in checked.loans], key=f"import:{import_id}", on=today, actor=actor
        )
        came = [(name, said, arrival.loan_id) for name, said, arrival in checked.loans]
        services.note_arrivals(import_id=import_id, kind=LOAN, arrived=came)
        services.note_taken(import_id=import_id, on=today, at=at, summary=checked.summary, actor=actor)
        queue.enqueue(PLAN, import_id=str(import_id), after="")


@task(PLAN)
def plan(import_id: str, after: str) -> None:
    """Reminders of the loans that came in, so many at a time; each time the next job begins after the last."""
    with transaction.atomic():
        came = imports.subjects(UUID(import_id), LOAN, after=UUID(after) if after else None, most=AT_ONCE)
        for _, loan_id in came:
            loan_life.plan_reminders(loan_id)
        if len(came) == AT_ONCE:
            queue.enqueue(PLAN, import_id=import_id, after=str(came[-1][0]))
