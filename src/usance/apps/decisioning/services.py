"""Asking rules and keeping what they said; making and publishing versions of rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Max

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.decisioning import facts as known
from usance.apps.decisioning import graph, selectors
from usance.apps.decisioning.models import (
    APPROVE,
    DECLINE,
    DRAFT,
    PROPOSED,
    PUBLISHED,
    REFER,
    Decision,
    RuleSet,
    RuleVersion,
)
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import tenancy
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor

APPROVAL = "rules.publish"
FIRST_RULES = "first_loan"
log = structlog.get_logger(__name__)


class RuleVersionNotDraft(Refusal):
    """Only a draft may be changed or proposed."""

    code = "rule_version_not_draft"
    number: int


class RulesStartTooEarly(Refusal):
    """Rules are valid from the business date on, never from a day before it."""

    code = "rules_start_too_early"
    starts_on: date
    earliest_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What rules said about facts, with the limit in money."""

    outcome: str
    reasons: tuple[str, ...]
    limit_minor: int | None
    trace: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What the same rules say to the same facts now, and whether it is what was kept."""

    outcome: str
    reasons: tuple[str, ...]
    limit_minor: int | None
    agrees: bool


# --- deciding ----------------------------------------------------------------------------------------------------


def decide(
    *,
    rule_set: str,
    facts: Mapping[str, object],
    subject: tuple[str, UUID],
    on: date,
    at: datetime,
    org_path: str = "root",
    actor: Actor = SYSTEM,
) -> Decision:
    """Asks the version of the rules in force on `on` and keeps question and answer for good. A graph that fails on
    these facts refers the case to a person. Raises NoRulesInForce, facts.NotAFact."""
    version = selectors.version_in_force(rule_set=rule_set, on=on)
    inputs = known.clean(facts)
    said = _ask(version, inputs)
    subject_type, subject_id = subject
    row = Decision(
        subject_type=subject_type,
        subject_id=subject_id,
        rule_version=version,
        outcome=said.outcome,
        reasons=list(said.reasons),
        limit_minor=said.limit_minor,
        inputs=inputs,
        trace=said.trace,
        engine=graph.ENGINE,
        decided_on=on,
        decided_at=at,
        org_path=org_path,
    )
    row.digest = digest(row)
    row.save(force_insert=True)
    audit.record(
        action="decision.made",
        subject=row,
        actor=actor,
        details={"outcome": row.outcome, "reasons": row.reasons, "about": f"{subject_type}:{subject_id}"},
        digest=row.digest,
    )
    return row


def digest(row: Decision) -> str:
    """A hash of everything that a decision says, for the audit chain."""
    return audit.content_hash(
        {
            "subject": [row.subject_type, str(row.subject_id)],
            "rules": row.rule_version.content_hash,
            "inputs": row.inputs,
            "outcome": row.outcome,
            "reasons": row.reasons,
            "limit_minor": row.limit_minor,
            "trace": row.trace,
            "decided_on": row.decided_on.isoformat(),
        }
    )


def reproduce(*, decision: Decision) -> Again:
    """The same facts and the same version of the rules, asked again."""
    said = _ask(decision.rule_version, known.clean(decision.inputs))
    agrees = (
        said.outcome == decision.outcome
        and list(said.reasons) == decision.reasons
        and said.limit_minor == decision.limit_minor
        and digest(decision) == decision.digest
    )
    return Again(outcome=said.outcome, reasons=said.reasons, limit_minor=said.limit_minor, agrees=agrees)


def _ask(version: RuleVersion, inputs: dict[str, known.Fact]) -> Said:
    try:
        answer = graph.ask(version.content, version.content_hash, inputs)
    except graph.EngineFailed as problem:
        log.error("rules failed", rule_version=str(version.pk), why=str(problem))
        return Said(outcome=REFER, reasons=("rules_failed",), limit_minor=None, trace=[{"failed": str(problem)}])
    limit = _limit(inputs, answer.limit_percent)
    smallest = inputs["amount_min_minor"]
    if answer.outcome == APPROVE and limit is not None and isinstance(smallest, int) and limit < smallest:
        reasons = tuple(dict.fromkeys((*answer.reasons, "limit_below_minimum")))
        return Said(outcome=DECLINE, reasons=reasons, limit_minor=None, trace=answer.trace)
    return Said(outcome=answer.outcome, reasons=answer.reasons, limit_minor=limit, trace=answer.trace)


def _limit(inputs: Mapping[str, known.Fact], percent: int | None) -> int | None:
    """The limit in minor units, down to a step that the product offers. The engine never computes money."""
    amount, smallest, step = (inputs[name] for name in ("amount_minor", "amount_min_minor", "amount_step_minor"))
    if percent is None or not isinstance(amount, int):
        return None
    limit = amount * percent // 100
    if isinstance(smallest, int) and isinstance(step, int) and step > 0 and limit > smallest:
        limit -= (limit - smallest) % step
    return limit


# --- versions of rules -------------------------------------------------------------------------------------------


def create_rule_set(*, code: str, name: str, actor: Actor) -> RuleSet:
    row, is_new = RuleSet.objects.get_or_create(code=code, defaults={"name": name})
    if is_new:
        audit.record(action="rules.created", subject=row, actor=actor, details={"code": code})
    return row


def store_version(
    *, rule_set: str, content: Mapping[str, Any], note: str = "", actor: Actor, made_by: UUID | None = None
) -> RuleVersion:
    """A new draft. Raises RuleNodeNotAllowed, RuleExpressionInvalid, RuleGraphInvalid."""
    graph.check(content)
    owner = RuleSet.objects.select_for_update().get(code=rule_set)
    last = RuleVersion.objects.filter(rule_set=owner).aggregate(last=Max("number"))["last"] or 0
    row = RuleVersion.objects.create(
        rule_set=owner,
        number=last + 1,
        content=dict(content),
        content_hash=audit.content_hash(content),
        note=note,
        made_by=made_by,
    )
    audit.record(
        action="rules.drafted", subject=row, actor=actor, details={"number": row.number}, digest=row.content_hash
    )
    return row


def propose_rules(*, version_id: UUID, starts_on: date, maker: access.User, at: datetime, reason: str = "") -> Any:
    """Asks a second person to publish a draft from a date on; gives the desk's Approval."""
    row = RuleVersion.objects.select_for_update().select_related("rule_set").get(pk=version_id)
    if row.state == PROPOSED and desk_view.open_approval(APPROVAL, str(row.pk)) is None:
        row.state = DRAFT  # rejected, withdrawn or let expire
    if row.state != DRAFT:
        raise RuleVersionNotDraft(number=row.number)
    _check_start(starts_on)
    row.state = PROPOSED
    row.save(update_fields=["state"])
    before = (
        RuleVersion.objects.filter(rule_set=row.rule_set, state=PUBLISHED).order_by("-starts_on", "-number").first()
    )
    return desk.propose(
        kind=APPROVAL,
        subject=row,
        reference=f"{row.rule_set.code} {row.number}",
        before=before.content if before else {},
        after={"starts_on": starts_on.isoformat(), "content": row.content},
        maker=maker,
        at=at,
        reason=reason,
    )


def apply_approval(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """What the desk does when a second person agrees (registered for the kind APPROVAL)."""
    asked = date.fromisoformat(after["starts_on"])
    publish_rules(version_id=UUID(subject_id), starts_on=max(asked, tenancy.current().business_date), actor=actor)


def publish_rules(*, version_id: UUID, starts_on: date, actor: Actor) -> RuleVersion:
    """Puts a version in force from a date on. Of two that start on one day, the higher number rules."""
    row = RuleVersion.objects.select_for_update().get(pk=version_id)
    if row.state not in (DRAFT, PROPOSED):
        raise RuleVersionNotDraft(number=row.number)
    _check_start(starts_on)
    row.state, row.starts_on = PUBLISHED, starts_on
    row.published_by = UUID(actor.id) if actor.is_staff else None
    row.save(update_fields=["state", "starts_on", "published_by"])
    details = {"number": row.number, "starts_on": starts_on.isoformat()}
    audit.record(action="rules.published", subject=row, actor=actor, details=details, digest=row.content_hash)
    return row


def _check_start(starts_on: date) -> None:
    today = tenancy.current().business_date
    if starts_on < today:
        raise RulesStartTooEarly(starts_on=starts_on, earliest_on=today)


def found_first_rules(*, on: date, actor: Actor = SYSTEM) -> RuleVersion:
    """The rules that an institution starts with; nothing happens where it has rules already."""
    create_rule_set(code=FIRST_RULES, name="First rules for short and instalment loans", actor=actor)
    known_version = RuleVersion.objects.filter(rule_set__code=FIRST_RULES).order_by("number").first()
    if known_version is not None:
        return known_version
    text = (resources.files(__package__) / "data" / "first_rules.json").read_text(encoding="utf-8")
    draft = store_version(rule_set=FIRST_RULES, content=json.loads(text), note="The first rules", actor=actor)
    return publish_rules(version_id=draft.pk, starts_on=on, actor=actor)
