"""One-time codes from the request to the phone: issued by customers, carried by messaging, in one transaction.

The code is only in the message; the message stops being worth sending when the code expires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from usance.apps.customers import masking, sign_in
from usance.apps.customers import selectors as customers
from usance.apps.customers import services as parties
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.core.refusals import Refusal
from usance.ports.actor import Actor

PHONE, EMAIL = "phone", "email"
CHANNEL_OF = {PHONE: "sms", EMAIL: "email"}


@dataclass(frozen=True, slots=True)
class CodeSent:
    """What the page with the code's field needs: put `code_id` into the session."""

    code_id: UUID
    masked_to: str
    expires_at: datetime
    resend_at: datetime


class MustWait(RuntimeError):
    """A page tried to replace a phone number at once: a defect."""


class NoVerifiedPhone(Refusal):
    """The party has no phone to which a code could go."""

    code = "no_verified_phone"


def send_sign_in_code(
    *,
    phone: str,
    language: str,
    address: str,
    at: datetime,
    instead_of: UUID | None = None,
    device_token: str = "",
) -> CodeSent:
    """The same answer whether we know the phone or not. `instead_of`: the code that was asked for before, no longer
    good then. `device_token`: of the browser that asks. Raises PhoneNotValid, CodeTooSoon, TooManyCodes."""
    issued = sign_in.issue_code(purpose=sign_in.SIGN_IN, to=phone, address=address, at=at, device_token=device_token)
    if instead_of:
        sign_in.replace_code(code_id=instead_of, at=at)
    known = customers.party_with_phone(issued.to)
    return _send(issued, "code_sign_in", party_id=known, language=language, context={}, at=at)


def signing_context(*, application_id: UUID, document_hash: str, amount_minor: int) -> dict[str, str | int]:
    """What a signing code is good for: these very bytes and this amount."""
    return {"application": str(application_id), "document": document_hash, "amount_minor": amount_minor}


def send_signing_code(
    *, party_id: UUID, application_id: UUID, document_hash: str, amount_minor: int, address: str, at: datetime
) -> CodeSent:
    """A code that names the amount, to the borrower's verified phone. Raises NoVerifiedPhone, CodeTooSoon,
    TooManyCodes."""
    phone = customers.current_contact(party_id, PHONE)
    if phone is None:
        raise NoVerifiedPhone()
    issued = sign_in.issue_code(
        purpose=sign_in.SIGN_AGREEMENT,
        to=phone.value,
        party_id=party_id,
        context=signing_context(application_id=application_id, document_hash=document_hash, amount_minor=amount_minor),
        address=address,
        at=at,
    )
    return _send(issued, "code_signing", party_id=party_id, language="", context={"amount_minor": amount_minor}, at=at)


def part_context(*, loan_id: UUID, amount_minor: int, card_id: UUID) -> dict[str, str | int]:
    """What the code for a further part of a loan is good for: this much, to this card."""
    return {"loan": str(loan_id), "amount_minor": amount_minor, "card": str(card_id)}


def send_part_code(
    *, party_id: UUID, loan_id: UUID, amount_minor: int, card_id: UUID, card: str, address: str, at: datetime
) -> CodeSent:
    """A code that names the amount and the card, to the borrower's verified phone. Raises NoVerifiedPhone,
    CodeTooSoon, TooManyCodes."""
    phone = customers.current_contact(party_id, PHONE)
    if phone is None:
        raise NoVerifiedPhone()
    issued = sign_in.issue_code(
        purpose=sign_in.GET_PART,
        to=phone.value,
        party_id=party_id,
        context=part_context(loan_id=loan_id, amount_minor=amount_minor, card_id=card_id),
        address=address,
        at=at,
    )
    told = {"amount_minor": amount_minor, "card": card}
    return _send(issued, "code_part", party_id=party_id, language="", context=told, at=at)


def contact_context(party_id: UUID) -> dict[str, str]:
    return {"party": str(party_id)}


def send_contact_code(*, party_id: UUID, channel: str, value: str, address: str, at: datetime) -> CodeSent:
    """To a phone or e-mail address that the party says is theirs. Raises PhoneNotValid, EmailNotValid, CodeTooSoon,
    TooManyCodes."""
    issued = sign_in.issue_code(
        purpose=sign_in.VERIFY_CONTACT,
        to=value,
        channel=channel,
        party_id=party_id,
        context=contact_context(party_id),
        address=address,
        at=at,
    )
    return _send(issued, "code_contact", party_id=party_id, language="", context={}, at=at, channel=channel)


def check_contact_code(*, party_id: UUID, code_id: UUID, code: str, at: datetime) -> sign_in.CodeAnswer:
    """Whether the code of a new contact is right. Refusals are returned."""
    return sign_in.check_code(code_id=code_id, code=code, context=contact_context(party_id), at=at)


def confirm_contact(
    *, party_id: UUID, code_id: UUID, code: str, actor: Actor, at: datetime
) -> sign_in.CodeRight | Refusal:
    """With the right code an e-mail address becomes the party's, or a phone number where they have none; the address
    before ends and is told so. (A phone number that takes another's place waits: `changed_channels`.) A wrong code is
    returned, not raised, so that the attempt stays counted. Raises PhoneOfSomeoneElse."""
    answer = check_contact_code(party_id=party_id, code_id=code_id, code=code, at=at)
    if not isinstance(answer, sign_in.CodeRight):
        return answer
    before = [c for c in customers.contacts(party_id, answer.channel) if not c.ended_at and c.value != answer.to]
    if answer.channel == PHONE and any(contact.verified_at for contact in before):
        raise MustWait("a phone number that takes another's place goes through changed_channels")
    parties.add_contact(party_id=party_id, kind=answer.channel, value=answer.to, actor=actor, at=at, verified=True)
    for contact in before:
        parties.end_contact(contact_id=contact.contact_id, because="replaced", actor=actor, at=at)
        if contact.verified_at:
            messaging.send(
                template="email_changed",
                key=f"changed:{contact.contact_id}",
                moment=institutions.moment(tenancy.current(), at),
                party_id=party_id,
                to=contact.value,
                channel=CHANNEL_OF[answer.channel],
            )
    return answer


def _send(
    issued: sign_in.Issued,
    template: str,
    *,
    party_id: UUID | None,
    language: str,
    context: Mapping[str, object],
    at: datetime,
    channel: str = PHONE,
) -> CodeSent:
    messaging.send(
        template=template,
        key=f"code:{issued.code_id}",
        moment=institutions.moment(tenancy.current(), at),
        party_id=party_id,
        to=issued.to,
        channel=CHANNEL_OF[channel],
        language=language,
        context={"code": issued.code, "minutes": int(sign_in.LIFE.total_seconds()) // 60, **context},
        useless_after=issued.expires_at,
    )
    masked = masking.phone(issued.to) if channel == PHONE else masking.email(issued.to)
    return CodeSent(issued.code_id, masked, issued.expires_at, issued.resend_at)
