"""An application moves from state to state, is answered and reviewed; each change is a row of history. Offers are in
`offers.py`, offered here too."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.institutions import services as institutions
from usance.apps.origination import models, moves, offers, selectors, states
from usance.apps.origination.models import Answer, Application, Offer, Review
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor

EXPIRE_APPLICATION, EXPIRE_OFFER = moves.EXPIRE_APPLICATION, offers.EXPIRE_OFFER
StateDoesNotAllow = moves.StateDoesNotAllow
OfferExpired, OfferNotOpen = offers.OfferExpired, offers.OfferNotOpen
make_offer, accept_offer, expire_offer = offers.make_offer, offers.accept_offer, offers.expire_offer
SOURCE_KEYS = frozenset(
    {
        "referrer",
        "landing",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_content",
        "utm_term",
        "click_id",
        "affiliate",
        "sub_id",
    }
)
LONGEST_SOURCE = 200


class ApplicationOpen(Refusal):
    """The customer has an application under way; one at a time."""

    code = "application_open"
    reference: str


# --- the application ---------------------------------------------------------------------------------------------


def forget(*, party_id: UUID) -> None:
    """Erasure: where the person's visits came from, and the links by which they could go on."""
    Application.objects.filter(party_id=party_id).update(source={}, resume_token_hash="")


def start(
    *,
    party_id: UUID,
    version_id: UUID,
    customer_kind: str,
    amount_minor: int,
    term: int,
    channel: str,
    language: str,
    source: Mapping[str, str],
    expires_on: date,
    on: date,
    at: datetime,
    actor: Actor,
    org_path: str = "root",
) -> tuple[Application, str]:
    """A draft, and the token of its resume link (kept as a hash only). Raises ApplicationOpen."""
    running = Application.objects.filter(party_id=party_id, state__in=states.OPEN).first()
    if running is not None:
        raise ApplicationOpen(reference=running.reference)
    token = secrets.token_urlsafe(16)
    row = Application.objects.create(
        number=institutions.next_number(series="application"),
        party_id=party_id,
        product_version_id=version_id,
        customer_kind=customer_kind,
        amount_minor=amount_minor,
        term=term,
        channel=channel,
        language=language,
        source={key: str(item)[:LONGEST_SOURCE] for key, item in source.items() if key in SOURCE_KEYS and item},
        resume_token_hash=models.token_hash(token),
        started_on=on,
        started_at=at,
        expires_on=expires_on,
        org_path=org_path,
    )
    moves.note(row, "", row.state, actor=actor, on=on, at=at)
    moves.expire_after(row)
    return row, token


def renew_token(*, application_id: UUID) -> str:
    """A new token for the resume link; the old link ends."""
    token = secrets.token_urlsafe(16)
    Application.objects.filter(pk=application_id).update(resume_token_hash=models.token_hash(token))
    return token


def change_request(
    *, application_id: UUID, version_id: UUID, customer_kind: str, amount_minor: int, term: int
) -> Application:
    """Another amount, term or product, while it is a draft. Raises StateDoesNotAllow."""
    row = moves.locked(application_id)
    moves.require(row, states.DRAFT, to="changed")
    row.product_version_id, row.customer_kind = version_id, customer_kind
    row.amount_minor, row.term = amount_minor, term
    row.save(update_fields=["product_version", "customer_kind", "amount_minor", "term"])
    return row


def remember_page(*, application_id: UUID, page: str) -> None:
    """Where to go on, on whatever device."""
    Application.objects.filter(pk=application_id).update(page=page)


def record_answers(*, application_id: UUID, answers: Mapping[str, str], came_from: str, at: datetime) -> Application:
    """Keeps the answers that differ from the latest ones, sealed under the applicant's key. Raises StateDoesNotAllow
    once the application is with us."""
    row = moves.locked(application_id)
    add_answers(row, told=selectors.told(row), answers=answers, came_from=came_from, at=at)
    return row


def add_answers(
    row: Application, *, told: selectors.Told, answers: Mapping[str, str], came_from: str, at: datetime
) -> None:
    """The same for a row that the caller has locked (`selectors.locked_application`), and whose latest answers it has
    read since."""
    if row.state not in (states.DRAFT, states.ASKED):
        raise StateDoesNotAllow(state=row.state, to="answered")
    changed = {code: text for code, text in answers.items() if told.answers.get(code, "") != text}
    if not changed:
        return
    keys = vault.keys_for([row.party_id])
    Answer.objects.bulk_create(
        Answer(
            application=row,
            sequence=told.last + place,
            question=code,
            sealed=keys.seal(text, party_id=row.party_id, field=models.ANSWER),
            came_from=came_from,
            given_at=at,
        )
        for place, (code, text) in enumerate(changed.items(), start=1)
    )


def submit(
    *, application_id: UUID, terms: Terms, consents: Sequence[UUID], on: date, at: datetime, actor: Actor
) -> Application:
    """Freezes terms and consents: what the product becomes later no longer matters. Raises StateDoesNotAllow."""
    row = moves.locked(application_id)
    moves.require(row, states.DRAFT, to=states.SUBMITTED)
    row.terms = terms.to_json()
    row.terms_hash = audit.content_hash(row.terms)
    row.consents = [str(consent) for consent in consents]
    row.submitted_on, row.submitted_at = on, at
    changed = ("terms", "terms_hash", "consents", "submitted_on", "submitted_at")
    moves.move(row, states.SUBMITTED, actor=actor, on=on, at=at, digest=row.terms_hash, changed=changed)
    institutions.unschedule(subject_id=row.pk, kinds=[EXPIRE_APPLICATION], at=at)
    return row


def hold(*, application_id: UUID) -> Application:
    """The application, about which nobody else decides until the caller's transaction ends."""
    return moves.locked(application_id)


def move(
    *,
    application_id: UUID,
    to: str,
    actor: Actor,
    on: date,
    at: datetime,
    reasons: Iterable[str] = (),
    held: Application | None = None,
) -> Application:
    """The next state, if it may follow the present one. `held`: the row, if the caller has locked it. Raises
    StateDoesNotAllow."""
    row = held or moves.locked(application_id)
    moves.move(row, to, actor=actor, on=on, at=at, reasons=reasons)
    return row


def decided(
    *,
    application_id: UUID,
    to: str,
    decision_id: UUID | None,
    reasons: Sequence[str],
    on: date,
    at: datetime,
    actor: Actor,
    held: Application | None = None,
) -> Application:
    """What rules or a person decided: approved, declined or referred, and why. `held`: as for `move`."""
    row = held or moves.locked(application_id)
    row.reasons = list(reasons)
    if decision_id is not None:
        row.decision_id = decision_id
    if to in (states.APPROVED, states.DECLINED):
        row.decided_on, row.decided_at = on, at
    changed = ("reasons", "decision", "decided_on", "decided_at")
    moves.move(row, to, actor=actor, on=on, at=at, reasons=reasons, changed=changed)
    return row


def ask(
    *,
    application_id: UUID,
    question: str,
    expires_on: date,
    reasons: Sequence[str],
    on: date,
    at: datetime,
    actor: Actor,
) -> Application:
    """The applicant is asked for something, and has until a day to answer."""
    row = moves.locked(application_id)
    row.question_sealed = vault.seal(question, party_id=row.party_id, field=models.QUESTION)
    row.expires_on = expires_on
    row.save(update_fields=["question_sealed", "expires_on"])
    moves.move(row, states.ASKED, actor=actor, on=on, at=at, reasons=reasons)
    moves.expire_after(row)
    return row


def withdraw(*, application_id: UUID, actor: Actor, on: date, at: datetime, reasons: Iterable[str] = ()) -> Application:
    """The applicant no longer wants it; an open offer goes with it. Raises StateDoesNotAllow."""
    row = moves.locked(application_id)
    moves.move(row, states.WITHDRAWN, actor=actor, on=on, at=at, reasons=reasons)
    take_offers_back(held=row, at=at)
    return row


def take_offers_back(*, held: Application, at: datetime) -> None:
    """Whatever stands for the application no longer does. `held`: its row, locked by the caller."""
    offers.close_all(held, Offer.TAKEN_BACK)
    institutions.unschedule(subject_id=held.pk, kinds=[EXPIRE_APPLICATION], at=at)


def expire_application(*, application_id: UUID, on: date, at: datetime, actor: Actor = SYSTEM) -> str:
    """A draft or a question that nobody went on with. Gives what happened."""
    row = moves.locked(application_id)
    if row.state not in (states.DRAFT, states.ASKED):
        return "went on"
    if on <= row.expires_on:
        return "later"
    moves.move(row, states.EXPIRED, actor=actor, on=on, at=at)
    return "expired"


# --- reviews -----------------------------------------------------------------------------------------------------


def record_review(
    *,
    application: Application,
    reviewer_id: UUID,
    outcome: str,
    reasons: Sequence[str],
    note: str,
    amount_minor: int | None,
    opened_at: datetime | None,
    at: datetime,
) -> Review:
    """What a person decided, in their own words too (sealed), and for how long they looked."""
    return Review.objects.create(
        application=application,
        reviewer_id=reviewer_id,
        outcome=outcome,
        reasons=list(reasons),
        amount_minor=amount_minor,
        note_sealed=vault.seal(note, party_id=application.party_id, field=models.NOTE) if note else None,
        opened_at=opened_at,
        made_at=at,
        seconds=max(int((at - opened_at).total_seconds()), 0) if opened_at else None,
        org_path=application.org_path,
    )
