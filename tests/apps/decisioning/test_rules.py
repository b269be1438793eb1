"""Rules as data: what may be stored, what the first rules say, and that a decision can be made again."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from usance.apps.decisioning import facts, graph, reasons, selectors, services
from usance.apps.decisioning.models import Decision, RuleVersion
from usance.apps.institutions.models import Institution
from usance.ports.actor import SYSTEM

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
FIRST = json.loads(
    (resources.files("usance.apps.decisioning") / "data" / "first_rules.json").read_text(encoding="utf-8")
)
GOOD = {
    "product_kind": "single_payment",
    "customer_kind": "first",
    "amount_minor": 3_000_000,
    "amount_min_minor": 500_000,
    "amount_step_minor": 100_000,
    "term_days": 30,
    "age_years": 34,
    "age_minimum_years": 18,
    "income_minor": 15_000_000,
    "instalment_minor": 3_050_000,
    "instalment_share_percent": 21,
}


def ask(**changed: object) -> graph.Answer:
    return graph.ask(FIRST, "first rules in a test", facts.clean({**GOOD, **changed}))


@pytest.mark.parametrize(
    ("changed", "outcome", "reason"),
    [
        ({}, "approve", None),
        ({"age_years": 17}, "decline", "age_below_minimum"),
        ({"age_years": None}, "refer", "age_unknown"),
        ({"instalment_share_percent": 51}, "decline", "instalment_above_income"),
        ({"instalment_share_percent": None}, "refer", "income_unknown"),
        ({"past_due_now": True}, "decline", "past_due_now"),
        ({"max_days_past_due": 90}, "decline", "long_past_due_before"),
        ({"written_off_count": 1}, "decline", "written_off_before"),
        ({"open_count": 2}, "decline", "too_many_open"),
        ({"declined_30_days_count": 3}, "decline", "declined_often"),
        ({"blacklist_count": 1}, "decline", "blacklisted"),
        ({"card_others_count": 2}, "decline", "card_of_others"),
        ({"card_others_count": 1}, "refer", "card_of_another"),
        ({"duplicate_identity_count": 1}, "refer", "duplicate_identity"),
        ({"duplicate_phone_count": 1}, "refer", "duplicate_contact"),
        ({"duplicate_name_birth_count": 1}, "refer", "duplicate_name_birth"),
        ({"employment": "unemployed"}, "refer", "score_between"),
        ({"employment": "unemployed", "checking_status": "overdrawn"}, "decline", "account_overdrawn"),
        ({"instalment_share_percent": 36}, "approve", "instalment_heavy"),
    ],
)
def test_what_the_first_rules_say(changed: dict[str, object], outcome: str, reason: str | None) -> None:
    answer = ask(**changed)
    assert answer.outcome == outcome
    assert reason is None or reason in answer.reasons


def test_every_reason_of_the_first_rules_has_words() -> None:
    codes = {str(rule["o0"]).strip('"') for node in FIRST["nodes"][1:3] for rule in node["content"]["rules"]}
    codes |= {str(rule["o0"]).strip('"') for rule in FIRST["nodes"][3]["content"]["rules"] if int(rule["o1"]) < 0}
    assert codes <= reasons.REASONS.keys()


def test_a_decline_tells_something_true_and_never_an_internal_code() -> None:
    assert reasons.to_tell(["blacklisted"]) == [str(reasons.GENERAL)]
    told = reasons.to_tell(["blacklisted", "instalment_above_income"])
    assert told == [reasons.text("instalment_above_income")]
    assert reasons.to_tell([]) == [str(reasons.GENERAL)]


WHOLE = st.none() | st.integers(0, 200)
ANY_FACTS = st.fixed_dictionaries(
    {
        name: WHOLE if kind == facts.WHOLE else st.none() | st.booleans() if kind == facts.FLAG else
        st.none() | st.sampled_from(["own", "rent", "unemployed", "overdrawn", "critical", "none", "first"])
        for name, kind in facts.FACTS.items()
    }
)  # fmt: skip


@given(ANY_FACTS)
def test_the_rules_answer_whatever_is_known_or_missing_and_always_the_same(some: dict[str, object]) -> None:
    cleaned = facts.clean(some)
    answer = graph.ask(FIRST, "first rules in a test", cleaned)
    assert answer == graph.ask(FIRST, "first rules in a test", cleaned)
    assert answer.outcome == "approve" or answer.reasons


@pytest.mark.parametrize(
    "given_facts",
    [{"name": "x"}, {"creditability": "good"}, {"age_years": "34"}, {"age_years": 3.5}, {"job": "+84 901 234 567"}],
)
def test_only_declared_facts_reach_the_rules(given_facts: dict[str, object]) -> None:
    with pytest.raises(facts.NotAFact):
        facts.clean(given_facts)


def test_shares_are_rounded_up_and_unknown_stays_unknown() -> None:
    assert facts.share_percent(1, 1000) == 1
    assert facts.share_percent(500, 1000) == 50
    assert facts.share_percent(None, 1000) is None
    assert facts.share_percent(10, 0) is None


# --- what may be stored ------------------------------------------------------------------------------------------


def spoilt(change: Any) -> dict[str, Any]:
    content = copy.deepcopy(FIRST)
    change({node["id"]: node for node in content["nodes"]}, content)
    return content


@pytest.mark.parametrize("kind", ["functionNode", "customNode", "decisionNode", "httpNode"])
def test_nodes_that_run_code_or_call_out_are_refused(kind: str) -> None:
    with pytest.raises(graph.RuleNodeNotAllowed):
        graph.check(spoilt(lambda nodes, content: nodes["weigh"].update(type=kind)))


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes, _: nodes["weigh"]["content"]["expressions"][0].update(value="sum("),
        lambda nodes, _: nodes["knockouts"]["content"]["rules"][0].update(i0="facts.age_years <"),
        lambda nodes, _: nodes["verdict"]["content"]["rules"][0].update(i0="> > 1"),
        lambda nodes, _: nodes["verdict"]["content"]["rules"][0].update(o0='"decline'),
    ],
)
def test_every_expression_is_checked_when_stored(change: Any) -> None:
    with pytest.raises(graph.RuleExpressionInvalid):
        graph.check(spoilt(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes, _: nodes["verdict"]["content"]["rules"][1].update(o0='"maybe"'),
        lambda nodes, _: nodes["verdict"]["content"]["rules"][1].update(o1="[]"),
        lambda _, content: content.update(edges=[]),
        lambda _, content: content.update(nodes=[]),
        lambda _, content: content.update(nodes="none"),
    ],
)
def test_a_graph_that_does_not_answer_is_refused(change: Any) -> None:
    with pytest.raises(graph.RuleGraphInvalid):
        graph.check(spoilt(change))


# --- kept decisions ----------------------------------------------------------------------------------------------


@pytest.fixture
def rules(institution: Institution) -> RuleVersion:
    return services.found_first_rules(on=ON)


def decide(**changed: object) -> Decision:
    return services.decide(
        rule_set="first_loan", facts={**GOOD, **changed}, subject=("origination.application", uuid4()), on=ON, at=AT
    )


def test_a_decision_keeps_its_question_and_can_be_made_again(rules: RuleVersion) -> None:
    for changed in ({}, {"age_years": 16}, {"income_minor": None, "instalment_share_percent": None}):
        kept = selectors.decision(decision_id=decide(**changed).pk)
        assert kept.rule_version_id == rules.pk
        assert kept.inputs == facts.clean({**GOOD, **changed})
        assert kept.trace
        again = services.reproduce(decision=kept)
        assert again.agrees
        assert (again.outcome, list(again.reasons), again.limit_minor) == (kept.outcome, kept.reasons, kept.limit_minor)


def test_later_rules_do_not_change_what_was_decided(rules: RuleVersion) -> None:
    kept = decide()
    stricter = spoilt(lambda nodes, _: nodes["verdict"]["content"]["rules"][2].update(i2="< 1000"))
    draft = services.store_version(rule_set="first_loan", content=stricter, actor=SYSTEM)
    services.publish_rules(version_id=draft.pk, starts_on=ON, actor=SYSTEM)
    assert decide().outcome == "decline"
    assert services.reproduce(decision=selectors.decision(decision_id=kept.pk)).agrees


def test_a_limit_lies_on_a_step_and_below_the_smallest_loan_it_is_a_decline(rules: RuleVersion) -> None:
    assert decide(instalment_share_percent=40, amount_minor=1_050_000).limit_minor == 700_000
    declined = decide(instalment_share_percent=40, amount_minor=500_000)
    assert (declined.outcome, declined.limit_minor) == ("decline", None)
    assert "limit_below_minimum" in declined.reasons


def test_a_graph_that_fails_on_some_facts_refers_to_a_person(rules: RuleVersion) -> None:
    fragile = spoilt(
        lambda nodes, _: nodes["weigh"]["content"]["expressions"][4].update(
            value="facts.age_years == 34 ? number('x') : null"
        )
    )
    draft = services.store_version(rule_set="first_loan", content=fragile, actor=SYSTEM)
    services.publish_rules(version_id=draft.pk, starts_on=ON, actor=SYSTEM)
    assert (decide().outcome, decide().reasons) == ("refer", ["rules_failed"])
    assert services.reproduce(decision=decide()).agrees


def test_a_decision_is_never_changed(rules: RuleVersion) -> None:
    kept = decide()
    for attempt in (lambda: Decision.objects.filter(pk=kept.pk).update(outcome="decline"), kept.delete):
        with pytest.raises(Exception, match="permission denied|history"), transaction.atomic():
            attempt()
    kept.refresh_from_db()
    assert kept.outcome == "approve"


def test_published_rules_never_change(rules: RuleVersion) -> None:
    with pytest.raises((InternalError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE decisioning_ruleversion SET content = '{}' WHERE id = %s", [rules.pk])
    with pytest.raises(services.RuleVersionNotDraft):
        services.publish_rules(version_id=rules.pk, starts_on=ON, actor=SYSTEM)


def test_no_rules_no_decision(institution: Institution) -> None:
    with pytest.raises(selectors.NoRulesInForce):
        decide()
    draft = None
    services.create_rule_set(code="first_loan", name="x", actor=SYSTEM)
    draft = services.store_version(rule_set="first_loan", content=FIRST, actor=SYSTEM)
    with pytest.raises(services.RulesStartTooEarly):
        services.publish_rules(version_id=draft.pk, starts_on=date(2026, 3, 1), actor=SYSTEM)
    with pytest.raises(selectors.NoRulesInForce):
        decide()
