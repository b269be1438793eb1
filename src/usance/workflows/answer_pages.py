"""The pages of an application: what each holds, what a form brought, and where to go on. Answers are kept page by page,
so that any device may go on where another left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from usance.apps.customers import consents, identity_numbers, words
from usance.apps.customers import refusals as customer_refusals
from usance.apps.customers import selectors as customers
from usance.apps.customers import services as customer_services
from usance.apps.institutions import tenancy
from usance.apps.origination import questions, selectors, services
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports.actor import Actor

REQUIRED_CONSENTS = ("personal_data", "credit_check", "automated_decision", "electronic_signature")
OPTIONAL_CONSENTS = ("marketing",)
OLDEST = 120  # years


class WhoFirst(Refusal):
    """Nothing is kept of somebody whose birth date is unknown: whoever gets their number next could read it."""

    code = "birth_date_first"


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


def page_states(*, application_id: UUID) -> list[PageState]:
    """Every page of the application in order, with its answers and whether it is done."""
    row = selectors.application(application_id=application_id)
    return states_of(row, selectors.answers(row))


def states_of(row: Any, known: Mapping[str, str]) -> list[PageState]:
    """The same for an application that was read already, with its latest answers."""
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
        return not _missing_consents(row.party_id)
    if page.kind == "card":
        return _has_card(row.party_id)
    if page.kind == "check":
        return False
    required = [asked.question.code for asked in page.questions if asked.required]
    return all(known.get(code) for code in required)


def _has_card(party_id: UUID) -> bool:
    return payments.cards_of(party_id).exists()


def _given(party_id: UUID) -> Mapping[str, Any]:
    """The consents that are in force today, by purpose."""
    purposes = (*REQUIRED_CONSENTS, *OPTIONAL_CONSENTS)
    return consents.consents_on(party_id=party_id, purposes=purposes, on=tenancy.current().business_date)


def _missing_consents(party_id: UUID) -> list[str]:
    given = _given(party_id)
    return [purpose for purpose in REQUIRED_CONSENTS if purpose not in given]


def next_page(*, application_id: UUID, after: str = "") -> str:
    """The first page that is not done, or the one after `after`: pages that are done already are passed over."""
    row = selectors.application(application_id=application_id)
    return _going_on(row, selectors.answers(row), after)


def _going_on(row: Any, known: Mapping[str, str], after: str) -> str:
    """`next_page` of an application that was read already; looks no further than that page."""
    pages = selectors.pages(row)
    codes = [page.code for page in pages]
    later = pages[codes.index(after) + 1 :] if after in codes else []
    return next(page.code for page in (later or pages) if not _is_done(row, page, known))


def _remember(row: Any, page: str) -> None:
    if row.page != page:
        services.remember_page(application_id=row.pk, page=page)


def save_page(*, application_id: UUID, page: str, data: Mapping[str, str], at: datetime, actor: Actor) -> Saved:
    """Keeps what a question page brought; what is wrong is told, the rest is kept, once the applicant's birth date is
    known. Raises StateDoesNotAllow, WhoFirst."""
    row = selectors.locked_application(application_id=application_id)
    found = _page(row, page)
    institution = tenancy.current()
    good, wrong = questions.read(page=found, data=data, currency_digits=institution.currency_digits)
    told = selectors.told(row)
    known = {**told.answers, **good}
    for code in tuple(good):
        problem = _checked(row, code, good, known)
        if problem is not None:
            wrong[code] = problem  # a refusal: the page puts it into words
            del good[code]
    born = good.get("birth_date") or told.answers.get("birth_date")
    if not (born or actor.is_staff or is_known(party_id=row.party_id)):
        if "birth_date" not in wrong:
            raise WhoFirst()
        return Saved(next_page=page, errors=wrong)
    came_from = "staff" if actor.is_staff else "applicant"
    services.add_answers(row, told=told, answers=good, came_from=came_from, at=at)
    _remember_birth_date(row, good, at, actor)
    if wrong:
        return Saved(next_page=page, errors=wrong)
    latest = {code: text for code, text in {**told.answers, **good}.items() if text}
    going_on = _going_on(row, latest, page)
    _remember(row, going_on)
    return Saved(next_page=going_on, errors={})


def is_known(*, party_id: UUID) -> bool:
    """Whether the customer's file has the fact that another device is asked for."""
    return bool(customers.known_facts(party_id).get("birth_date"))


def _remember_birth_date(row: Any, good: Mapping[str, str], at: datetime, actor: Actor) -> None:
    """The customer's file learns it at once, not at submission: whoever goes on with the draft at another device is
    asked for it, and the draft's answers are not shown to a mere holder of the phone."""
    given = date.fromisoformat(good["birth_date"]) if good.get("birth_date") else None
    if given and customers.known_facts(row.party_id).get("birth_date") != given:
        customer_services.state_facts(
            party_id=row.party_id,
            facts={"birth_date": given},
            source="staff" if actor.is_staff else "applicant",
            source_id=str(row.pk),
            actor=actor,
            at=at,
            on=tenancy.current().business_date,
        )


def _page(row: Any, code: str) -> questions.Page:
    found = [page for page in selectors.pages(row) if page.code == code]
    if not found:
        raise LookupError(f"the application has no page {code}")
    return found[0]


def _checked(row: Any, code: str, good: dict[str, str], known: Mapping[str, str]) -> Refusal | None:
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
            return _other_person(row.party_id, good[code], today)
        elif code == "birth_date" and not date(today.year - OLDEST, 1, 1) <= date.fromisoformat(given) <= today:
            return customer_refusals.BirthDateNotPossible()
        elif code == "email":
            good[code] = words.email(given)
    except (customer_refusals.IdentityNumberNotValid, customer_refusals.EmailNotValid) as refusal:
        return refusal
    return None


def _other_person(party_id: UUID, number: str, today: date) -> Refusal | None:
    """Somebody with another number than the customer who borrowed before: two people with one phone."""
    before = customers.profile(party_id).identity_number
    if before in ("", number) or not loans.history_of_party(party_id=party_id, on=today).loan_count:
        return None
    return customer_refusals.IdentityOfSomebodyElse()


def consents_asked(*, application_id: UUID, language: str = "") -> list[ConsentAsked]:
    """The consents of the consent page, in the language of the screen (default: the application's)."""
    row = selectors.application(application_id=application_id)
    today = tenancy.current().business_date
    purposes = (*REQUIRED_CONSENTS, *OPTIONAL_CONSENTS)
    texts, given = consents.texts_in_force(purposes, language or row.language, today), _given(row.party_id)
    return [
        ConsentAsked(
            purpose=purpose,
            text_id=texts[purpose].pk,
            title=texts[purpose].title,
            body=texts[purpose].body,
            required=purpose in REQUIRED_CONSENTS,
            is_given=purpose in given,
        )
        for purpose in purposes
    ]


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
    if given:
        consents.give_many(
            party_id=row.party_id,
            texts=given,
            channel=row.channel,
            evidence=dict(evidence),
            actor=actor,
            at=at,
            on=today,
        )
    missing = _missing_consents(row.party_id)
    if missing:
        return Saved(next_page="consents", errors=dict.fromkeys(missing, questions.MISSING))
    going_on = _going_on(row, selectors.answers(row), "consents")
    _remember(row, going_on)
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


def mark(row: Any) -> str:
    """What the page "check your answers" shows, in a few signs: sent back with it, it says whether anything was changed
    meanwhile, in another tab or by us."""
    request = (row.product_version_id, row.customer_kind, row.amount_minor, row.term, selectors.told(row).last)
    return hashlib.sha256(repr(request).encode()).hexdigest()[:16]
