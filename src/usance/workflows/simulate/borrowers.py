"""What a simulated person does, by the same services that the borrower's pages call."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.access import selectors as staff
from usance.apps.customers import consents, sign_in
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.origination import selectors as applications
from usance.apps.payments import services as rails
from usance.apps.products import selectors as products
from usance.core.refusals import Refusal
from usance.ports import actor, registry
from usance.workflows import decide_application, one_time_codes, sign_agreement, take_application
from usance.workflows.simulate.outside import World
from usance.workflows.simulate.people import Applicant

REMINDED_SHARE = 0.3  # who wants reminders; the others opt out, as they pay by themselves


@dataclass
class Life:
    """One person's way through the institution."""

    who: Applicant
    random: Random
    apply_on: date
    party_id: UUID | None = None
    application_id: UUID | None = None
    loan_id: UUID | None = None
    card_id: UUID | None = None
    loans_taken: int = 0
    stops_on: date | None = None
    late_until: dict[date, date] = field(default_factory=dict)
    extended: bool = False

    @property
    def actor(self) -> actor.Actor:
        return actor.borrower(self.party_id)


def sign_up(world: World, life: Life) -> None:
    """Phone, code, and a customer's file."""
    with transaction.atomic():
        issued = sign_in.issue_code(
            purpose=sign_in.SIGN_IN, to=life.who.phone, address=f"sim-{life.who.number}", at=world.clock.at
        )
    with transaction.atomic():
        answer = sign_in.begin(
            code_id=issued.code_id,
            code=issued.code,
            device_token="",
            language=life.who.language,
            at=world.tick(),
            on=tenancy.current().business_date,
        )
        if not isinstance(answer, sign_in.SignedIn):
            raise RuntimeError(f"a simulated person could not sign in: {answer}")
        life.party_id = answer.party_id
        if life.random.random() > REMINDED_SHARE:
            for channel in ("sms", "email"):
                messaging.opt_out(
                    party_id=life.party_id,
                    purpose="reminder",
                    channel=channel,
                    source="account",
                    actor=life.actor,
                    at=world.clock.at,
                )


def link_card(world: World, life: Life) -> None:
    """A new card. The hosted page is walked by those who come through the pages; here the sandbox hands one over."""
    with transaction.atomic():
        institution = tenancy.current()
        rail = registry.payment_rail(institution.code)
    told = world.sandbox.new_card(merchant=rail.merchant, on=institution.business_date)
    with transaction.atomic():
        card = rails.keep_card(
            party_id=life.party_id,  # type: ignore[arg-type]
            provider=rail.provider,
            merchant=rail.merchant,
            told=told,
            org_path="root",
            at=world.clock.at,
        )
        life.card_id = card.pk


def change_card(world: World, life: Life) -> None:
    """The old card has run out: a new one takes its place, for debits as well."""
    link_card(world, life)
    with transaction.atomic():
        _give_mandate(world, life)


def wish(life: Life) -> tuple[str, int, int]:
    """(product, amount, term) that the person asks for, within what is offered."""
    offered = list(products.products_offered(on=tenancy.current().business_date))
    if life.who.months is not None and life.who.amount_minor is not None:
        for found in offered:
            config = found.config
            if config.term.unit == "months" and config.term.holds(life.who.months):
                amount = min(max(life.who.amount_minor, config.amount.min_minor), config.amount.max_minor)
                return found.product.code, amount - amount % config.amount.step_minor, life.who.months
    found = life.random.choices(offered, [5, *([2] * (len(offered) - 1))])[0]
    config, kind = found.config, "returning" if life.loans_taken else "first"
    steps = (config.max_amount(kind) - config.amount.min_minor) // config.amount.step_minor
    amount = config.amount.min_minor + int(steps * life.random.triangular(0, 1, 0.3)) * config.amount.step_minor
    terms = (config.term.max - config.term.min) // config.term.step
    return found.product.code, amount, config.term.min + life.random.randint(0, terms) * config.term.step


def apply(world: World, life: Life) -> None:
    """An application from its start to its submission."""
    with transaction.atomic():
        code, amount, term = wish(life)
        started = take_application.start(
            party_id=life.party_id,  # type: ignore[arg-type]
            product_code=code,
            amount_minor=amount,
            term=term,
            channel="simulation",
            language=life.who.language,
            source={"utm_source": life.random.choice(("search", "direct", "partner"))},
            at=world.tick(),
            actor=life.actor,
        )
        life.application_id = started.application.pk
        pages = [state.page for state in take_application.page_states(application_id=life.application_id)]
    for page in pages:
        _answer(world, life, page)
    if life.card_id is None:
        link_card(world, life)
    with transaction.atomic():
        take_application.submit(
            application_id=life.application_id, key=f"sim:{life.application_id}", at=world.tick(), actor=life.actor
        )
    world.settle()


def _answer(world: World, life: Life, page: Any) -> None:
    at = world.tick()
    with transaction.atomic():
        if page.kind == "questions":
            data = answers_of(life.who, [asked.question for asked in page.questions])
            saved = take_application.save_page(
                application_id=life.application_id,  # type: ignore[arg-type]
                page=page.code,
                data=data,
                at=at,
                actor=life.actor,
            )
            if saved.errors:
                raise RuntimeError(f"a simulated person's answers were refused: {page.code} {saved.errors}")
        elif page.kind == "consents":
            asked = take_application.consents_asked(application_id=life.application_id)  # type: ignore[arg-type]
            take_application.save_consents(
                application_id=life.application_id,  # type: ignore[arg-type]
                given={one.purpose: one.text_id for one in asked if one.required and not one.is_given},
                evidence={},
                at=at,
                actor=life.actor,
            )


def answers_of(who: Applicant, asked: list[Any]) -> dict[str, str]:
    """What the person writes into a page's fields, as a form sends it. What is not known stays empty."""
    digits = tenancy.current().currency_digits
    known: dict[str, Any] = {
        "family_name": who.family_name,
        "given_name": who.given_name,
        "birth_date": who.birth_date.isoformat(),
        "identity_number": who.identity_number,
        "email": who.email,
        "address": who.address,
        "city": who.city,
        "other_debt_minor": 0 if "income_minor" in who.answers else None,
        **who.answers,
    }
    written = {}
    for question in asked:
        value = known.get(question.code)
        if value is None:
            written[question.code] = ""
        elif question.kind == "money":
            written[question.code] = str(value // 10**digits)
        else:
            written[question.code] = str(value)
    return written


def decided(world: World, life: Life) -> str:
    """The application's state after the decision; a referred one is decided by a member of staff."""
    state = state_of(life)
    if state == "referred":
        _review(world, life)
        world.settle()
        state = state_of(life)
    return state


def state_of(life: Life) -> str:
    with transaction.atomic():
        return str(applications.application(application_id=life.application_id).state)  # type: ignore[arg-type]


def _review(world: World, life: Life) -> None:
    """An underwriter takes the case and, seeded, says yes more often than no."""
    with transaction.atomic():
        reviewer = staff.users().get(email__startswith="underwriter@")
        moment = institutions.moment(tenancy.current(), world.tick(240))
        item = desk_view.item_of("underwriting", life.application_id)  # type: ignore[arg-type]
        assert item is not None
        desk.take(item_id=item.pk, user=reviewer, at=moment)
        decide_application.open_case(application_id=life.application_id, reviewer=reviewer, at=world.clock.at)  # type: ignore[arg-type]
    with transaction.atomic():
        act = decide_application.approve if life.random.random() < 0.7 else decide_application.decline
        reason = "affordability_shown" if act is decide_application.approve else "income_not_shown"
        act(application_id=life.application_id, reviewer=reviewer, reasons=[reason], at=world.tick(180))  # type: ignore[arg-type]


def sign(world: World, life: Life) -> bool:
    """Reads the paper, asks for the code, signs. False when the person lets the offer go."""
    if life.random.random() < 0.04:
        return False
    application_id = life.application_id
    with transaction.atomic():
        sign_agreement.paper(application_id=application_id)  # type: ignore[arg-type]
    world.settle()
    with transaction.atomic():
        document = sign_agreement.paper(application_id=application_id)  # type: ignore[arg-type]
        offer = applications.standing_offer(application_id=application_id)  # type: ignore[arg-type]
        assert offer is not None
        context = one_time_codes.signing_context(
            application_id=application_id,  # type: ignore[arg-type]
            document_hash=document.content_sha256,
            amount_minor=offer.amount_minor,
        )
        issued = sign_in.issue_code(
            purpose=sign_in.SIGN_AGREEMENT,
            to=life.who.phone,
            party_id=life.party_id,
            context=context,
            address=f"sim-{life.who.number}",
            at=world.tick(),
        )
    with transaction.atomic():
        _give_mandate(world, life)
        signed = sign_agreement.sign(
            application_id=application_id,  # type: ignore[arg-type]
            card_id=life.card_id,  # type: ignore[arg-type]
            code_id=issued.code_id,
            code=issued.code,
            evidence={},
            at=world.tick(),
            actor=life.actor,
        )
        if isinstance(signed, Refusal):
            raise RuntimeError(f"a simulated signature was refused: {signed}")
        life.loan_id = signed.loan_id
        life.loans_taken += 1
    world.settle()
    return True


def _give_mandate(world: World, life: Life) -> None:
    """Whoever will pay late or not at all does not let us debit their card: the mandate is a choice."""
    if life.who.habit in ("late", "partial", "never", "stops"):
        return
    today = tenancy.current().business_date
    if consents.has_consent(party_id=life.party_id, purpose="card_debit", on=today, subject_id=life.card_id):  # type: ignore[arg-type]
        return
    text = consents.text_in_force("card_debit", life.who.language, today)
    consents.give(
        party_id=life.party_id,  # type: ignore[arg-type]
        purpose="card_debit",
        text_id=text.pk,
        subject_id=life.card_id,
        actor=life.actor,
        at=world.clock.at,
        on=today,
    )


def seeded(seed: int, number: int) -> Random:
    """A person's own chance, independent of how many others there are."""
    digest = hashlib.sha256(f"life:{seed}:{number}".encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))  # noqa: S311
