"""Reading rules and decisions."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from usance.apps.decisioning.models import PUBLISHED, Decision, RuleSet, RuleVersion
from usance.core.refusals import Refusal


class NoRulesInForce(Refusal):
    """Nothing was published that could decide on this date."""

    code = "no_rules_in_force"
    rule_set: str


def version_in_force(*, rule_set: str, on: date) -> RuleVersion:
    """The version that decides on a date. Raises NoRulesInForce."""
    rows = RuleVersion.objects.filter(rule_set__code=rule_set, state=PUBLISHED, starts_on__lte=on)
    row = rows.select_related("rule_set").order_by("-starts_on", "-number").first()
    if row is None:
        raise NoRulesInForce(rule_set=rule_set)
    return row


def rule_sets() -> QuerySet[RuleSet]:
    return RuleSet.objects.order_by("code")


def versions_of(*, rule_set: str) -> QuerySet[RuleVersion]:
    return RuleVersion.objects.filter(rule_set__code=rule_set).order_by("-number")


def all_versions() -> QuerySet[RuleVersion]:
    """Every version of every rule set, the newest of each first, without its content."""
    return RuleVersion.objects.select_related("rule_set").defer("content").order_by("rule_set_id", "-number")


def version(*, version_id: UUID) -> RuleVersion:
    return RuleVersion.objects.select_related("rule_set").get(pk=version_id)


def decision(*, decision_id: UUID) -> Decision:
    return Decision.objects.select_related("rule_version__rule_set").get(pk=decision_id)


def decisions_of(*, subject: tuple[str, UUID]) -> QuerySet[Decision]:
    """Every decision about a subject, newest first."""
    rows = Decision.objects.filter(subject_type=subject[0], subject_id=subject[1])
    return rows.select_related("rule_version__rule_set").order_by("-decided_at", "-id")


def decisions_between(*, starts_on: date, ends_on: date) -> QuerySet[Decision]:
    """Decisions of the business days [starts_on, ends_on)."""
    return Decision.objects.filter(decided_on__gte=starts_on, decided_on__lt=ends_on).order_by("decided_at", "id")
