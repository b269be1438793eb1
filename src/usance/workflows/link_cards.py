"""A card is linked on the provider's page, for an application: as often as an honest person needs, and no more."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from usance.apps.customers import services as customers
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.core.refusals import Refusal
from usance.ports.actor import Actor

LINKS_A_DAY = 10  # each holds money for a moment, and a stolen card's number could be tried by it
DAY = timedelta(days=1)


class TooManyCardLinks(Refusal):
    """So many cards were tried by this customer within a day."""

    code = "too_many_card_links"


def link(*, application: Any, key: str, description: str, language: str, at: datetime, actor: Actor) -> Any:
    """The order for the provider's page, the same one for the same key of the same customer. Raises
    TooManyCardLinks."""
    customers.hold(party_id=application.party_id)  # or a form sent twice at once would be counted once
    own_key = f"link:{application.party_id}:{key[:64] or secrets.token_hex(16)}"
    known = payments.by_key(own_key)
    if known is not None:
        return known
    if payments.given_since(party_id=application.party_id, kind="card_link", since=at - DAY) >= LINKS_A_DAY:
        raise TooManyCardLinks()
    return rails.give(
        kind="card_link",
        key=own_key,
        amount_minor=_small_amount(tenancy.current().currency_digits),
        party_id=application.party_id,
        subject_type="origination.application",
        subject_id=application.pk,
        then="changed_channels.card_linked",
        description=description,
        language=language,
        org_path=application.org_path,
        at=at,
        actor=actor,
    )


def _small_amount(digits: int) -> int:
    """A random small amount, which the holder reads in their bank's app: that shows the card is theirs."""
    return (100 + secrets.randbelow(100)) * 10 ** max(0, 2 - digits)
