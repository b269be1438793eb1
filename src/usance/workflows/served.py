"""Whom we lend to, looked at again at the last moment: at the signature, and before money goes to a card."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from usance.apps.customers import blacklist
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.core.refusals import Refusal


class NoLongerServed(Refusal):
    """The customer was blocked after the decision: nothing more is lent."""

    code = "no_longer_served"


class CustomerIsBlocked(Refusal):
    """The same, for the member of staff who would make an offer."""

    code = "customer_is_blocked"


class CardOfSomebodyElse(Refusal):
    """Another customer linked this card too, and nobody has looked at that: it came after the decision."""

    code = "card_of_somebody_else"


def blocks_of(*, party_id: UUID) -> list[blacklist.Hit]:
    """The entries in force that this customer meets, by anything they are known by, cards included."""
    marks = payments.fingerprints_of(party_id)
    return blacklist.hits(party_id=party_id, on=tenancy.current().business_date, card_fingerprints=marks)


def require(*, application: Any, card: Any) -> None:
    """Money may go to this customer by this card. Raises NoLongerServed, CardOfSomebodyElse."""
    if blocks_of(party_id=application.party_id):
        raise NoLongerServed()
    decided_at = application.decided_at
    if (decided_at is None or card.linked_at > decided_at) and payments.others_with(card):
        raise CardOfSomebodyElse()
