"""Whom we lend to, looked at when somebody asks for a loan, and again at the last moment: at the signature, and before
money goes to a card."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from usance.apps.customers import blacklist, protections
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.core.refusals import Refusal


class NoLongerServed(Refusal):
    """The customer was blocked after the decision, or is protected by the law: nothing more is lent."""

    code = "no_longer_served"


class CustomerIsBlocked(Refusal):
    """The same, for the member of staff who would make an offer."""

    code = "customer_is_blocked"


class CustomerIsProtected(Refusal):
    """The same, where a status that the law protects stops new loans."""

    code = "customer_is_protected"


class CardOfSomebodyElse(Refusal):
    """Another customer linked this card too, and nobody has looked at that: it came after the decision."""

    code = "card_of_somebody_else"


def blocks_of(*, party_id: UUID) -> list[blacklist.Hit]:
    """The entries in force that this customer meets, by anything they are known by, cards included."""
    marks = payments.fingerprints_of(party_id)
    return blacklist.hits(party_id=party_id, on=tenancy.current().business_date, card_fingerprints=marks)


def is_protected(*, party_id: UUID) -> bool:
    """Whether a status of the customer stops new loans today."""
    return protections.stops(party_id=party_id, what=protections.LENDING, on=tenancy.current().business_date)


def require_free(*, party_id: UUID) -> None:
    """Raises NoLongerServed for a customer to whom the law lets nobody lend."""
    if is_protected(party_id=party_id):
        raise NoLongerServed()


def require_offerable(*, party_id: UUID) -> None:
    """For the member of staff who would make an offer. Raises CustomerIsBlocked, CustomerIsProtected."""
    if blocks_of(party_id=party_id):
        raise CustomerIsBlocked()
    if is_protected(party_id=party_id):
        raise CustomerIsProtected()


def require(*, application: Any, card: Any) -> None:
    """Money may go to this customer by this card. Raises NoLongerServed, CardOfSomebodyElse."""
    if blocks_of(party_id=application.party_id):
        raise NoLongerServed()
    require_free(party_id=application.party_id)
    require_own_card(card=card, decided_at=application.decided_at)


def require_own_card(*, card: Any, decided_at: datetime | None) -> None:
    """A card that nobody has looked at, as it came after the decision, may be no other customer's too. Raises
    CardOfSomebodyElse."""
    if (decided_at is None or card.linked_at > decided_at) and payments.others_with(card):
        raise CardOfSomebodyElse()
