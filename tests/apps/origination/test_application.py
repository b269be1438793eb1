"""An application from its first page to an offer, a decline or a person's desk."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from tests.apps.origination.people import AT, ON, PAGES, World
from usance.apps.customers import blacklist
from usance.apps.customers import selectors as customers
from usance.apps.decisioning import services as decisioning
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.desk.refusals import CaseNotYours
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as founding
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors, services
from usance.apps.origination.models import Answer, Application, Transition
from usance.apps.products import calculator, template
from usance.apps.products import selectors as products
from usance.apps.products import services as product_services
from usance.core.loan.terms import Terms
from usance.ports.actor import SYSTEM, borrower, staff
from usance.workflows import decide_application, take_application


def fresh(application: Any) -> Application:
    return selectors.application(application_id=application.pk)


def tomorrow(days: int = 1) -> date:
    """Business time goes on."""
    today = tenancy.current().business_date + timedelta(days=days)
    founding.move_business_date(to=today, ahead_days=0)
    return today


def decided(world: World, application: Any) -> Application:
    world.submit(application)
    world.jobs.run_pending()
    return fresh(application)


# --- answering ---------------------------------------------------------------------------------------------------


def test_pages_lead_from_one_to_the_next_and_remember_where_to_go_on(world: World) -> None:
    application = world.start(world.person())
    actor = borrower(application.party_id)
    assert take_application.next_page(application_id=application.pk) == "about"
    saved = take_application.save_page(
        application_id=application.pk, page="about", data=PAGES["about"], at=AT, actor=actor
    )
    assert (saved.next_page, saved.errors) == ("work", {})
    assert fresh(application).page == "work"


def test_what_is_right_is_kept_although_something_is_wrong(world: World) -> None:
    application = world.start(world.person())
    saved = take_application.save_page(
        application_id=application.pk,
        page="about",
        data={"family_name": "Trần", "given_name": "", "birth_date": "8 5 1984"},
        at=AT,
        actor=borrower(application.party_id),
    )
    assert saved.next_page == "about"
    assert set(saved.errors) == {"given_name"}
    assert selectors.answers(fresh(application)) == {"family_name": "Trần", "birth_date": "1984-05-08"}


def test_nothing_is_kept_of_somebody_whose_birth_date_is_unknown(world: World) -> None:
    """Whoever gets the number next is asked for it; without it they would read what was told."""
    application = world.start(world.person())
    actor = borrower(application.party_id)
    for born in ("31 2 1984", "8 5 2084", "1 1 1800"):
        data = {"family_name": "Trần", "given_name": "Bình", "birth_date": born}
        saved = take_application.save_page(application_id=application.pk, page="about", data=data, at=AT, actor=actor)
        assert set(saved.errors) == {"birth_date"}
        assert selectors.answers(fresh(application)) == {}
    with pytest.raises(take_application.WhoFirst):
        take_application.save_page(
            application_id=application.pk, page="contact", data=PAGES["contact"], at=AT, actor=actor
        )


def test_an_identity_number_must_fit_its_country_and_the_birth_date(world: World) -> None:
    application = world.start(world.person())
    actor = borrower(application.party_id)
    take_application.save_page(application_id=application.pk, page="about", data=PAGES["about"], at=AT, actor=actor)
    for number in ("12345", "087090000999"):
        data = {"identity_number": number}
        saved = take_application.save_page(
            application_id=application.pk, page="identity", data=data, at=AT, actor=actor
        )
        assert set(saved.errors) == {"identity_number"}


def test_answers_are_sealed_and_the_latest_one_counts(world: World) -> None:
    application = world.ready()
    actor = borrower(application.party_id)
    before = Answer.objects.filter(application=application).count()
    for name in ("Trần", "Nguyễn", "Nguyễn"):  # the same again adds no row
        data = PAGES["about"] | {"family_name": name}
        take_application.save_page(application_id=application.pk, page="about", data=data, at=AT, actor=actor)
    assert Answer.objects.filter(application=application).count() == before + 1
    assert selectors.answers(fresh(application))["family_name"] == "Nguyễn"
    assert all(b"Nguy" not in bytes(row.sealed) for row in Answer.objects.all())


def test_an_answer_that_may_stay_open_can_be_taken_back(world: World) -> None:
    application = world.ready()
    actor = borrower(application.party_id)
    data = PAGES["contact"] | {"email": ""}
    take_application.save_page(application_id=application.pk, page="contact", data=data, at=AT, actor=actor)
    assert "email" not in selectors.answers(fresh(application))


def test_an_unfinished_draft_goes_on_with_the_new_wish_and_the_link_finds_it(world: World) -> None:
    party_id = world.person()
    first = take_application.start(
        party_id=party_id, product_code="short", amount_minor=3_000_000, term=30, language="vi", at=AT, actor=SYSTEM
    )
    again = take_application.start(
        party_id=party_id,
        product_code="instalments",
        amount_minor=9_000_000,
        term=6,
        language="vi",
        at=AT,
        actor=SYSTEM,
    )
    assert first.application.pk == again.application.pk
    assert (again.application.product.code, again.application.amount_minor) == ("instalments", 9_000_000)
    assert selectors.application_of_token(token=again.resume_token) == again.application
    assert selectors.application_of_token(token=first.resume_token) is None
    assert selectors.application_of_token(token="") is None


def test_only_known_parts_of_the_visits_source_are_kept(world: World) -> None:
    source = {"utm_campaign": "spring", "click_id": "c" * 300, "cookie": "secret"}
    application = world.start(world.person(), source=source)
    assert application.source == {"utm_campaign": "spring", "click_id": "c" * 200}


def test_one_application_at_a_time(world: World) -> None:
    application = world.ready()
    world.submit(application)
    with pytest.raises(services.ApplicationOpen):
        world.start(application.party_id)
    copy = fresh(application)
    copy.pk, copy.number, copy.resume_token_hash = uuid4(), 999, ""
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


# --- submitting --------------------------------------------------------------------------------------------------


def test_nothing_is_submitted_before_all_is_answered(world: World) -> None:
    application = world.start(world.person())
    with pytest.raises(take_application.ApplicationIncomplete) as refusal:
        world.submit(application)
    assert refusal.value.pages == ("about", "work", "income", "contact", "identity", "consents", "card")
    assert fresh(application).state == "draft"


def test_submitting_twice_is_submitting_once(world: World) -> None:
    application = world.ready()
    assert world.submit(application) == world.submit(application)
    assert Transition.objects.filter(application=application, to_state="submitted").count() == 1
    with pytest.raises(services.StateDoesNotAllow):
        world.submit(application, key="another form")


def test_the_customers_file_learns_what_was_told(world: World) -> None:
    application = world.ready()
    world.submit(application)
    profile = customers.profile(application.party_id)
    assert profile.values["birth_date"] == date(1984, 5, 8)
    assert profile.values["income_minor"] == 15_000_000
    assert profile.identity_number == "087084000999"
    assert [found.value for found in customers.contacts(application.party_id, "email")] == ["binh@example.com"]
    assert profile.sources["city"].source == "applicant"


def test_what_was_told_is_not_asked_again(world: World) -> None:
    application = world.ready()
    world.submit(application)
    take_application.withdraw(application_id=application.pk, at=AT, actor=borrower(application.party_id))
    second = world.start(application.party_id)
    assert take_application.next_page(application_id=second.pk) == "check"
    assert {given.came_from for given in selectors.given(second).values()} == {"customer"}


def test_terms_are_frozen_when_the_product_changes(world: World) -> None:
    """Law 8: running loans and submitted requests keep their terms; a draft takes the new ones, after it saw them."""
    submitted, draft = world.ready(), world.ready()
    shown = take_application.quote(application_id=submitted.pk)
    world.submit(submitted)
    dearer = {**submitted.product_version.config}
    dearer["prices"] = {kind: {"rate": {"share": "0.19", "per": "year"}} for kind in template.CUSTOMER_KINDS}
    version = product_services.draft_version(product_id=submitted.product.pk, config=dearer, actor=SYSTEM)
    tomorrow()
    product_services.publish(version_id=version.pk, starts_on=tenancy.current().business_date, actor=SYSTEM)
    assert fresh(submitted).core_terms() == shown.terms
    world.jobs.run_pending()
    offer = selectors.standing_offer(application_id=submitted.pk)
    assert offer is not None
    assert offer.core_terms().rates == shown.terms.rates
    with pytest.raises(take_application.ProductChanged):
        world.submit(draft)
    take_application.refresh(application_id=draft.pk)
    world.submit(draft)
    assert fresh(draft).core_terms().rates != shown.terms.rates


def test_submitted_terms_cannot_be_taken_away(world: World) -> None:
    application = world.ready()
    world.submit(application)
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(terms=None)


# --- deciding ----------------------------------------------------------------------------------------------------


def test_an_approval_is_an_offer_with_the_calculators_figures(world: World) -> None:
    """Law 5: the calculator's figures are the contract's and the schedule's."""
    application = world.ready()
    shown = take_application.quote(application_id=application.pk)
    row = decided(world, application)
    assert row.state == "approved"
    offer = selectors.standing_offer(application_id=row.pk)
    assert offer is not None
    assert offer.figures == shown.to_json()
    assert Terms.from_json(offer.terms) == shown.terms == row.core_terms()
    assert offer.expires_on == ON + timedelta(days=3)
    contract = calculator.figures(terms=offer.core_terms(), on=ON)
    assert contract.to_json() == shown.to_json()


def test_the_decision_knows_no_name_and_can_be_made_again(world: World) -> None:
    row = decided(world, world.ready())
    assert row.decision is not None
    inputs = row.decision.inputs
    assert inputs["age_years"] == 41
    assert inputs["income_minor"] == 15_000_000
    assert inputs["instalment_minor"] == row.core_terms().principal_minor + 22_192
    told = str(inputs) + str(row.decision.trace)
    assert not any(word in told for word in ("Trần", "Bình", "087084000999", "binh@", "1984", "Cao"))
    assert decisioning.reproduce(decision=row.decision).agrees


def test_the_job_decides_once(world: World) -> None:
    row = decided(world, world.ready())
    decide_application.decide(str(row.pk))
    assert Transition.objects.filter(application=row, to_state="approved").count() == 1
    assert row.offers.count() == 1


def test_a_decline_is_told_with_a_true_reason(world: World) -> None:
    party_id = world.person()
    application = world.start(party_id)
    world.answer(application, income={"income_minor": "4000000"})
    world.card(party_id)
    row = decided(world, application)
    assert (row.state, row.reasons) == ("declined", ["instalment_above_income"])
    assert row.decided_on == ON
    assert selectors.standing_offer(application_id=row.pk) is None


def test_a_heavy_payment_makes_the_offer_smaller(world: World) -> None:
    party_id = world.person()
    application = world.start(party_id)
    world.answer(application, income={"income_minor": "8000000"})
    world.card(party_id)
    row = decided(world, application)
    offer = selectors.standing_offer(application_id=row.pk)
    assert offer is not None
    assert (row.amount_minor, offer.amount_minor) == (3_000_000, 2_100_000)
    assert offer.core_terms().rates == row.core_terms().rates


def test_a_card_of_somebody_else_goes_to_a_person_and_of_several_is_declined(world: World) -> None:
    world.card(world.person(), token="shared")
    party_id = world.person()
    application = world.start(party_id)
    world.answer(application)
    world.card(party_id, token="shared")
    row = decided(world, application)
    assert (row.state, row.reasons) == ("referred", ["card_of_another"])
    third = world.person()
    other = world.start(third)
    world.answer(other, identity={"identity_number": "087084000998"}, about={"given_name": "Cường"})
    world.card(third, token="shared")
    assert decided(world, other).reasons[0] == "card_of_others"


def test_somebody_on_the_blacklist_is_declined_without_being_told_so(world: World) -> None:
    application = world.ready()
    blacklist.add(kind="phone", value="+84901234001", reason="fraud", starts_on=ON, actor=SYSTEM)
    row = decided(world, application)
    assert (row.state, row.reasons) == ("declined", ["blacklisted"])


def test_the_same_identity_number_under_two_names_goes_to_a_person(world: World) -> None:
    decided(world, world.ready())
    row = decided(world, world.ready())
    assert row.state == "referred"
    assert "duplicate_identity" in row.reasons


# --- the desk ----------------------------------------------------------------------------------------------------


@pytest.fixture
def referred(world: World) -> Application:
    world.card(world.person(), token="shared")
    party_id = world.person()
    application = world.start(party_id)
    world.answer(application)
    world.card(party_id, token="shared")
    return decided(world, application)


def take(world: World, user: Any) -> Any:
    return desk.take_next(user=user, queues=["underwriting"], at=institutions.moment(tenancy.current(), AT))


def test_a_referred_case_waits_at_the_desk_with_fifteen_minutes(world: World, referred: Application) -> None:
    reviewer = world.staff("one")
    item = take(world, reviewer)
    assert (item.subject_id, item.budget_minutes) == (referred.pk, 15)
    shown = decide_application.open_case(application_id=referred.pk, reviewer=reviewer, at=AT)
    assert shown.case.decision == referred.decision
    assert {line.question for line in shown.case.lines} >= {"family_name", "income_minor", "identity_number"}
    assert {line.source for line in shown.case.lines} == {"applicant"}


def test_a_reviewer_approves_a_smaller_amount_with_a_reason(world: World, referred: Application) -> None:
    reviewer = world.staff("one")
    with pytest.raises(CaseNotYours):
        decide_application.approve(application_id=referred.pk, reviewer=reviewer, reasons=["identity_shown"], at=AT)
    take(world, reviewer)
    with pytest.raises(decide_application.ReasonMissing):
        decide_application.approve(application_id=referred.pk, reviewer=reviewer, reasons=[], at=AT)
    for amount, refusal in (
        (4_000_000, decide_application.AmountAboveAsked),
        (2_050_000, calculator.AmountNotOffered),
    ):
        with pytest.raises(refusal):
            decide_application.approve(
                application_id=referred.pk, reviewer=reviewer, reasons=["identity_shown"], at=AT, amount_minor=amount
            )
    assert fresh(referred).state == "referred"
    decide_application.approve(
        application_id=referred.pk,
        reviewer=reviewer,
        reasons=["identity_shown"],
        at=AT + timedelta(minutes=4),
        amount_minor=2_000_000,
        note="Called back, knows the card of the brother.",
    )
    offer = selectors.standing_offer(application_id=referred.pk)
    assert offer is not None
    assert (fresh(referred).state, offer.amount_minor) == ("approved", 2_000_000)
    review = referred.reviews.get()
    assert (review.seconds, review.reviewer_id) == (240, reviewer.pk)
    assert "brother" not in str(bytes(review.note_sealed))
    assert "brother" in selectors.review_note(review)
    item = desk_view.item_of("underwriting", referred.pk)
    assert item is not None
    assert (item.state, item.outcome) == ("done", "approve")


def test_a_reviewer_declines(world: World, referred: Application) -> None:
    reviewer = world.staff("one")
    take(world, reviewer)
    decide_application.decline(application_id=referred.pk, reviewer=reviewer, reasons=["suspected_fraud"], at=AT)
    assert (fresh(referred).state, fresh(referred).reasons) == ("declined", ["suspected_fraud"])


def test_asking_stops_the_clock_until_the_applicant_answers(world: World, referred: Application) -> None:
    reviewer = world.staff("one")
    take(world, reviewer)
    decide_application.ask(
        application_id=referred.pk, reviewer=reviewer, question="Whose card is it?", reasons=["card_of_another"], at=AT
    )
    row = fresh(referred)
    assert (row.state, row.question) == ("asked", "Whose card is it?")
    item = desk_view.item_of("underwriting", row.pk)
    assert item is not None
    assert item.state == "waiting"
    decide_application.answered(application_id=row.pk, reply="My brother's", at=AT, actor=borrower(row.party_id))
    item = desk_view.item_of("underwriting", row.pk)
    assert item is not None
    assert (fresh(referred).state, item.state) == ("referred", "open")
    assert selectors.answers(fresh(referred))["reply"] == "My brother's"
    with pytest.raises(services.StateDoesNotAllow):
        decide_application.answered(application_id=row.pk, reply="again", at=AT, actor=SYSTEM)


def test_a_question_that_nobody_answers_ends_the_application(world: World, referred: Application) -> None:
    reviewer = world.staff("one")
    take(world, reviewer)
    decide_application.ask(
        application_id=referred.pk, reviewer=reviewer, question="?", reasons=["card_of_another"], at=AT
    )
    last = fresh(referred).expires_on
    moment = institutions.moment(tenancy.current(), AT)
    assert take_application.sweep(subject_id=referred.pk, due_on=last, moment=moment) == "later"
    assert take_application.sweep(subject_id=referred.pk, due_on=last + timedelta(days=1), moment=moment) == "expired"
    item = desk_view.item_of("underwriting", referred.pk)
    assert item is not None
    assert (fresh(referred).state, item.state) == ("expired", "done")


def test_whoever_entered_an_application_does_not_decide_on_it(world: World) -> None:
    reviewer, colleague = world.staff("one"), world.staff("two")
    world.card(world.person(), token="shared")
    party_id = world.person()
    application = take_application.start(
        party_id=party_id,
        product_code="short",
        amount_minor=3_000_000,
        term=30,
        language="vi",
        at=AT,
        actor=staff(reviewer.pk),
        channel="staff",
    ).application
    world.answer(application)
    world.card(party_id, token="shared")
    row = decided(world, application)
    item = take(world, reviewer)
    with pytest.raises(decide_application.OwnCase):
        decide_application.approve(application_id=row.pk, reviewer=reviewer, reasons=["identity_shown"], at=AT)
    desk.release(item_id=item.pk, actor=staff(reviewer.pk), at=AT)
    take(world, colleague)
    decide_application.approve(application_id=row.pk, reviewer=colleague, reasons=["identity_shown"], at=AT)
    assert fresh(row).state == "approved"


# --- ends --------------------------------------------------------------------------------------------------------


def test_an_offer_is_accepted_on_its_last_day_and_not_after(world: World) -> None:
    row, late = decided(world, world.ready()), decided(world, world.ready())
    assert late.state == "referred"  # the same person twice
    offer = selectors.standing_offer(application_id=row.pk)
    assert offer is not None
    with pytest.raises(services.OfferExpired):
        services.accept_offer(offer_id=offer.pk, actor=SYSTEM, on=offer.expires_on + timedelta(days=1), at=AT)
    services.accept_offer(offer_id=offer.pk, actor=SYSTEM, on=offer.expires_on, at=AT)
    signed = selectors.accepted_offer(application_id=row.pk)
    assert signed.core_terms().signed_on == offer.expires_on
    assert fresh(row).state == "signed"
    with pytest.raises(services.OfferNotOpen):
        services.accept_offer(offer_id=offer.pk, actor=SYSTEM, on=ON, at=AT)
    assert services.expire_offer(offer_id=offer.pk, on=date(2027, 1, 1), at=AT) == "settled"


def test_an_offer_that_nobody_took_expires_with_its_day(world: World) -> None:
    row = decided(world, world.ready())
    offer = selectors.standing_offer(application_id=row.pk)
    assert offer is not None
    due = offer.expires_on + timedelta(days=1)
    waiting = institutions.items_due(due).filter(kind="offer.expire", subject_id=offer.pk)
    assert [item.due_on for item in waiting] == [due]
    assert services.expire_offer(offer_id=offer.pk, on=offer.expires_on, at=AT) == "later"
    assert services.expire_offer(offer_id=offer.pk, on=due, at=AT) == "expired"
    assert fresh(row).state == "expired"
    assert selectors.standing_offer(application_id=row.pk) is None


def test_a_draft_that_nobody_went_on_with_expires(world: World) -> None:
    application = world.start(world.person())
    due = application.expires_on + timedelta(days=1)
    assert institutions.items_due(due).filter(kind="application.expire", subject_id=application.pk).count() == 1
    assert services.expire_application(application_id=application.pk, on=due, at=AT) == "expired"
    assert services.expire_application(application_id=application.pk, on=due, at=AT) == "went on"


def test_withdrawing_takes_the_offer_and_the_case_along(world: World, referred: Application) -> None:
    take_application.withdraw(application_id=referred.pk, at=AT, actor=borrower(referred.party_id))
    item = desk_view.item_of("underwriting", referred.pk)
    assert item is not None
    assert (fresh(referred).state, item.state, item.outcome) == ("withdrawn", "done", "withdrawn")
    with pytest.raises(services.StateDoesNotAllow):
        take_application.withdraw(application_id=referred.pk, at=AT, actor=SYSTEM)


def test_states_follow_only_as_they_may(world: World) -> None:
    application = world.start(world.person())
    for to in ("approved", "funded", "declined", "deciding", "draft"):
        with pytest.raises(services.StateDoesNotAllow):
            services.move(application_id=application.pk, to=to, actor=SYSTEM, on=ON, at=AT)
    assert fresh(application).state == "draft"


def test_history_of_an_application_is_never_changed(world: World) -> None:
    application = world.ready()
    for table in ("origination_transition", "origination_answer"):
        update = f"UPDATE {table} SET recorded_at = now() WHERE application_id = %s"
        with (
            pytest.raises(Exception, match="permission denied|history"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(update, [application.pk])


def test_the_queue_and_the_search(world: World, referred: Application) -> None:
    world.start(world.person())
    assert list(selectors.queue()) == [referred]
    assert list(selectors.queue(states=["approved"])) == []
    assert list(selectors.queue(product_code="short")) == [referred]
    assert list(selectors.search(referred.reference)) == [referred]
    assert list(selectors.search("087084000999")) == [referred]
    assert list(selectors.search("nobody")) == []
    assert selectors.counts_by_state() == {"referred": 1, "draft": 1}
    assert (ON, "referred", 1) in selectors.moves_by_day(starts_on=ON, ends_on=ON + timedelta(days=1))
    assert selectors.touched_by_product(product_id=referred.product.pk) == {"referred": 1, "draft": 1}
    assert products.product(product_id=referred.product.pk).code == "short"
