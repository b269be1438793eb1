"""From the first page of an application to its submission. The pages in between are in `answer_pages.py`, offered here
too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.agreements import services as agreements
from usance.apps.audit import services as audit
from usance.apps.customers import consents
from usance.apps.customers import selectors as customers
from usance.apps.customers import services as customer_services
from usance.apps.desk import services as desk
from usance.apps.institutions import commands, tenancy
from usance.apps.institutions import selectors as institutions
from usance.apps.origination import questions, selectors, services
from usance.apps.products import calculator, caps
from usance.apps.products import selectors as products
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor
from usance.ports.queue import enqueue
from usance.workflows import answer_pages, served

UNDERWRITING = "underwriting"
WhoFirst = answer_pages.WhoFirst
page_states, next_page, save_page = answer_pages.page_states, answer_pages.next_page, answer_pages.save_page
consents_asked, save_consents = answer_pages.consents_asked, answer_pages.save_consents
check_answers, mark, is_known = answer_pages.check_answers, answer_pages.mark, answer_pages.is_known


class ApplicationIncomplete(Refusal):
    """Something that must be answered is not; `pages` says where."""

    code = "application_incomplete"
    pages: tuple[str, ...]


class ApplicationChanged(Refusal):
    """An answer, the amount or the prices are not those of the page that was sent."""

    code = "application_changed"


class ProductChanged(Refusal):
    """A newer version of the product is in force than the one the applicant saw: the figures must be shown again."""

    code = "product_changed"
    product: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """`resume_token` is shown once: in the resume link."""

    application: Any
    resume_token: str


def customer_kind(*, party_id: UUID, on: date) -> str:
    """Who repaid a loan is a returning customer; everybody else is here for the first time."""
    return "returning" if loans.history_of_party(party_id=party_id, on=on).closed_count else "first"


def start(
    *,
    party_id: UUID,
    product_code: str,
    amount_minor: int,
    term: int,
    language: str,
    at: datetime,
    actor: Actor,
    channel: str = "web",
    source: Mapping[str, str] | None = None,
) -> Started:
    """A draft with what is already known filled in. An unfinished draft of the same person goes on instead, with the
    new wish. Raises ProductNotOffered, AmountNotOffered, TermNotOffered, ApplicationOpen, NoLongerServed."""
    served.require_free(party_id=party_id)
    today = tenancy.current().business_date
    version = products.version_in_force(product_code=product_code, on=today)
    config = products.config_of(version)
    kind = customer_kind(party_id=party_id, on=today)
    wish: dict[str, Any] = {"version_id": version.pk, "customer_kind": kind, "amount_minor": amount_minor, "term": term}
    calculator.quote(version=version, amount_minor=amount_minor, term=term, customer_kind=kind, on=today)
    customer_services.hold(party_id=party_id)  # or the same form sent twice would begin two
    running = selectors.open_application(party_id=party_id)
    if running is not None and running.state == "draft":
        services.change_request(application_id=running.pk, **wish)
        token = services.renew_token(application_id=running.pk)
        return Started(application=selectors.application(application_id=running.pk), resume_token=token)
    row, token = services.start(
        party_id=party_id,
        channel=channel,
        language=language,
        source=source or {},
        expires_on=today + timedelta(days=config.draft_days),
        on=today,
        at=at,
        actor=actor,
        org_path=customers.party_row(party_id).org_path,
        **wish,
    )
    _fill_in(row.pk, party_id, at)
    return Started(application=selectors.application(application_id=row.pk), resume_token=token)


def _fill_in(application_id: UUID, party_id: UUID, at: datetime) -> None:
    """What the customer told us before is not asked again: what their file knows, and what they told in an application
    that was never sent."""
    profile = customers.profile(party_id)
    known = {code: _stored(value) for code, value in profile.values.items() if code in questions.QUESTIONS}
    emails = [contact.value for contact in customers.contacts(party_id, "email") if contact.ended_at is None]
    known |= {"email": emails[0] if emails else "", "identity_number": profile.identity_number}
    unsent = selectors.answers_of_last_unsent(party_id=party_id)
    answers = {**unsent, **{code: text for code, text in known.items() if text}}
    if answers:
        services.record_answers(application_id=application_id, answers=answers, came_from="customer", at=at)


def _stored(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def change_request(*, application_id: UUID, product_code: str, amount_minor: int, term: int) -> Any:
    """Another amount, term or product for a draft, at today's prices."""
    today = tenancy.current().business_date
    row = selectors.application(application_id=application_id)
    version = products.version_in_force(product_code=product_code, on=today)
    kind = customer_kind(party_id=row.party_id, on=today)
    calculator.quote(version=version, amount_minor=amount_minor, term=term, customer_kind=kind, on=today)
    return services.change_request(
        application_id=application_id, version_id=version.pk, customer_kind=kind, amount_minor=amount_minor, term=term
    )


def refresh(*, application_id: UUID) -> Any:
    """Brings a draft to the version of its product that is in force today: for the page that shows its figures.
    Raises AmountNotOffered, TermNotOffered, ProductNotOffered where today's product has no room for the wish."""
    row = selectors.application(application_id=application_id)
    if row.state == "draft" and not _is_current(row):
        change_request(
            application_id=row.pk, product_code=row.product.code, amount_minor=row.amount_minor, term=row.term
        )
        row = selectors.application(application_id=application_id)
    return row


def _is_current(row: Any) -> bool:
    today = tenancy.current().business_date
    version = products.version_in_force(product_code=row.product.code, on=today)
    kind = customer_kind(party_id=row.party_id, on=today)
    return bool(version.pk == row.product_version_id and kind == row.customer_kind)


def quote(*, application_id: UUID) -> calculator.Quote:
    """What the wish costs when signed today."""
    row = selectors.application(application_id=application_id)
    return _quote(row, tenancy.current().business_date)


def _quote(row: Any, on: date) -> calculator.Quote:
    return calculator.quote(
        version=row.product_version,
        amount_minor=row.amount_minor,
        term=row.term,
        customer_kind=row.customer_kind,
        on=on,
    )


# --- submission --------------------------------------------------------------------------------------------------


def submit(*, application_id: UUID, key: str, at: datetime, actor: Actor, shown: str = "") -> Mapping[str, Any]:
    """Hands the application in, once per key: facts go to the customer's file, terms and consents are frozen, the
    decision is ordered. `shown`: the `mark` of the page that was sent. Raises ApplicationIncomplete, ProductChanged,
    ApplicationChanged, PriceOverCap, StateDoesNotAllow, NoLongerServed and what the customer's file refuses; nothing is
    kept then."""
    with transaction.atomic():
        return commands.once(
            name="application.submit",
            key=f"{application_id}:{key}",
            inputs={"application_id": str(application_id)},
            run=lambda: _submit(application_id, shown, at, actor),
        )


@audit.written_together()
def _submit(application_id: UUID, shown: str, at: datetime, actor: Actor) -> Mapping[str, Any]:
    row = selectors.locked_application(application_id=application_id)
    if row.state != "draft":
        raise services.StateDoesNotAllow(state=row.state, to="submitted")
    served.require_free(party_id=row.party_id)
    known = selectors.answers(row)
    open_pages = [s.page.code for s in answer_pages.states_of(row, known) if not s.is_done and s.page.kind != "check"]
    if open_pages:
        raise ApplicationIncomplete(pages=tuple(open_pages))
    if not _is_current(row):
        raise ProductChanged(product=row.product.code)
    if shown and shown != mark(row):
        raise ApplicationChanged()
    today = tenancy.current().business_date
    terms = _quote(row, today).terms
    caps.check_contract(terms=terms, on=today)
    _tell_customer_file(row, known, at, actor, today)
    purposes = (*answer_pages.REQUIRED_CONSENTS, *answer_pages.OPTIONAL_CONSENTS)
    standing = consents.consents_on(party_id=row.party_id, purposes=purposes, on=today)
    given = [standing[purpose].pk for purpose in purposes if purpose in standing]
    services.submit(application_id=row.pk, terms=terms, consents=given, on=today, at=at, actor=actor)
    enqueue("applications.decide", key=f"decide:{row.pk}", application_id=str(row.pk))
    return {"application_id": str(row.pk), "reference": row.reference}


def _tell_customer_file(row: Any, known: Mapping[str, str], at: datetime, actor: Actor, today: date) -> None:
    """What is new in the answers becomes a dated fact about the customer."""
    profile = customers.profile(row.party_id)
    stated = {code: _fact(code, text) for code, text in known.items() if questions.QUESTIONS[code].fact}
    news = {code: value for code, value in stated.items() if profile.values.get(code) != value}
    source = "staff" if actor.is_staff else "applicant"
    if news:
        customer_services.state_facts(
            party_id=row.party_id, facts=news, source=source, source_id=str(row.pk), actor=actor, at=at, on=today
        )
    number = known.get("identity_number")
    if number and number != profile.identity_number:
        born = known.get("birth_date")
        customer_services.set_identity_number(
            party_id=row.party_id,
            number=number,
            birth_date=date.fromisoformat(born) if born else None,
            source=source,
            actor=actor,
            at=at,
            on=today,
        )
    email = known.get("email")
    if email:
        customer_services.add_contact(party_id=row.party_id, kind="email", value=email, actor=actor, at=at)


def _fact(code: str, text: str) -> Any:
    kind = questions.QUESTIONS[code].kind
    if kind == "date":
        return date.fromisoformat(text)
    return int(text) if kind in ("whole", "money") else text


# --- ends --------------------------------------------------------------------------------------------------------


def withdraw(*, application_id: UUID, at: datetime, actor: Actor) -> Any:
    """The applicant gives up before anything was signed (after the signature: `fund_loan.leave`)."""
    row = services.hold(application_id=application_id)  # or it could be signed in another tab meanwhile
    if row.state in ("signed", "funding"):
        raise services.StateDoesNotAllow(state=row.state, to="withdrawn")
    gone = services.withdraw(application_id=application_id, actor=actor, on=tenancy.current().business_date, at=at)
    agreements.void_unsigned(subject_id=application_id)
    _close_case(application_id, "withdrawn", at=institutions.moment(tenancy.current(), at), actor=actor)
    return gone


def sweep(*, subject_id: UUID, due_on: date, moment: datetime) -> str:
    """A draft or a question whose time is over; a case about it is over too. Gives what happened."""
    outcome = services.expire_application(application_id=subject_id, on=due_on, at=clock.now())
    if outcome == "expired":
        _close_case(subject_id, "expired", at=moment, actor=SYSTEM)
    return outcome


def sweep_offer(*, subject_id: UUID, due_on: date) -> str:
    """An offer whose last day is over; its paper can no longer be signed. Gives what happened."""
    outcome = services.expire_offer(offer_id=subject_id, on=due_on, at=clock.now())
    if outcome == "expired":
        agreements.void_unsigned(subject_id=selectors.offer(offer_id=subject_id).application_id)
    return outcome


def _close_case(application_id: UUID, outcome: str, *, at: datetime, actor: Actor) -> None:
    """The matter settled itself: nobody need look at it any more."""
    desk.finish_of(queue=UNDERWRITING, subject_id=application_id, outcome=outcome, actor=actor, at=at)
