"""What is asked for and not received yet ends because of something else: its offer, its paper and its case too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from usance.apps.agreements import services as agreements
from usance.apps.decisioning import reasons as words
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.origination import selectors, services, states
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.ports.actor import Actor
from usance.workflows.take_application import UNDERWRITING

# a draft is not with us yet, rules are about to decide on what was just sent, and money on its way cannot be stopped
WITH_US = (states.REFERRED, states.ASKED, states.APPROVED, states.SIGNED)


def decline(*, party_id: UUID, reasons: Sequence[str], actor: Actor, at: datetime) -> int:
    """Declines everything of a customer that waits for a decision, a signature or another card. Says how many."""
    found = selectors.applications_of(party_id=party_id).filter(state__in=WITH_US)
    for application_id in list(found.values_list("pk", flat=True)):
        _decline(services.hold(application_id=application_id), reasons, actor, at)
    return len(found)


def _decline(row: Any, reasons: Sequence[str], actor: Actor, at: datetime) -> None:
    today, moment = tenancy.current().business_date, institutions.moment(tenancy.current(), at)
    if row.state not in WITH_US:
        return
    loan = loans.loan_of_application(row.pk)
    if loan is not None:
        servicing.cancel(loan_id=loan.pk, source=f"declined:{row.pk}", reason="declined before the payout", actor=actor)
    services.decided(
        application_id=row.pk, to=states.DECLINED, decision_id=None, reasons=reasons, on=today, at=at, actor=actor,
        held=row,
    )  # fmt: skip
    services.take_offers_back(held=row, at=at)
    agreements.void_unsigned(subject_id=row.pk)
    desk.finish_of(queue=UNDERWRITING, subject_id=row.pk, outcome="declined", actor=actor, at=moment)
    messaging.tell(
        party_id=row.party_id,
        template="application_declined",
        key=f"application_declined:{row.pk}:{row.transitions.count()}",
        moment=moment,
        context={"reference": row.reference, "reason": words.to_tell(reasons)[0]},
        subject=(states.SUBJECT, row.pk),
    )
