"""Reading applications: the borrower's own, the staff's queue, and everything about one case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from usance.apps.customers import selectors as customers
from usance.apps.customers import vault
from usance.apps.decisioning import selectors as decisions
from usance.apps.origination import models, questions
from usance.apps.origination import states as known
from usance.apps.origination.models import Answer, Application, MoveTally, Offer, Review, Transition


def applications() -> QuerySet[Application]:
    return Application.objects.select_related("product_version__product", "institution").order_by("-number")


def application(*, application_id: UUID) -> Application:
    return applications().get(pk=application_id)


def locked_application(*, application_id: UUID) -> Application:
    """The same row, locked until the transaction ends: for whoever goes on to change it."""
    return applications().select_for_update(of=("self",)).get(pk=application_id)


def application_of(*, application_id: UUID, party_id: UUID) -> Application | None:
    """A borrower's own application; None for somebody else's."""
    return applications().filter(pk=application_id, party_id=party_id).first()


def application_of_token(*, token: str) -> Application | None:
    """The application of a resume link. It says where to go on; the phone's code still says who may."""
    return applications().filter(resume_token_hash=models.token_hash(token)).first() if token else None


def open_application(*, party_id: UUID) -> Application | None:
    """The application that a customer has under way."""
    return applications().filter(party_id=party_id, state__in=known.OPEN).first()


def applications_of(*, party_id: UUID) -> QuerySet[Application]:
    return applications().filter(party_id=party_id)


def declined_since(*, party_id: UUID, on: date, days: int, but: UUID) -> int:
    """How often a customer was declined in the last `days` days, other than in application `but`."""
    rows = Application.objects.filter(party_id=party_id, state=known.DECLINED, decided_on__gt=on - timedelta(days=days))
    return rows.exclude(pk=but).count()


# --- answers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The latest answer to a question, opened, and where it came from."""

    question: str
    text: str
    came_from: str
    given_at: datetime


def given(row: Application) -> dict[str, Given]:
    """The latest answer to each question; one that was taken back is left out. Nothing of an erased person."""
    return _opened(row, list(Answer.objects.filter(application=row).order_by("sequence")))


@dataclass(frozen=True, slots=True)
class Told:
    """The latest answers as stored text, and the number of the last row."""

    answers: Mapping[str, str]
    last: int


def told(row: Application) -> Told:
    """What `answers` gives, for a caller that has locked the application and goes on to add some."""
    rows = list(Answer.objects.filter(application=row).order_by("sequence"))
    found = {code: answer.text for code, answer in _opened(row, rows).items()}
    return Told(found, rows[-1].sequence if rows else 0)


def _opened(row: Application, rows: Iterable[Answer]) -> dict[str, Given]:
    latest = {answer.question: answer for answer in rows}
    if not latest:
        return {}
    keys = vault.keys_for([row.party_id])
    if keys.is_erased(row.party_id):
        return {}
    opened = {
        code: Given(
            question=code,
            text=keys.unseal(bytes(answer.sealed), party_id=row.party_id, field=models.ANSWER),
            came_from=answer.came_from,
            given_at=answer.given_at,
        )
        for code, answer in latest.items()
    }
    return {code: answer for code, answer in opened.items() if answer.text}


def answers(row: Application) -> dict[str, str]:
    """Question -> latest answer as stored text."""
    return {code: answer.text for code, answer in given(row).items()}


def answers_of_last_unsent(*, party_id: UUID) -> dict[str, str]:
    """What a customer told in their last application, where it ended before it was sent: nothing need be typed anew."""
    last = applications_of(party_id=party_id).exclude(state=known.DRAFT).first()
    if last is None or last.submitted_at is not None:
        return {}
    return {code: text for code, text in answers(last).items() if code in questions.QUESTIONS and code != "reply"}


def pages(row: Application) -> list[questions.Page]:
    """The pages of this application, in order."""
    return questions.pages_for(product_kind=row.product.kind, country=row.institution.country)


# --- offers ------------------------------------------------------------------------------------------------------


def standing_offer(*, application_id: UUID) -> Offer | None:
    """The offer that is open or was accepted."""
    rows = Offer.objects.filter(application_id=application_id, state__in=[Offer.OPEN, Offer.ACCEPTED])
    return rows.select_related("application").first()


def accepted_offer(*, application_id: UUID) -> Offer:
    return Offer.objects.select_related("application").get(application_id=application_id, state=Offer.ACCEPTED)


def offer(*, offer_id: UUID) -> Offer:
    return Offer.objects.select_related("application").get(pk=offer_id)


# --- the desk ----------------------------------------------------------------------------------------------------


def queue(*, states: Iterable[str] = (), product_code: str = "", within: Q | None = None) -> QuerySet[Application]:
    """Applications of a data scope, newest first, with their product; drafts are nobody's business yet."""
    rows = applications().filter(within or Q())
    wanted = list(states)
    rows = rows.filter(state__in=wanted) if wanted else rows.exclude(state=known.DRAFT)
    return rows.filter(product_version__product__code=product_code) if product_code else rows


def search(text: str, *, within: Q | None = None) -> QuerySet[Application]:
    """By reference (A-000123 or 123), or by whatever finds a customer: phone, identity number, name, last digits."""
    plain = text.strip().upper().removeprefix("A-")
    found = Q(number=int(plain)) if plain.isascii() and plain.isdigit() and len(plain) <= 12 else Q(pk__in=[])
    found |= Q(party_id__in=customers.search(text).values("pk"))
    return applications().filter(within or Q()).filter(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fact of a case: what is said, and by whom."""

    question: str
    label: Any
    value: Any
    source: str
    stated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything about one application for a person who decides."""

    application: Application
    profile: customers.Profile
    lines: list[Line]
    decision: Any
    decisions: list[Any]
    offers: list[Offer]
    reviews: list[Review]
    transitions: list[Transition]


def case(*, application_id: UUID) -> Case:
    """The whole case, opened: who shows it to a person records that it was viewed."""
    row = application(application_id=application_id)
    made = list(decisions.decisions_of(subject=(known.SUBJECT, row.pk)))
    return Case(
        application=row,
        profile=customers.profile(row.party_id),
        lines=lines(row),
        decision=made[0] if made else None,
        decisions=made,
        offers=list(Offer.objects.filter(application=row).order_by("-made_at", "-id")),
        reviews=list(Review.objects.filter(application=row).order_by("-made_at", "-id")),
        transitions=list(transitions(row)),
    )


def lines(row: Application) -> list[Line]:
    """The answers in the order of the questions, each with its source."""
    told = given(row)
    return [
        Line(
            question=code,
            label=question.label,
            value=readable(question, told[code].text),
            source=told[code].came_from,
            stated_at=told[code].given_at,
        )
        for code, question in questions.QUESTIONS.items()
        if code in told
    ]


def readable(question: questions.Question, text: str) -> Any:
    """A stored answer for people: a choice in words, a date and a whole number as such, money as minor units."""
    if question.kind == "choice" and question.choices is not None:
        return question.choices.get(text, text)
    if question.kind == "date":
        return date.fromisoformat(text)
    return int(text) if question.kind in ("whole", "money") else text


def review_note(row: Review) -> str:
    """What the reviewer wrote."""
    if row.note_sealed is None:
        return ""
    return vault.unseal(bytes(row.note_sealed), party_id=row.application.party_id, field=models.NOTE)


def entered_by(row: Application) -> str:
    """The member of staff who began the application for the applicant; empty when nobody did."""
    first = transitions(row).first()
    return str(first.actor_id) if first is not None and first.actor_kind == "staff" else ""


def entered_by_staff(user_id: UUID) -> QuerySet[Transition, Any]:
    """Ids of the applications that a member of staff began for applicants."""
    began = Transition.objects.filter(from_state="", actor_kind="staff", actor_id=str(user_id))
    return began.values_list("application_id", flat=True)


def transitions(row: Application) -> QuerySet[Transition]:
    """Every change of state, oldest first."""
    return Transition.objects.filter(application=row).order_by("at", "id")


# --- figures -----------------------------------------------------------------------------------------------------


def counts_by_state(within: Q | None = None) -> Mapping[str, int]:
    rows = Application.objects.filter(within or Q()).values_list("state").annotate(count=Count("pk"))
    return dict(rows)


def moves_by_day(*, starts_on: date, ends_on: date) -> list[tuple[date, str, int]]:
    """How many applications came into each state on each business day of [starts_on, ends_on)."""
    rows = Transition.objects.filter(on__gte=starts_on, on__lt=ends_on).values_list("on", "to_state")
    return list(rows.annotate(count=Count("pk")).order_by("on", "to_state"))


def moves(*, starts_on: date, ends_on: date, within: Q | None = None) -> list[tuple[date, str, str, int]]:
    """(business day, state, kind of actor, how often an application came into it) over [starts_on, ends_on). `within`:
    a condition on `org_path`."""
    found = MoveTally.objects.filter(within or Q(), on__gte=starts_on, on__lt=ends_on)
    rows = found.values_list("on", "to_state", "actor_kind").annotate(times=Sum("count"))
    in_order = rows.order_by("on", "to_state", "actor_kind")
    return [(on, state, actor_kind, int(times)) for on, state, actor_kind, times in in_order]


def touched_by_product(*, product_id: UUID) -> Mapping[str, int]:
    """What a new version of a product meets: drafts will take it; whatever was submitted keeps its own terms."""
    rows = Application.objects.filter(product_version__product_id=product_id, state__in=known.OPEN)
    return dict(rows.values_list("state").annotate(count=Count("pk")))
