"""From submission to an offer or a decline: what is known is collected, rules decide, a person where they cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.customers import blacklist
from usance.apps.customers import selectors as customers
from usance.apps.decisioning import facts as known
from usance.apps.decisioning import reasons as words
from usance.apps.decisioning import services as decisioning
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.origination import questions, selectors, services, states
from usance.apps.payments import selectors as payments
from usance.apps.products import calculator, caps
from usance.apps.products import selectors as products
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor, staff
from usance.ports.queue import task
from usance.workflows import served
from usance.workflows.take_application import UNDERWRITING

REVIEW_MINUTES = 15  # desk minutes until a referred case should be decided
ONE_MONTH = timedelta(days=31)


class OwnCase(Refusal):
    """Whoever entered an application does not decide on it."""

    code = "own_case"


class ReasonMissing(Refusal):
    """A decision of a person needs at least one reason of the list."""

    code = "review_reason_missing"


class AmountAboveAsked(Refusal):
    """An offer is for the amount that was asked for, or less."""

    code = "amount_above_asked"
    amount_minor: int
    asked_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case in front of a reviewer: everything about it, and its clock."""

    case: selectors.Case
    item: Any
    clock: Any


# --- rules -------------------------------------------------------------------------------------------------------


@task("applications.decide")
def decide(application_id: str) -> None:
    """Decides a submitted application, once: a job that runs again finds it decided."""
    with transaction.atomic(), audit.written_together():
        row = selectors.locked_application(application_id=UUID(application_id))
        if row.state != states.SUBMITTED:
            return
        at, today = clock.now(), tenancy.current().business_date
        services.move(application_id=row.pk, to=states.DECIDING, actor=SYSTEM, on=today, at=at, held=row)
        config = products.config_of(row.product_version)
        decision = decisioning.decide(
            rule_set=config.rule_set,
            facts=collect(application=row, on=today),
            subject=(states.SUBJECT, row.pk),
            on=today,
            at=at,
            org_path=row.org_path,
        )
        _follow(row, decision, today, at)


def _follow(row: Any, decision: Any, today: date, at: datetime) -> None:
    """What comes of a decision: an offer, a decline that says why, or a case for a person. Where a status was recorded
    meanwhile that stops new loans, a decline whatever the rules say."""
    moment = institutions.moment(tenancy.current(), at)
    outcome, reasons = decision.outcome, decision.reasons
    if outcome != "decline" and served.is_protected(party_id=row.party_id):
        outcome, reasons = "decline", ["protected"]
    how = {"decision_id": decision.pk, "reasons": reasons, "on": today, "at": at, "actor": SYSTEM, "held": row}
    if outcome == "approve":
        services.decided(application_id=row.pk, to=states.APPROVED, **how)
        amount = row.amount_minor if decision.limit_minor is None else min(row.amount_minor, decision.limit_minor)
        _offer(row, amount, decision.pk, today=today, at=at, actor=SYSTEM, held=row)
    elif outcome == "decline":
        services.decided(application_id=row.pk, to=states.DECLINED, **how)
        _tell(row, "application_declined", moment, reason=words.to_tell(reasons)[0])
    else:
        services.decided(application_id=row.pk, to=states.REFERRED, **how)
        desk.open_item(
            queue=UNDERWRITING,
            subject=(states.SUBJECT, row.pk),
            budget_minutes=REVIEW_MINUTES,
            at=moment,
            reference=row.reference,
            org_path=row.org_path,
        )
        _tell(row, "application_received", moment)


def _offer(
    row: Any, amount_minor: int, decision_id: UUID | None, *, today: date, at: datetime, actor: Actor, held: Any = None
) -> Any:
    """Terms of the version under which the application was submitted, for the amount that was approved. `held`: the
    row, if it is locked."""
    config = products.config_of(row.product_version)
    terms = calculator.terms_for(terms=row.core_terms(), amount_minor=amount_minor, on=today)
    caps.check_contract(terms=terms, on=today)
    offer = services.make_offer(
        application_id=row.pk,
        decision_id=decision_id,
        amount_minor=amount_minor,
        term=row.term,
        terms=terms,
        figures=calculator.figures(terms=terms, on=today).to_json(),
        expires_on=today + timedelta(days=config.offer_days),
        on=today,
        at=at,
        actor=actor,
        held=held,
    )
    moment = institutions.moment(tenancy.current(), at)
    _tell(row, "application_approved", moment, amount_minor=amount_minor, link=_link())
    return offer


def _link() -> str:
    return f"{institutions.base_url(tenancy.current_id())}/apply/"


def _tell(row: Any, template: str, moment: datetime, **context: Any) -> None:
    messaging.tell(
        party_id=row.party_id,
        template=template,
        key=f"{template}:{row.pk}:{row.transitions.count()}",
        moment=moment,
        context={"reference": row.reference, **context},
        subject=(states.SUBJECT, row.pk),
    )


# --- what rules may know -----------------------------------------------------------------------------------------


def collect(*, application: Any, on: date) -> dict[str, known.Fact]:
    """Everything that is known and may be used, without a name or a number of anybody. What is unknown is absent."""
    row = application
    facts: dict[str, Any] = {
        **_told(row, on),
        **_request(row, on),
        **_own_history(row, on),
        **_others(row, on),
    }
    burden = facts["instalment_minor"] + (facts.get("other_debt_minor") or 0)
    facts["instalment_share_percent"] = known.share_percent(burden, facts.get("income_minor"))
    return {name: value for name, value in facts.items() if value is not None}


def _told(row: Any, on: date) -> dict[str, Any]:
    """What the applicant said: facts about the person, and answers about money that rules understand."""
    said = customers.facts_for_decision(row.party_id, on)
    facts = {name: value for name, value in said.items() if name in known.FACTS}
    for code, text in selectors.answers(row).items():
        if code in known.FACTS and code not in facts:
            facts[code] = int(text) if known.FACTS[code] == known.WHOLE else text
    return facts


def _request(row: Any, on: date) -> dict[str, Any]:
    config = products.config_of(row.product_version)
    figures = calculator.figures(terms=row.core_terms(), on=on)
    minimum = institutions.rule(tenancy.current().country, "age.minimum", on)
    return {
        "product_kind": config.kind,
        "customer_kind": row.customer_kind,
        "amount_minor": row.amount_minor,
        "amount_min_minor": config.amount.min_minor,
        "amount_step_minor": config.amount.step_minor,
        "amount_of_max_percent": known.share_percent(row.amount_minor, config.amount.max_minor),
        "term_days": figures.days,
        "instalment_minor": heaviest_month(figures),
        "age_minimum_years": minimum["years"] if minimum else None,
    }


def heaviest_month(figures: calculator.Quote) -> int:
    """The most that falls due within any 31 days: what a month's income must bear."""
    rows = figures.instalments
    return max(
        sum(r.total_minor for r in rows if first.due_on <= r.due_on < first.due_on + ONE_MONTH) for first in rows
    )


def _own_history(row: Any, on: date) -> dict[str, Any]:
    history = loans.history_of_party(party_id=row.party_id, on=on)
    return {
        "loan_count": history.loan_count,
        "closed_count": history.closed_count,
        "open_count": history.open_count,
        "repaid_on_time_count": history.repaid_on_time_count,
        "max_days_past_due": history.max_days_past_due,
        "written_off_count": history.written_off_count,
        "past_due_now": loans.loans_of_party(row.party_id).filter(days_past_due__gt=0).exists(),
        "declined_30_days_count": selectors.declined_since(party_id=row.party_id, on=on, days=30, but=row.pk),
    }


def _others(row: Any, on: date) -> dict[str, Any]:
    """Whether the same number, phone, name or card belongs to somebody else too, or to somebody we do not serve."""
    same = Counter(by for found in customers.duplicates(row.party_id) for by in found.by)
    cards = list(payments.all_cards_of(row.party_id))
    marks = [bytes.fromhex(card.token_index) for card in cards]
    hits = blacklist.hits(party_id=row.party_id, on=on, card_fingerprints=marks)
    usable = [card for card in cards if card.state == payments.USABLE]
    return {
        "duplicate_identity_count": same["identity_number"],
        "duplicate_phone_count": same["phone"],
        "duplicate_name_birth_count": same["name_birth"],
        "duplicate_email_count": same["email"],
        "blacklist_count": len(hits),
        "has_card": bool(usable),
        "card_others_count": max((payments.others_with(card) for card in usable), default=0),
    }


# --- people ------------------------------------------------------------------------------------------------------


def open_case(*, application_id: UUID, reviewer: access.User, at: datetime, hidden: Iterable[str] = ()) -> OpenCase:
    """Everything about a case, for a reviewer's eyes: the trail says who looked at what. `hidden`: the fields that
    the page masks."""
    found = selectors.case(application_id=application_id)
    item = desk_view.item_of(UNDERWRITING, application_id)
    seen = sorted({*found.profile.said, *(line.question for line in found.lines)} - set(hidden))
    audit.viewed(subject=(states.SUBJECT, application_id), actor=staff(reviewer.pk), fields=seen)
    moment = institutions.moment(tenancy.current(), at)
    return OpenCase(case=found, item=item, clock=desk_view.clock(item, moment) if item else None)


def approve(
    *,
    application_id: UUID,
    reviewer: access.User,
    reasons: Sequence[str],
    at: datetime,
    amount_minor: int | None = None,
    note: str = "",
) -> Any:
    """A reviewer who holds the case makes an offer for the asked amount or less. Raises CustomerIsBlocked,
    CustomerIsProtected, CaseNotYours, OwnCase, ReasonMissing, AmountAboveAsked, AmountNotOffered, StateDoesNotAllow."""
    row, today = selectors.application(application_id=application_id), tenancy.current().business_date
    served.require_offerable(party_id=row.party_id)
    amount = row.amount_minor if amount_minor is None else amount_minor
    if amount > row.amount_minor:
        raise AmountAboveAsked(
            amount_minor=amount, asked_minor=row.amount_minor, currency=row.core_terms().currency.code
        )
    calculator.check_amount(version=row.product_version, amount_minor=amount, customer_kind=row.customer_kind)
    _review(row, reviewer, "approve", reasons, note=note, at=at, amount_minor=amount)
    services.decided(
        application_id=row.pk,
        to=states.APPROVED,
        decision_id=None,
        reasons=reasons,
        on=today,
        at=at,
        actor=staff(reviewer.pk),
    )
    return _offer(row, amount, row.decision_id, today=today, at=at, actor=staff(reviewer.pk))


def decline(
    *, application_id: UUID, reviewer: access.User, reasons: Sequence[str], at: datetime, note: str = ""
) -> Any:
    """A reviewer who holds the case says no; the applicant is told a true reason. Raises as `approve`."""
    row, today = selectors.application(application_id=application_id), tenancy.current().business_date
    _review(row, reviewer, "decline", reasons, note=note, at=at)
    done = services.decided(
        application_id=row.pk,
        to=states.DECLINED,
        decision_id=None,
        reasons=reasons,
        on=today,
        at=at,
        actor=staff(reviewer.pk),
    )
    moment = institutions.moment(tenancy.current(), at)
    _tell(row, "application_declined", moment, reason=words.to_tell(reasons)[0])
    return done


def ask(
    *,
    application_id: UUID,
    reviewer: access.User,
    question: str,
    reasons: Sequence[str],
    at: datetime,
    note: str = "",
) -> Any:
    """A reviewer who holds the case asks the applicant for something; the case's clock stands still meanwhile."""
    row, institution = selectors.application(application_id=application_id), tenancy.current()
    item = _review(row, reviewer, "ask", reasons, note=note, at=at, is_last=False)
    expires_on = institution.business_date + timedelta(days=products.config_of(row.product_version).ask_days)
    asked = services.ask(
        application_id=row.pk,
        question=question,
        expires_on=expires_on,
        reasons=reasons,
        on=institution.business_date,
        at=at,
        actor=staff(reviewer.pk),
    )
    moment = institutions.moment(institution, at)
    desk.pause(
        item_id=item.pk,
        waiting_for="applicant",
        wake_on=expires_on + timedelta(days=2),  # the application expires before that
        actor=staff(reviewer.pk),
        at=moment,
    )
    _tell(row, "application_asked", moment, link=_link())
    return asked


def answered(*, application_id: UUID, reply: str, at: datetime, actor: Actor) -> Any:
    """The applicant answered: back to the desk, whose clock goes on. Raises StateDoesNotAllow."""
    row, institution = selectors.application(application_id=application_id), tenancy.current()
    if row.state != states.ASKED:
        raise services.StateDoesNotAllow(state=row.state, to="answered")
    text = questions.printable(reply, lines=True)[: questions.LONGEST_REPLY]
    services.record_answers(application_id=row.pk, answers={"reply": text}, came_from="applicant", at=at)
    moved = services.move(application_id=row.pk, to=states.REFERRED, actor=actor, on=institution.business_date, at=at)
    item = desk_view.item_of(UNDERWRITING, row.pk)
    if item is not None:
        desk.resume(item_id=item.pk, actor=actor, at=institutions.moment(institution, at))
    return moved


def _review(
    row: Any,
    reviewer: access.User,
    outcome: str,
    reasons: Sequence[str],
    *,
    note: str,
    at: datetime,
    amount_minor: int | None = None,
    is_last: bool = True,
) -> Any:
    """Checks that this person may decide, and keeps what they decided and how long they looked."""
    if not reasons or any(code not in words.REASONS for code in reasons):
        raise ReasonMissing()
    if selectors.entered_by(row) == str(reviewer.pk):
        raise OwnCase()
    if row.state != states.REFERRED:
        raise services.StateDoesNotAllow(state=row.state, to=outcome)
    moment = institutions.moment(tenancy.current(), at)
    found = desk_view.item_of(UNDERWRITING, row.pk)
    assert found is not None  # a referred application has its case
    item = desk.hold(item_id=found.pk, user=reviewer)
    services.record_review(
        application=row,
        reviewer_id=reviewer.pk,
        outcome=outcome,
        reasons=reasons,
        note=note,
        amount_minor=amount_minor,
        opened_at=item.taken_at,
        at=moment,
    )
    if is_last:
        desk.finish(item_id=item.pk, outcome=outcome, actor=staff(reviewer.pk), at=moment)
    return item
