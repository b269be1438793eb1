"""From the first page of an application to its submission: answers are kept page by page, on any device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from usance.apps.customers import consents, identity_numbers, words
from usance.apps.customers import refusals as customer_refusals
from usance.apps.customers import selectors as customers
from usance.apps.customers import services as customer_services
from usance.apps.desk import services as desk
from usance.apps.institutions import commands, tenancy
from usance.apps.institutions import selectors as institutions
from usance.apps.origination import questions, selectors, services
from usance.apps.payments import selectors as payments
from usance.apps.products import calculator, caps
from usance.apps.products import selectors as products
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor
from usance.ports.queue import enqueue

UNDERWRITING = "underwriting"
REQUIRED_CONSENTS = ("personal_data", "credit_check", "automated_decision", "electronic_signature")
OPTIONAL_CONSENTS = ("marketing",)


class ApplicationIncomplete(Refusal):
    """Something that must be answered is not; `pages` says where."""

    code = "application_incomplete"
    pages: tuple[str, ...]


class ProductChanged(Refusal):
    """A newer version of the product is in force than the one the applicant saw: the figures must be shown again."""

    code = "product_changed"
    product: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """`resume_token` is shown once: in the resume link."""

    application: Any
    resume_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """`errors`: question -> sentence; what was right is kept all the same. `next_page`: where to go on."""

    next_page: str
    errors: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """A page as it stands: `values` as stored text, `is_done` when nothing that must be answered is open."""

    page: questions.Page
    values: Mapping[str, str]
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAsked:
    """A consent with the words that are in force, and whether it was given."""

    purpose: str
    text_id: UUID
    title: str
    body: str
    required: bool
    is_given: bool


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
    new wish. Raises ProductNotOffered, AmountNotOffered, TermNotOffered, ApplicationOpen."""
    today = tenancy.current().business_date
    version = products.version_in_force(product_code=product_code, on=today)
    config = products.config_of(version)
    kind = customer_kind(party_id=party_id, on=today)
    wish = {"version_id": version.pk, "customer_kind": kind, "amount_minor": amount_minor, "term": term}
    calculator.quote(version=version, amount_minor=amount_minor, term=term, customer_kind=kind, on=today)
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
    """What the customer told us before is not asked again."""
    profile = customers.profile(party_id)
    known = {code: _stored(value) for code, value in profile.values.items() if code in questions.QUESTIONS}
    known |= {"email": profile.email, "identity_number": profile.identity_number}
    services.record_answers(
        application_id=application_id,
        answers={code: text for code, text in known.items() if text},
        came_from="customer",
        at=at,
    )


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
    return version.pk == row.product_version_id and kind == row.customer_kind


def quote(*, application_id: UUID) -> calculator.Quote:
    """What the wish costs when signed today."""
    row = selectors.application(application_id=application_id)
    return calculator.quote(
        version=row.product_version,
        amount_minor=row.amount_minor,
        term=row.term,
        customer_kind=row.customer_kind,
        on=tenancy.current().business_date,
    )


# --- pages -------------------------------------------------------------------------------------------------------


def page_states(*, application_id: UUID) -> list[PageState]:
    """Every page of the application in order, with its answers and whether it is done."""
    row = selectors.application(application_id=application_id)
    known = selectors.answers(row)
    return [
        PageState(
            page=page,
            values={asked.question.code: known.get(asked.question.code, "") for asked in page.questions},
            is_done=_is_done(row, page, known),
        )
        for page in selectors.pages(row)
    ]


def _is_done(row: Any, page: questions.Page, known: Mapping[str, str]) -> bool:
    if page.kind == "consents":
        return all(_has_consent(row.party_id, purpose) for purpose in REQUIRED_CONSENTS)
    if page.kind == "card":
        return _has_card(row.party_id)
    if page.kind == "check":
        return False
    required = [asked.question.code for asked in page.questions if asked.required]
    return all(known.get(code) for code in required)


def _has_card(party_id: UUID) -> bool:
    return payments.cards_of(party_id).exists()


def _has_consent(party_id: UUID, purpose: str) -> bool:
    return consents.has_consent(party_id=party_id, purpose=purpose, on=tenancy.current().business_date)


def next_page(*, application_id: UUID, after: str = "") -> str:
    """The first page that is not done, or the one after `after`: pages that are done already are passed over."""
    states = page_states(application_id=application_id)
    codes = [state.page.code for state in states]
    later = states[codes.index(after) + 1 :] if after in codes else []
    waiting = [state for state in (later or states) if not state.is_done]
    return waiting[0].page.code


def save_page(*, application_id: UUID, page: str, data: Mapping[str, str], at: datetime, actor: Actor) -> Saved:
    """Keeps what a question page brought; what is wrong is told, the rest is kept. Raises StateDoesNotAllow."""
    row = selectors.application(application_id=application_id)
    found = _page(row, page)
    institution = tenancy.current()
    good, wrong = questions.read(page=found, data=data, currency_digits=institution.currency_digits)
    known = {**selectors.answers(row), **good}
    for code in tuple(good):
        problem = _checked(code, good, known)
        if problem is not None:
            wrong[code] = problem
            del good[code]
    came_from = "staff" if actor.is_staff else "applicant"
    services.record_answers(application_id=row.pk, answers=good, came_from=came_from, at=at)
    if wrong:
        return Saved(next_page=page, errors=wrong)
    going_on = next_page(application_id=row.pk, after=page)
    services.remember_page(application_id=row.pk, page=going_on)
    return Saved(next_page=going_on, errors={})


def _page(row: Any, code: str) -> questions.Page:
    found = [page for page in selectors.pages(row) if page.code == code]
    if not found:
        raise LookupError(f"the application has no page {code}")
    return found[0]


def _checked(code: str, good: dict[str, str], known: Mapping[str, str]) -> Refusal | None:
    """Checks that need the customers' own rules; brings a good answer into its normal form."""
    today = tenancy.current().business_date
    given = good[code]
    if not given:
        return None
    try:
        if code == "identity_number":
            born = known.get("birth_date")
            good[code] = identity_numbers.check(
                given,
                scheme=customers.identity_scheme(today),
                birth_date=date.fromisoformat(born) if born else None,
                sex=None,
                on=today,
            )
        elif code == "email":
            good[code] = words.email(given)
    except (customer_refusals.IdentityNumberNotValid, customer_refusals.EmailNotValid) as refusal:
        return refusal
    return None


def consents_asked(*, application_id: UUID) -> list[ConsentAsked]:
    """The consents of the consent page, in the applicant's language."""
    row = selectors.application(application_id=application_id)
    today = tenancy.current().business_date
    asked = []
    for purpose in (*REQUIRED_CONSENTS, *OPTIONAL_CONSENTS):
        text = consents.text_in_force(purpose, row.language, today)
        asked.append(
            ConsentAsked(
                purpose=purpose,
                text_id=text.pk,
                title=text.title,
                body=text.body,
                required=purpose in REQUIRED_CONSENTS,
                is_given=_has_consent(row.party_id, purpose),
            )
        )
    return asked


def save_consents(
    *,
    application_id: UUID,
    given: Mapping[str, UUID],
    evidence: Mapping[str, Any],
    at: datetime,
    actor: Actor,
) -> Saved:
    """Keeps the consents that were ticked (purpose -> id of the text that was shown); a required one that was not is
    told as an error. Raises ConsentTextOutdated."""
    row = selectors.application(application_id=application_id)
    today = tenancy.current().business_date
    for purpose, text_id in given.items():
        consents.give(
            party_id=row.party_id,
            purpose=purpose,
            text_id=text_id,
            channel=row.channel,
            evidence=dict(evidence),
            actor=actor,
            at=at,
            on=today,
        )
    missing = [purpose for purpose in REQUIRED_CONSENTS if not _has_consent(row.party_id, purpose)]
    if missing:
        return Saved(next_page="consents", errors=dict.fromkeys(missing, questions.MISSING))
    going_on = next_page(application_id=row.pk, after="consents")
    services.remember_page(application_id=row.pk, page=going_on)
    return Saved(next_page=going_on, errors={})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """An answer on the page "check your answers", with the page on which it can be changed. `kind`: as of questions."""

    page: str
    question: str
    kind: str
    label: Any
    value: Any


def check_answers(*, application_id: UUID) -> list[CheckLine]:
    """Every answer in the order of the pages."""
    row = selectors.application(application_id=application_id)
    known = selectors.answers(row)
    return [
        CheckLine(
            page=page.code,
            question=asked.question.code,
            kind=asked.question.kind,
            label=asked.question.label,
            value=selectors.readable(asked.question, known[asked.question.code]),
        )
        for page in selectors.pages(row)
        for asked in page.questions
        if asked.question.code in known
    ]


# --- submission --------------------------------------------------------------------------------------------------


def submit(*, application_id: UUID, key: str, at: datetime, actor: Actor) -> Mapping[str, Any]:
    """Hands the application in, once per key: facts go to the customer's file, terms and consents are frozen, the
    decision is ordered. Raises ApplicationIncomplete, ProductChanged, PriceOverCap, StateDoesNotAllow and what the
    customer's file refuses."""
    return commands.once(
        name="application.submit",
        key=key,
        inputs={"application_id": str(application_id)},
        run=lambda: _submit(application_id, at, actor),
    )


def _submit(application_id: UUID, at: datetime, actor: Actor) -> Mapping[str, Any]:
    row = selectors.application(application_id=application_id)
    if row.state != "draft":
        raise services.StateDoesNotAllow(state=row.state, to="submitted")
    open_pages = [s.page.code for s in page_states(application_id=row.pk) if not s.is_done and s.page.kind != "check"]
    if open_pages:
        raise ApplicationIncomplete(pages=tuple(open_pages))
    if not _is_current(row):
        raise ProductChanged(product=row.product.code)
    today = tenancy.current().business_date
    terms = quote(application_id=row.pk).terms
    caps.check_contract(terms=terms, on=today)
    _tell_customer_file(row, at, actor, today)
    given = [
        found.pk
        for purpose in (*REQUIRED_CONSENTS, *OPTIONAL_CONSENTS)
        if (found := consents.consent_on(party_id=row.party_id, purpose=purpose, on=today)) is not None
    ]
    services.submit(application_id=row.pk, terms=terms, consents=given, on=today, at=at, actor=actor)
    enqueue("applications.decide", key=f"decide:{row.pk}", application_id=str(row.pk))
    return {"application_id": str(row.pk), "reference": row.reference}


def _tell_customer_file(row: Any, at: datetime, actor: Actor, today: date) -> None:
    """What is new in the answers becomes a dated fact about the customer."""
    profile = customers.profile(row.party_id)
    known = selectors.answers(row)
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
    if email and email != profile.email:
        customer_services.add_contact(party_id=row.party_id, kind="email", value=email, actor=actor, at=at)


def _fact(code: str, text: str) -> Any:
    kind = questions.QUESTIONS[code].kind
    if kind == "date":
        return date.fromisoformat(text)
    return int(text) if kind in ("whole", "money") else text


# --- ends --------------------------------------------------------------------------------------------------------


def withdraw(*, application_id: UUID, at: datetime, actor: Actor) -> Any:
    """The applicant gives up before anything was signed (after the signature: `fund_loan.leave`)."""
    row = selectors.application(application_id=application_id)
    if row.state in ("signed", "funding"):
        raise services.StateDoesNotAllow(state=row.state, to="withdrawn")
    gone = services.withdraw(application_id=application_id, actor=actor, on=tenancy.current().business_date, at=at)
    _close_case(application_id, "withdrawn", at=institutions.moment(tenancy.current(), at), actor=actor)
    return gone


def sweep(*, subject_id: UUID, due_on: date, moment: datetime) -> str:
    """The handler of dated items `application.expire`."""
    outcome = services.expire_application(application_id=subject_id, on=due_on, at=clock.now())
    if outcome == "expired":
        _close_case(subject_id, "expired", at=moment, actor=SYSTEM)
    return outcome


def _close_case(application_id: UUID, outcome: str, *, at: datetime, actor: Actor) -> None:
    """The matter settled itself: nobody need look at it any more."""
    desk.finish_of(queue=UNDERWRITING, subject_id=application_id, outcome=outcome, actor=actor, at=at)
