"""Drafts, proposals, published versions: what changes, what stays, and who may."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction

from usance.apps.access import services as access
from usance.apps.access.models import User
from usance.apps.desk import services as desk
from usance.apps.desk.refusals import OwnProposal
from usance.apps.institutions import services as founding
from usance.apps.institutions.models import Institution
from usance.apps.products import calculator, selectors, services, template
from usance.apps.products.models import ProductVersion
from usance.core.loan import quote
from usance.ports.actor import SYSTEM

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LATER = ON + timedelta(days=10)


@pytest.fixture
def short(institution: Institution) -> ProductVersion:
    return services.found_demo_products(on=ON)[0]


@pytest.fixture
def makers(institution: Institution) -> tuple[User, User]:
    """Who drafts, and who publishes."""
    access.install_roles()
    found = []
    for name, role in (("maker", "product_manager"), ("checker", "compliance")):
        user = access.hire(email=f"{name}@example.com", name=name, actor=SYSTEM)
        access.grant_role(user=user, role=role, org_path="root", scope="institution", actor=SYSTEM)
        found.append(user)
    return found[0], found[1]


def cheaper(row: ProductVersion, share: str = "0.08") -> dict[str, Any]:
    config = template.read(row.config).to_json()
    config["prices"]["first"]["promo"]["rate"]["share"] = share
    return config


def test_the_calculators_figures_are_the_cores(short: ProductVersion) -> None:
    """Law 5: a calculator's figures are the contract's and the schedule's."""
    for customer_kind, quotes in selectors.preview(version_id=short.pk, on=ON).items():
        for shown in quotes:
            planned = quote.projection(shown.terms, ON)
            assert [row.total_minor for row in shown.instalments] == [row.total_minor for row in planned.rows]
            assert (shown.total_minor, shown.apr) == (planned.total_minor, planned.apr)
            frozen = calculator.Terms.from_json(shown.terms.to_json())
            assert calculator.figures(terms=frozen, on=ON) == shown
            assert customer_kind in template.CUSTOMER_KINDS


def test_first_time_and_returning_customers_have_their_own_terms(short: ProductVersion) -> None:
    first, returning = (
        calculator.quote(version=short, amount_minor=3_000_000, term=30, customer_kind=kind, on=ON)
        for kind in template.CUSTOMER_KINDS
    )
    assert first.cost_minor < returning.cost_minor  # the promotional rate of a first loan
    with pytest.raises(calculator.AmountNotOffered) as refusal:
        calculator.quote(version=short, amount_minor=6_000_000, term=30, customer_kind="first", on=ON)
    assert refusal.value.max_minor == 5_000_000
    calculator.quote(version=short, amount_minor=6_000_000, term=30, customer_kind="returning", on=ON)


@pytest.mark.parametrize(("amount", "term"), [(3_050_000, 30), (400_000, 30), (3_000_000, 31), (3_000_000, 7)])
def test_only_what_is_on_offer_is_quoted(short: ProductVersion, amount: int, term: int) -> None:
    with pytest.raises((calculator.AmountNotOffered, calculator.TermNotOffered)):
        calculator.quote(version=short, amount_minor=amount, term=term, customer_kind="first", on=ON)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"amount": {"min_minor": 5, "max_minor": 3, "step_minor": 1, "default_minor": 5}}, "amount"),
        ({"term": {"unit": "years", "min": 1, "max": 2, "step": 1, "default": 1}}, "term.unit"),
        ({"prices": {}}, ""),
        ({"surprise": 1}, "surprise"),
        ({"conventions": {"rounding": "as we like"}}, "conventions.rounding"),
        ({"penalty": {"rule": "daily_on_past_due_principal", "share": 0.1}}, "penalty.share"),
        ({"penalty": {"rule": "daily_on_past_due_principal", "share": "-0.1"}}, "penalty.share"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_with_its_place(
    short: ProductVersion, change: dict[str, Any], path: str
) -> None:
    with pytest.raises(template.ConfigNotValid) as refusal:
        services.draft_version(product_id=short.product_id, config=cheaper(short) | change, actor=SYSTEM)
    assert any(problem.path.startswith(path) for problem in refusal.value.problems)
    assert ProductVersion.objects.filter(product_id=short.product_id).count() == 1


def test_another_kind_of_loan_is_another_product(short: ProductVersion) -> None:
    with pytest.raises(services.KindDiffers):
        services.draft_version(
            product_id=short.product_id, config=cheaper(short) | {"kind": "equal_instalments"}, actor=SYSTEM
        )


def test_what_a_change_touches_is_listed(short: ProductVersion) -> None:
    draft = services.draft_version(product_id=short.product_id, config=cheaper(short), actor=SYSTEM)
    assert selectors.difference(version_id=draft.pk, on=ON) == [
        selectors.Change("prices.first.promo.rate.share", "0.09", "0.08")
    ]


def test_two_people_publish(short: ProductVersion, makers: tuple[User, User]) -> None:
    maker, checker = makers
    draft = services.draft_version(product_id=short.product_id, config=cheaper(short), actor=SYSTEM, made_by=maker.pk)
    asked = services.propose(version_id=draft.pk, starts_on=LATER, maker=maker, at=AT, reason="cheaper")
    with pytest.raises(OwnProposal):
        desk.approve(approval_id=asked.pk, checker=maker, at=AT)
    with pytest.raises(services.VersionNotDraft):
        services.change_draft(version_id=draft.pk, config=cheaper(short, "0.05"), actor=SYSTEM)
    desk.approve(approval_id=asked.pk, checker=checker, at=AT)
    draft.refresh_from_db()
    short.refresh_from_db()
    assert (draft.state, draft.starts_on, draft.ends_on) == ("published", LATER, None)
    assert draft.published_by == checker.pk
    assert short.ends_on == LATER
    assert selectors.version_in_force(product_code="short", on=LATER - timedelta(days=1)) == short
    assert selectors.version_in_force(product_code="short", on=LATER) == draft


def test_a_rejected_proposal_is_a_draft_again(short: ProductVersion, makers: tuple[User, User]) -> None:
    maker, checker = makers
    draft = services.draft_version(product_id=short.product_id, config=cheaper(short), actor=SYSTEM)
    asked = services.propose(version_id=draft.pk, starts_on=LATER, maker=maker, at=AT)
    desk.reject(approval_id=asked.pk, checker=checker, at=AT, note="dearer, please")
    changed = services.change_draft(version_id=draft.pk, config=cheaper(short, "0.07"), actor=SYSTEM)
    assert (changed.state, changed.config["prices"]["first"]["promo"]["rate"]["share"]) == ("draft", "0.07")


def test_an_approval_that_comes_late_starts_today(short: ProductVersion, makers: tuple[User, User]) -> None:
    maker, checker = makers
    draft = services.draft_version(product_id=short.product_id, config=cheaper(short), actor=SYSTEM)
    asked = services.propose(version_id=draft.pk, starts_on=ON + timedelta(days=1), maker=maker, at=AT)
    today = ON + timedelta(days=3)
    founding.move_business_date(to=today, ahead_days=0)
    desk.approve(approval_id=asked.pk, checker=checker, at=AT + timedelta(days=3))
    draft.refresh_from_db()
    assert draft.starts_on == today


def test_versions_start_today_at_the_earliest_and_one_a_day(short: ProductVersion) -> None:
    one, two = (
        services.draft_version(product_id=short.product_id, config=cheaper(short), actor=SYSTEM) for _ in range(2)
    )
    with pytest.raises(services.VersionStartsTooEarly):
        services.publish(version_id=one.pk, starts_on=ON - timedelta(days=1), actor=SYSTEM)
    with pytest.raises(services.VersionStartsThatDay):
        services.publish(version_id=one.pk, starts_on=ON, actor=SYSTEM)
    services.publish(version_id=one.pk, starts_on=LATER, actor=SYSTEM)
    services.publish(version_id=two.pk, starts_on=LATER - timedelta(days=5), actor=SYSTEM)
    for row in (one, two, short):
        row.refresh_from_db()
    assert [(row.starts_on, row.ends_on) for row in (short, two, one)] == [
        (ON, LATER - timedelta(days=5)),
        (LATER - timedelta(days=5), LATER),
        (LATER, None),
    ]


def test_a_published_configuration_never_changes(short: ProductVersion) -> None:
    for change in ({"config": {}}, {"state": "draft"}, {"config_hash": "x"}):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            ProductVersion.objects.filter(pk=short.pk).update(**change)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        short.delete()


def test_a_retired_product_is_offered_no_more(short: ProductVersion) -> None:
    services.retire(product_id=short.product_id, from_on=LATER, actor=SYSTEM)
    assert selectors.version_in_force(product_code="short", on=LATER - timedelta(days=1)) == short
    with pytest.raises(selectors.ProductNotOffered):
        selectors.version_in_force(product_code="short", on=LATER)
    assert [offered.product.code for offered in selectors.products_offered(on=LATER)] == ["instalments"]
