"""Offers: terms that we commit to until the end of a business day, accepted by a signature or gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.institutions import services as institutions
from usance.apps.origination import moves, states
from usance.apps.origination.models import Application, Offer
from usance.apps.origination.moves import JUST_AFTER_MIDNIGHT, ONE_DAY
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor

EXPIRE_OFFER = "offer.expire"


class OfferNotOpen(Refusal):
    """The offer was accepted, replaced or withdrawn."""

    code = "offer_not_open"
    state: str


class OfferExpired(Refusal):
    """The last day of the offer is over."""

    code = "offer_expired"
    expires_on: date


def make_offer(
    *,
    application_id: UUID,
    decision_id: UUID | None,
    amount_minor: int,
    term: int,
    terms: Terms,
    figures: Mapping[str, Any],
    expires_on: date,
    on: date,
    at: datetime,
    actor: Actor,
    held: Application | None = None,
) -> Offer:
    """Commits us to terms until the end of a business day; an open offer of the application is replaced. `held`: the
    application's row, if the caller has locked it."""
    row = held or moves.locked(application_id)
    close_all(row, Offer.REPLACED)
    plain = terms.to_json()
    offer = Offer.objects.create(
        application=row,
        decision_id=decision_id,
        amount_minor=amount_minor,
        term=term,
        terms=plain,
        terms_hash=audit.content_hash(plain),
        figures=dict(figures),
        made_on=on,
        made_at=at,
        expires_on=expires_on,
        org_path=row.org_path,
    )
    row.expires_on = expires_on
    row.save(update_fields=["expires_on"])
    audit.record(
        action="offer.made",
        subject=offer,
        actor=actor,
        details={"amount_minor": amount_minor, "expires_on": expires_on.isoformat()},
        digest=offer.terms_hash,
    )
    institutions.schedule(
        kind=EXPIRE_OFFER,
        due_on=expires_on + ONE_DAY,
        at_time=JUST_AFTER_MIDNIGHT,
        key=f"{EXPIRE_OFFER}:{offer.pk}",
        subject_id=offer.pk,
        org_path=row.org_path,
    )
    return offer


def accept_offer(*, offer_id: UUID, actor: Actor, on: date, at: datetime) -> Offer:
    """The borrower signed: the application is `signed`, the terms are as signed on this day. Raises OfferNotOpen,
    OfferExpired, StateDoesNotAllow."""
    found = Offer.objects.values_list("application_id", flat=True).get(pk=offer_id)
    row = moves.locked(
        found
    )  # the application first, everywhere: two requests then wait instead of locking each other out
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if offer.state != Offer.OPEN:
        raise OfferNotOpen(state=offer.state)
    if on > offer.expires_on:
        raise OfferExpired(expires_on=offer.expires_on)
    offer.terms = replace(offer.core_terms(), signed_on=on).to_json()
    offer.terms_hash = audit.content_hash(offer.terms)
    offer.state, offer.accepted_on, offer.accepted_at = Offer.ACCEPTED, on, at
    offer.save(update_fields=["terms", "terms_hash", "state", "accepted_on", "accepted_at"])
    moves.move(row, states.SIGNED, actor=actor, on=on, at=at)
    audit.record(action="offer.accepted", subject=offer, actor=actor, digest=offer.terms_hash)
    institutions.unschedule(subject_id=offer.pk, kinds=[EXPIRE_OFFER], at=at)
    return offer


def expire_offer(*, offer_id: UUID, on: date, at: datetime, actor: Actor = SYSTEM) -> str:
    """The last day of an offer is over. Gives what happened."""
    row = moves.locked(Offer.objects.values_list("application_id", flat=True).get(pk=offer_id))
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if offer.state != Offer.OPEN:
        return "settled"
    if on <= offer.expires_on:
        return "later"
    offer.state = Offer.LAPSED
    offer.save(update_fields=["state"])
    if row.state == states.APPROVED:
        moves.move(row, states.EXPIRED, actor=actor, on=on, at=at)
    return "expired"


def close_all(row: Application, state: str) -> None:
    """Whatever stands for an application ends in this state."""
    Offer.objects.filter(application=row, state__in=[Offer.OPEN, Offer.ACCEPTED]).update(state=state)
