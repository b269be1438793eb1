"""An application moves from state to state, is answered, offered upon, reviewed. Each change is a row of history."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.institutions import services as institutions
from usance.apps.origination import models, selectors
from usance.apps.origination.models import Answer, Application, Offer, Review, Transition
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor

EXPIRE_APPLICATION, EXPIRE_OFFER = "application.expire", "offer.expire"
JUST_AFTER_MIDNIGHT = time(0, 5)
ONE_DAY = timedelta(days=1)
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


class StateDoesNotAllow(Refusal):
    """The application is in a state from which this does not follow."""

    code = "application_state_does_not_allow"
    state: str
    to: str


class ApplicationOpen(Refusal):
    """The customer has an application under way; one at a time."""

    code = "application_open"
    reference: str


class OfferNotOpen(Refusal):
    """The offer was accepted, replaced or withdrawn."""

    code = "offer_not_open"
    state: str


class OfferExpired(Refusal):
    """The last day of the offer is over."""

    code = "offer_expired"
    expires_on: date


# --- the application ---------------------------------------------------------------------------------------------


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
    running = Application.objects.filter(party_id=party_id, state__in=models.OPEN).first()
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
    _note(row, "", row.state, actor=actor, on=on, at=at)
    _expire_after(row)
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
    row = _locked(application_id)
    _require(row, models.DRAFT, to="changed")
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
    row = _locked(application_id)
    if row.state not in (models.DRAFT, models.ASKED):
        raise StateDoesNotAllow(state=row.state, to="answered")
    latest = selectors.answers(row)
    changed = {code: text for code, text in answers.items() if latest.get(code, "") != text}
    last = row.answers.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    keys = vault.keys_for([row.party_id])
    Answer.objects.bulk_create(
        Answer(
            application=row,
            sequence=last + place,
            question=code,
            sealed=keys.seal(text, party_id=row.party_id, field=models.ANSWER),
            came_from=came_from,
            given_at=at,
        )
        for place, (code, text) in enumerate(changed.items(), start=1)
    )
    return row


def submit(
    *, application_id: UUID, terms: Terms, consents: Sequence[UUID], on: date, at: datetime, actor: Actor
) -> Application:
    """Freezes terms and consents: what the product becomes later no longer matters. Raises StateDoesNotAllow."""
    row = _locked(application_id)
    _require(row, models.DRAFT, to=models.SUBMITTED)
    row.terms = terms.to_json()
    row.terms_hash = audit.content_hash(row.terms)
    row.consents = [str(consent) for consent in consents]
    row.submitted_on, row.submitted_at = on, at
    row.save(update_fields=["terms", "terms_hash", "consents", "submitted_on", "submitted_at"])
    _move(row, models.SUBMITTED, actor=actor, on=on, at=at, digest=row.terms_hash)
    institutions.unschedule(subject_id=row.pk, kinds=[EXPIRE_APPLICATION], at=at)
    return row


def move(
    *, application_id: UUID, to: str, actor: Actor, on: date, at: datetime, reasons: Iterable[str] = ()
) -> Application:
    """The next state, if it may follow the present one. Raises StateDoesNotAllow."""
    row = _locked(application_id)
    _move(row, to, actor=actor, on=on, at=at, reasons=reasons)
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
) -> Application:
    """What rules or a person decided: approved, declined or referred, and why."""
    row = _locked(application_id)
    row.reasons = list(reasons)
    if decision_id is not None:
        row.decision_id = decision_id
    if to in (models.APPROVED, models.DECLINED):
        row.decided_on, row.decided_at = on, at
    row.save(update_fields=["reasons", "decision", "decided_on", "decided_at"])
    _move(row, to, actor=actor, on=on, at=at, reasons=reasons)
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
    row = _locked(application_id)
    row.question_sealed = vault.seal(question, party_id=row.party_id, field=models.QUESTION)
    row.expires_on = expires_on
    row.save(update_fields=["question_sealed", "expires_on"])
    _move(row, models.ASKED, actor=actor, on=on, at=at, reasons=reasons)
    _expire_after(row)
    return row


def withdraw(*, application_id: UUID, actor: Actor, on: date, at: datetime, reasons: Iterable[str] = ()) -> Application:
    """The applicant no longer wants it; an open offer goes with it. Raises StateDoesNotAllow."""
    row = _locked(application_id)
    _move(row, models.WITHDRAWN, actor=actor, on=on, at=at, reasons=reasons)
    _close_offers(row, Offer.TAKEN_BACK)
    institutions.unschedule(subject_id=row.pk, kinds=[EXPIRE_APPLICATION], at=at)
    return row


def expire_application(*, application_id: UUID, on: date, at: datetime, actor: Actor = SYSTEM) -> str:
    """A draft or a question that nobody went on with. Gives what happened."""
    row = _locked(application_id)
    if row.state not in (models.DRAFT, models.ASKED):
        return "went on"
    if on <= row.expires_on:
        return "later"
    _move(row, models.EXPIRED, actor=actor, on=on, at=at)
    return "expired"


# --- offers ------------------------------------------------------------------------------------------------------


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
) -> Offer:
    """Commits us to terms until the end of a business day; an open offer of the application is replaced."""
    row = _locked(application_id)
    _close_offers(row, Offer.REPLACED)
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
    row = _locked(found)  # the application first, everywhere: two requests then wait instead of locking each other out
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if offer.state != Offer.OPEN:
        raise OfferNotOpen(state=offer.state)
    if on > offer.expires_on:
        raise OfferExpired(expires_on=offer.expires_on)
    offer.terms = replace(offer.core_terms(), signed_on=on).to_json()
    offer.terms_hash = audit.content_hash(offer.terms)
    offer.state, offer.accepted_on, offer.accepted_at = Offer.ACCEPTED, on, at
    offer.save(update_fields=["terms", "terms_hash", "state", "accepted_on", "accepted_at"])
    _move(row, models.SIGNED, actor=actor, on=on, at=at)
    audit.record(action="offer.accepted", subject=offer, actor=actor, digest=offer.terms_hash)
    institutions.unschedule(subject_id=offer.pk, kinds=[EXPIRE_OFFER], at=at)
    return offer


def expire_offer(*, offer_id: UUID, on: date, at: datetime, actor: Actor = SYSTEM) -> str:
    """The last day of an offer is over. Gives what happened."""
    row = _locked(Offer.objects.values_list("application_id", flat=True).get(pk=offer_id))
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if offer.state != Offer.OPEN:
        return "settled"
    if on <= offer.expires_on:
        return "later"
    offer.state = Offer.LAPSED
    offer.save(update_fields=["state"])
    if row.state == models.APPROVED:
        _move(row, models.EXPIRED, actor=actor, on=on, at=at)
    return "expired"


def _close_offers(row: Application, state: str) -> None:
    Offer.objects.filter(application=row, state__in=[Offer.OPEN, Offer.ACCEPTED]).update(state=state)


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


# --- inside ------------------------------------------------------------------------------------------------------


def _locked(application_id: UUID) -> Application:
    row: Application = Application.objects.select_for_update(of=("self",)).get(pk=application_id)
    return row


def _require(row: Application, state: str, *, to: str) -> None:
    if row.state != state:
        raise StateDoesNotAllow(state=row.state, to=to)


def _move(
    row: Application,
    to: str,
    *,
    actor: Actor,
    on: date,
    at: datetime,
    reasons: Iterable[str] = (),
    digest: str = "",
) -> None:
    if to not in models.TRANSITIONS[row.state]:
        raise StateDoesNotAllow(state=row.state, to=to)
    before, row.state = row.state, to
    row.save(update_fields=["state"])
    _note(row, before, to, actor=actor, on=on, at=at, reasons=reasons, digest=digest)


def _note(
    row: Application,
    before: str,
    to: str,
    *,
    actor: Actor,
    on: date,
    at: datetime,
    reasons: Iterable[str] = (),
    digest: str = "",
) -> None:
    why = list(reasons)
    Transition.objects.create(
        application=row,
        from_state=before,
        to_state=to,
        on=on,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id[:60],
        reasons=why,
    )
    details = {"was": before, "reasons": why} if why else {"was": before}
    audit.record(action=f"application.{to}", subject=row, actor=actor, details=details, digest=digest)


def _expire_after(row: Application) -> None:
    institutions.schedule(
        kind=EXPIRE_APPLICATION,
        due_on=row.expires_on + ONE_DAY,
        at_time=JUST_AFTER_MIDNIGHT,
        key=f"{EXPIRE_APPLICATION}:{row.pk}:{row.expires_on}",
        subject_id=row.pk,
        org_path=row.org_path,
    )
