"""Cards: kept when their holder has linked them, held back where they take another one's place, removed, disowned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.institutions import rows, tenancy
from usance.apps.institutions import selectors as institutions
from usance.apps.payments import selectors
from usance.apps.payments.models import Card
from usance.apps.payments.refusals import CardInUse, CardNotUsable, CardWaits
from usance.ports.actor import Actor
from usance.ports.payment_rail import Card as RailCard

CARD, TOKEN = "card", "payments_card.token"


def require_payable(*, card_id: UUID, party_id: UUID, at: datetime) -> None:
    """Money may go to this card now. Holds the card until the transaction ends, so that whoever blocks it sees what was
    instructed before. Raises CardNotUsable, CardWaits."""
    found = Card.objects.select_for_update().filter(selectors.usable_cards(), pk=card_id, party_id=party_id).first()
    if found is None:
        raise CardNotUsable()
    if found.payout_from and found.waits(institutions.moment(tenancy.current(), at)):
        raise CardWaits(payout_from=found.payout_from)


def token_of(card: Card) -> str:
    """The rail's token of a card, for a worker that is about to use it."""
    return vault.unseal(card.token, party_id=card.party_id, field=TOKEN)


def keep_card(
    *,
    party_id: UUID,
    provider: str,
    merchant: str,
    told: RailCard,
    at: datetime,
    org_path: str,
    payout_from: datetime | None = None,
) -> Card:
    """A card that its holder proved to be theirs on the rail's page: the token is sealed, its blind index kept. Linked
    again, it waits no longer than it did; one that its owner disowned stays blocked."""
    token = told.token or ""
    which = {"party_id": party_id, "token_index": vault.blind(token, kind=CARD).hex()}
    facts = {
        "provider": provider,
        "merchant": merchant,
        "token": vault.seal(token, party_id=party_id, field=TOKEN),
        "last4": told.last4,
        "brand": told.brand,
        "expires_on": told.expires_on,
        "state": Card.State.ACTIVE,
        "linked_at": at,
        "payout_from": payout_from,
        "org_path": org_path,
    }
    card = Card(**which, **facts)
    if rows.insert_new(card):
        return card
    card = Card.objects.select_for_update().get(**which)
    if card.state == Card.State.BLOCKED:
        return card
    if card.state == Card.State.ACTIVE or selectors.has_received(card):
        facts["payout_from"] = card.payout_from
    for name, value in facts.items():
        setattr(card, name, value)
    card.save(update_fields=list(facts))
    return card


def remove_card(*, card_id: UUID, party_id: UUID, actor: Actor) -> Card:
    """Its owner removes a card; it can be linked again later. Twice is once. Raises CardInUse."""
    card = Card.objects.select_for_update().get(pk=card_id, party_id=party_id)
    if card.state == Card.State.REMOVED:
        return card
    if selectors.is_used_by(card_id=card_id):
        raise CardInUse()
    card.state = Card.State.REMOVED
    card.save(update_fields=["state"])
    audit.record(action="payments.card_removed", subject=card, actor=actor, details={})
    return card


def unblock_card(*, card_id: UUID, actor: Actor) -> Card:
    """It was the customer after all: the card can be used, and what is left of its wait runs on."""
    card = Card.objects.select_for_update().get(pk=card_id)
    if card.state == Card.State.BLOCKED:
        card.state = Card.State.ACTIVE
        card.save(update_fields=["state"])
        audit.record(action="payments.card_unblocked", subject=card, actor=actor, details={})
    return card
