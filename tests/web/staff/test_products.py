"""Prices on the desk: drafted without losing a word, refused beside their field when unlawful, published by two."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.apps.servicing import loans
from tests.web.samples import World
from usance.apps.decisioning import selectors as rules
from usance.apps.desk import selectors as desk
from usance.apps.products import calculator, selectors, template
from usance.core.loan import terms as core
from usance.core.loan.terms import NonAccrual
from usance.web.staff import product_reading, product_words
from usance.web.staff.product_form import VOCABULARY, ConfigForm

AsRole = Callable[[str], Client]
LIST = "/staff/products/"


@pytest.fixture
def manager(as_role: AsRole) -> Client:
    return as_role("product_manager")


def published() -> Any:
    return next(row for row in selectors.all_versions() if row.product.code == "short")


def address(row: Any, act: str = "") -> str:
    return f"{LIST}versions/{row.pk}/{act}"


def drafted(manager: Client) -> Any:
    """A draft that says what the published version says."""
    response = manager.post(address(published(), "draft/"))
    assert response.status_code == 302
    row = selectors.all_versions().get(state="draft")
    assert response.headers["Location"] == address(row, "edit/")
    return row


def typed(row: Any, institution: Any, **changed: Any) -> dict[str, Any]:
    """What the page would send if nothing but `changed` was touched."""
    form = ConfigForm(None, config=row.config, institution=institution)
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value is not None} | changed


def test_the_list_shows_what_is_in_force(manager: Client) -> None:
    text = manager.get(LIST).content.decode()
    assert "Loan to payday" in text
    assert "In force" in text
    assert address(published()) in text


def test_a_version_is_read_in_words_and_priced_by_the_calculator(manager: Client) -> None:
    page = manager.get(address(published()))
    text = page.content.decode()
    assert "each day, on past-due principal" in text
    assert "9/365 %" in text  # exact, where decimals never end
    assert "₫3,022,192" in text  # 3,000,000 for 30 days at the promotional rate, as in the contract
    own = manager.get(f"{address(published())}?amount=1000000&term=10").content.decode()
    assert "₫1,002,466" in own
    refused = manager.get(f"{address(published())}?amount=1&term=10")
    assert refused.context["preview_refused"]


@pytest.mark.parametrize("query", ["amount=much&term=x", "amount=&term=-5", "term=4"])
def test_a_preview_of_nonsense_is_answered(manager: Client, query: str) -> None:
    assert manager.get(f"{address(published())}?{query}").status_code == 200


def test_what_belongs_together_is_read_in_one_line(house: World) -> None:
    named = {"first_loan": "The first rules"}
    for row in selectors.all_versions():
        sections = product_reading.described(row.config, house.institution, rule_sets=named)
        lines = {str(line.label): str(line.value) for _title, rows in sections for line in rows}
        assert lines["Decided by the rules"] == "The first rules"
        assert lines["First to last"].startswith("Tax → ")
        assert re.fullmatch(r"[\d./]+ ?% a (day|month|year)", lines["Interest"])
        assert re.fullmatch(r"\d+ to \d+ (days|payments)", lines["Term"])
        assert not set(lines) & set(product_words.LABELS), "a place without a label"


def test_every_demo_configuration_goes_through_the_form_unchanged(house: World) -> None:
    for row in selectors.all_versions():
        form = ConfigForm(typed(row, house.institution), config=row.config, institution=house.institution)
        assert form.is_valid(), form.errors
        config = form.check(house.institution.business_date)
        assert config == template.read(row.config)


def test_a_new_price_is_drafted_compared_and_published_by_two(house: World, as_role: AsRole, manager: Client) -> None:
    loans.lend(on=house.institution.business_date)
    row = drafted(manager)
    before = selectors.version(version_id=published().pk) if published().state == "published" else None
    form = typed(row, house.institution, prices__first__rate__share="17.5", note="Cheaper", penalty__share="0.02")
    assert manager.post(address(row, "edit/"), form).status_code == 302
    row.refresh_from_db()
    assert (row.config["prices"]["first"]["rate"]["share"], row.note) == ("0.175", "Cheaper")
    page = manager.get(address(row))
    changed = {str(line.label): (line.before, line.after) for line in page.context["changes"]}
    assert changed["Price for first-time customers: Interest"] == ("18%", "17.5%")
    assert "1 running loan keeps its terms." in [str(effect.text) for effect in page.context["touched"]]
    starts_on = house.institution.business_date + timedelta(days=1)
    early = {"starts_on": (starts_on - timedelta(days=9)).isoformat(), "reason": "cheaper"}
    assert list(manager.post(address(row, "propose/"), early).context["form"].errors) == ["starts_on"]
    given = {"starts_on": starts_on.isoformat(), "reason": "cheaper"}
    assert manager.post(address(row, "propose/"), given).status_code == 302
    assert manager.post(address(row, "edit/"), form).status_code == 422  # proposed: no longer a draft
    second = as_role("compliance")
    (waiting,) = desk.approvals_for(house.staff["compliance"])
    shown = second.get(f"/staff/approvals/{waiting.pk}/").content.decode()
    assert "17.5%" in shown
    assert address(row) in shown
    assert second.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.starts_on) == ("published", starts_on)
    assert before is None or before.pk != row.pk


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prices__returning__rate__share": "25"}, "prices__returning__rate__share"),
        ({"prices__first__fees__0__share": "3"}, "prices__first__rate__share"),  # extensions are counted
        ({"penalty__share": "1"}, "penalty__share"),
    ],
)
def test_an_unlawful_price_is_refused_beside_its_field_with_rule_and_figure(
    house: World, manager: Client, changed: dict[str, str], field: str
) -> None:
    row = drafted(manager)
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **changed))
    assert page.status_code == 422
    sentence = " ".join(page.context["form"].errors[field])
    assert re.search(
        r"Above the limit of Vietnam, “Most .+”: this comes to [\d.,]+% where at most [\d.]+% is", sentence
    )
    kept = {name: page.context["form"][name].value() for name in changed}
    assert kept == changed  # nothing typed is lost
    row.refresh_from_db()
    assert row.config == published_config()


def published_config() -> Any:
    return selectors.all_versions().get(product__code="short", state="published").config


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount__min_minor": "20.000.000"}, "amount__min_minor"),
        ({"term__default": "31"}, "term__unit"),
        ({"prices__first__rate__share": "abc"}, "prices__first__rate__share"),
        ({"prices__first__rate__share": ""}, "prices__first__rate__share"),
        ({"prices__first__rate__share": "1/0"}, "prices__first__rate__share"),
        ({"extension__days_allowed": "7, soon"}, "extension__days_allowed"),
        ({"conventions__rounding": "sideways"}, "conventions__rounding"),
        ({"allocation__components__0": "principal"}, "allocation__components__0"),
    ],
)
def test_what_cannot_be_is_told_where_it_was_typed(
    house: World, manager: Client, changed: dict[str, str], field: str
) -> None:
    row = drafted(manager)
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **changed))
    assert page.status_code == 422
    assert field in page.context["form"].errors or field.split("__")[0] in str(page.context["form"].errors)


def test_rows_are_added_without_losing_a_word(house: World, manager: Client) -> None:
    row = drafted(manager)
    form = typed(row, house.institution, note="half done", term__max="not yet", more="prices.first.fees")
    page = manager.post(address(row, "edit/"), form)
    assert page.status_code == 200
    shown = page.context["form"]
    assert "prices__first__fees__1__kind" in shown.fields
    assert (shown["note"].value(), shown["term__max"].value()) == ("half done", "not yet")
    form |= {
        "term__max": "30",
        "prices__first__fees__1__kind": "service",
        "prices__first__fees__1__when": "on_request",
        "prices__first__fees__1__flat_minor": "10000",
        "prices__first__fees__1__of": "original_principal",
    }
    del form["more"]
    assert manager.post(address(row, "edit/"), form).status_code == 302
    row.refresh_from_db()
    assert [fee["kind"] for fee in row.config["prices"]["first"]["fees"]] == ["extension", "service"]


def test_a_product_of_instalments_is_given_another_way_of_repaying(house: World, manager: Client) -> None:
    offered = next(row for row in selectors.all_versions() if row.product.code == "instalments")
    manager.post(address(offered, "draft/"))
    row = selectors.all_versions().get(state="draft")
    nonsense = {"kind": "interest_only", "grace__principal": "2", "conventions__interest_spread": "evenly"}
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **nonsense))
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert "Instalments of interest alone" in errors["grace__principal"][0]
    assert "original principal" in errors["conventions__interest_spread"][0]
    meant = {
        "kind": "equal_principal", "down_payment_share": "20", "grace__principal": "1",
        "conventions__day_count": "months_of_30/360", "conventions__residue": "collect_at_end",
    }  # fmt: skip
    assert manager.post(address(row, "edit/"), typed(row, house.institution, **meant)).status_code == 302
    row.refresh_from_db()
    assert (row.config["kind"], row.config["down_payment_share"]) == ("equal_principal", "0.2")
    text = manager.get(f"{address(row)}?amount=10000000&term=6").content.decode()
    assert "equal parts of principal, interest on top" in text
    assert "₫10,401,333" in text  # a fifth bears no interest from the first day


def test_a_product_pays_out_in_parts_and_its_calculator_foresees_them(house: World, manager: Client) -> None:
    offered = next(row for row in selectors.all_versions() if row.product.code == "instalments")
    manager.post(address(offered, "draft/"))
    row = selectors.all_versions().get(state="draft")
    parts = {
        "drawdowns__most": "3", "drawdowns__first_share": "60", "drawdowns__rest_after_days": "30",
        "drawdowns__until_days": "20", "drawdowns__repaid": "over_its_own_term", "grace__principal": "1",
        "extension__days_allowed": "7", "extension__max_count": "1",
    }  # fmt: skip
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **parts))
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"drawdowns__most", "drawdowns__until_days", "drawdowns__repaid"}
    too_late = parts | {"drawdowns__rest_after_days": "800", "drawdowns__until_days": "900"}
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **too_late))
    assert "before the last payment" in page.context["form"].errors["drawdowns__rest_after_days"][0]
    lawful = {"drawdowns__until_days": "90", "grace__principal": "0", "extension__days_allowed": ""}
    taxed = {"down_payment_share": "10", "taxes__0__kind": "vat", "taxes__0__share": "20", "taxes__0__on": ["interest"]}
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **parts | lawful | taxed))
    assert set(page.context["form"].errors) == {"down_payment_share"}
    meant = parts | lawful
    assert manager.post(address(row, "edit/"), typed(row, house.institution, **meant)).status_code == 302
    row.refresh_from_db()
    assert row.config["drawdowns"]["first_share"] == "0.6"
    text = manager.get(f"{address(row)}?amount=10000000&term=6").content.decode()
    assert "over a full term of its own" in text
    today = house.institution.business_date
    made = calculator.quote(version=row, amount_minor=10_000_000, term=6, customer_kind="first", on=today)
    assert [(part.on - today, part.amount_minor) for part in made.parts] == [
        (timedelta(0), 6_000_000), (timedelta(days=30), 4_000_000),
    ]  # fmt: skip
    assert sum(part.sent_minor for part in made.parts) == made.received_minor
    assert sum(row.amounts.get("principal", 0) for row in made.instalments) == 10_000_000
    typed_off = {"drawdowns__most": ""}
    assert manager.post(address(row, "edit/"), typed(row, house.institution, **typed_off)).status_code == 302
    row.refresh_from_db()
    assert row.config["drawdowns"] is None


def test_a_product_says_from_which_day_interest_is_income_only_when_it_is_paid(house: World, manager: Client) -> None:
    row = drafted(manager)
    for typed_days in ("0", "3661", "many"):
        page = manager.post(address(row, "edit/"), typed(row, house.institution, non_accrual__after_days=typed_days))
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["non_accrual__after_days"])
    meant = {"non_accrual__after_days": "90", "non_accrual__until": "closed"}
    assert manager.post(address(row, "edit/"), typed(row, house.institution, **meant)).status_code == 302
    row.refresh_from_db()
    assert row.config["non_accrual"] == {"after_days": 90, "until": "closed"}
    text = manager.get(address(row)).content.decode()
    assert "On non-accrual, past due for" in text
    today = house.institution.business_date
    made = calculator.quote(version=row, amount_minor=5_000_000, term=10, customer_kind="first", on=today)
    assert made.terms.non_accrual == NonAccrual(after_days=90, until="closed")
    plain = calculator.quote(
        version=selectors.all_versions().get(product__code="short", state="published"), amount_minor=5_000_000,
        term=10, customer_kind="first", on=today,
    )  # fmt: skip
    assert (plain.terms.non_accrual, plain.total_minor) == (None, made.total_minor)
    assert manager.post(
        address(row, "edit/"), typed(row, house.institution, non_accrual__after_days="")
    ).status_code == 302  # fmt: skip
    row.refresh_from_db()
    assert row.config["non_accrual"] is None


def test_a_product_gives_more_days_to_step_back(house: World, manager: Client) -> None:
    row = drafted(manager)
    wrong = {"cooling_off__days": "400", "cooling_off__pay_days": "7"}
    page = manager.post(address(row, "edit/"), typed(row, house.institution, **wrong))
    assert (page.status_code, set(page.context["form"].errors)) == (422, {"cooling_off__days"})
    meant = {"cooling_off__days": "30", "cooling_off__pay_days": ""}
    assert manager.post(address(row, "edit/"), typed(row, house.institution, **meant)).status_code == 302
    row.refresh_from_db()
    assert row.config["cooling_off"] == {"days": 30, "pay_days": 0}
    assert "Days after signing" in manager.get(address(row)).content.decode()
    assert manager.post(address(row, "edit/"), typed(row, house.institution, cooling_off__days="")).status_code == 302
    row.refresh_from_db()
    assert row.config["cooling_off"] is None


def test_every_choice_of_the_core_has_words() -> None:
    for vocabulary in (*VOCABULARY.values(), "plan"):
        assert core.NAMES[vocabulary] <= set(product_words.VALUES), vocabulary


def test_parts_that_are_emptied_are_gone(house: World, manager: Client) -> None:
    row = drafted(manager)
    emptied = {"penalty__rule": "", "extension__days_allowed": "", "prices__first__promo__days": ""}
    assert manager.post(address(row, "edit/"), typed(row, house.institution, **emptied)).status_code == 302
    row.refresh_from_db()
    config = row.config
    assert (config["penalty"], config["extension"], config["prices"]["first"]["promo"]) == (None, None, None)


def test_a_draft_is_thrown_away_and_a_product_no_longer_offered(house: World, as_role: AsRole, manager: Client) -> None:
    row = drafted(manager)
    assert manager.get(address(row, "discard/")).status_code == 200
    assert manager.post(address(row, "discard/")).status_code == 302
    assert not selectors.all_versions().filter(pk=row.pk).exists()
    last = house.institution.business_date + timedelta(days=1)
    retire = f"{LIST}{published().product_id}/retire/"
    compliance = as_role("compliance")
    assert compliance.post(retire, {"from_on": "2020-01-01"}).status_code == 422
    assert compliance.post(retire, {"from_on": last.isoformat()}).status_code == 302
    assert "short" not in [one.product.code for one in selectors.products_offered(on=last)]


def test_every_place_of_a_configuration_has_words(house: World) -> None:
    for row in selectors.all_versions():
        for path, value in product_words.places(template.read(row.config).to_json()).items():
            shown = path not in product_words.NOT_SHOWN and value not in (None, [])
            assert not shown or product_words.label(path) != path


def test_rules_are_read_as_tables_and_changed_by_two(house: World, as_role: AsRole, manager: Client) -> None:
    (first,) = rules.all_versions()
    assert "First rules" in manager.get("/staff/rules/").content.decode()
    text = manager.get(f"/staff/rules/{first.pk}/").content.decode()
    assert "Declines at once" in text
    assert "facts.past_due_now == true" in text
    page = manager.get(f"/staff/rules/{first.pk}/draft/")
    content = page.context["form"]["content"].value()
    for bad in ("{", "[]", content.replace("facts.past_due_now == true", "facts.past_due_now ==== (")):
        refused = manager.post(f"/staff/rules/{first.pk}/draft/", {"note": "n", "content": bad})
        assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["content"])
        assert refused.context["form"]["content"].value() == bad
    stricter = content.replace("(facts.open_count ?? 0) >= 2", "(facts.open_count ?? 0) >= 1")
    kept = manager.post(f"/staff/rules/{first.pk}/draft/", {"note": "one loan at a time", "content": stricter})
    draft = rules.all_versions().get(state="draft")
    assert kept.headers["Location"] == f"/staff/rules/{draft.pk}/"
    starts_on = house.institution.business_date + timedelta(days=1)
    proposed = {"starts_on": starts_on.isoformat(), "reason": "risk"}
    assert manager.post(f"/staff/rules/{draft.pk}/propose/", proposed).status_code == 302
    (waiting,) = desk.approvals_for(house.staff["compliance"])
    second = as_role("compliance")
    shown = second.get(f"/staff/approvals/{waiting.pk}/")
    changed = [(line.before, line.after) for line in shown.context["difference"][1:]]
    assert changed == [("(facts.open_count ?? 0) >= 2", "(facts.open_count ?? 0) >= 1")]
    assert second.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302
    assert rules.version_in_force(rule_set="first_loan", on=starts_on).pk == draft.pk
