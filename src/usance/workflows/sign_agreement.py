"""From an open offer to a signed agreement whose money is on its way.

The paper is written by a job when the borrower opens the offer; the code that signs it names the amount and is bound to
the paper's hash; signing accepts the offer, records the signature and instructs the payout in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from usance.apps.agreements import services as agreements
from usance.apps.audit import services as audit
from usance.apps.customers import consents, sign_in
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors as applications
from usance.apps.origination import services as origination
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.products import calculator, caps
from usance.core.refusals import Refusal
from usance.ports.actor import Actor
from usance.workflows import fund_loan, one_time_codes, served

SUBJECT = "origination.application"
SIGNING = "electronic_signature"


class NoOpenOffer(Refusal):
    """There is no offer to sign: it was signed, it ended, or there never was one."""

    code = "no_open_offer"


class NoCardForPayout(Refusal):
    """The borrower has no card that money could be sent to."""

    code = "no_card_for_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    loan_id: UUID
    document_id: UUID


def _open_offer(application_id: UUID) -> applications.Offer:
    offer = applications.standing_offer(application_id=application_id)
    if offer is None or offer.state != "open":
        raise NoOpenOffer()
    return offer


def paper(*, application_id: UUID) -> agreements.Document:
    """The agreement of the open offer as of today, ordered if it was not written yet: an offer opened on a later day
    gets a paper with that day's dates. Raises NoOpenOffer, PriceOverCap."""
    return _paper(application_id)[0]


def _paper(application_id: UUID) -> tuple[agreements.Document, applications.Offer]:
    """The paper, and the open offer that it is about."""
    offer = _open_offer(application_id)
    application = offer.application
    institution = tenancy.current()
    today = institution.business_date
    terms = calculator.terms_signed_on(terms=offer.core_terms(), on=today)
    caps.check_contract(terms=terms, on=today)
    document = agreements.order(
        kind="agreement",
        key=f"agreement:{offer.pk}:{today}",
        party_id=application.party_id,
        subject=(SUBJECT, application.pk),
        language=application.language,
        reference=application.reference,
        issued_on=today,
        content={"terms": terms.to_json(), "offer": str(offer.pk)},
        org_path=application.org_path,
    )
    return document, offer


def _require_consent(party_id: UUID) -> None:
    """Signing by a code was agreed to, and not taken back since."""
    consents.require_consent(party_id=party_id, purpose=SIGNING, on=tenancy.current().business_date)


def send_code(*, application_id: UUID, address: str, at: datetime) -> one_time_codes.CodeSent:
    """Sends the code that signs. Raises NoOpenOffer, ConsentMissing, DocumentNotReady, CodeTooSoon, TooManyCodes."""
    document, offer = _paper(application_id)
    _require_consent(document.party_id)
    if not document.content_sha256:
        raise agreements.DocumentNotReady()
    return one_time_codes.send_signing_code(
        party_id=document.party_id,
        application_id=application_id,
        document_hash=document.content_sha256,
        amount_minor=offer.amount_minor,
        address=address,
        at=at,
    )


@audit.written_together()
def sign(
    *,
    application_id: UUID,
    card_id: UUID,
    code_id: UUID,
    code: str,
    evidence: Mapping[str, str],
    at: datetime,
    actor: Actor,
) -> Signed | Refusal:
    """Signs with the code. A wrong code is returned, not raised, so that the attempt stays counted. Raises NoOpenOffer,
    OfferExpired, DocumentChanged, ConsentMissing, NoCardForPayout, NoLongerServed, CardOfSomebodyElse,
    CardWaits."""
    document, offer = _paper(application_id)
    _require_consent(document.party_id)
    card = payments.cards_of(document.party_id).filter(pk=card_id).first()
    if card is None:
        raise NoCardForPayout()
    rails.require_payable(card_id=card_id, party_id=document.party_id, at=at)  # before the code is used up
    served.require(application=offer.application, card=card)
    checked = sign_in.check_code(
        code_id=code_id,
        code=code,
        context=one_time_codes.signing_context(
            application_id=application_id, document_hash=document.content_sha256, amount_minor=offer.amount_minor
        ),
        at=at,
    )
    if isinstance(checked, Refusal):
        return checked
    today = tenancy.current().business_date
    origination.accept_offer(offer_id=offer.pk, actor=actor, on=today, at=at)
    agreements.sign(
        document_id=document.pk,
        party_id=document.party_id,
        content_sha256=document.content_sha256,
        amount_minor=offer.amount_minor,
        code_id=code_id,
        on=today,
        at=at,
        evidence=evidence,
        actor=actor,
    )
    loan_id = fund_loan.fund(application_id=application_id, card_id=card_id, at=at, actor=actor)
    return Signed(loan_id=loan_id, document_id=document.pk)
