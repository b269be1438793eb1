"""The words of a decision, and the few figures that rules are fed with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Outcome = Literal["approve", "refer", "decline"]
SEVERITY: dict[Outcome, int] = {"approve": 0, "refer": 1, "decline": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why, as a code that has a sentence elsewhere. `may_tell` is false where telling would help a fraudster."""

    code: str
    may_tell: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule found: how far it pushes the decision, why, and the most it would lend (None: no opinion)."""

    outcome: Outcome
    reason: Reason | None = None
    limit_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to an application. `limit_minor` is the most we would lend, 0 unless approved or referred."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    limit_minor: int = 0

    @property
    def told(self) -> tuple[Reason, ...]:
        """The reasons that the applicant is given."""
        return tuple(reason for reason in self.reasons if reason.may_tell)


def decide(findings: Iterable[Finding], *, requested_minor: int) -> Decision:
    """The severest finding decides, with the reasons of that severity in their order; the lowest limit holds."""
    told = list(findings)
    outcome: Outcome = "approve"
    for finding in told:
        if SEVERITY[finding.outcome] > SEVERITY[outcome]:
            outcome = finding.outcome
    reasons: list[Reason] = []
    for finding in told:
        if finding.outcome == outcome and finding.reason and finding.reason not in reasons:
            reasons.append(finding.reason)
    limits = [finding.limit_minor for finding in told if finding.limit_minor is not None]
    limit = 0 if outcome == "decline" else max(0, min([requested_minor, *limits]))
    return Decision(outcome=outcome, reasons=tuple(reasons), limit_minor=limit)


def instalment_to_income(instalment_minor: int, income_minor: int | None) -> Fraction | None:
    """The share of a month's income that a month's instalment takes; None when the income is unknown or nothing."""
    return Fraction(instalment_minor, income_minor) if income_minor else None


def share_of_limit_used(outstanding_minor: int, limit_minor: int) -> Fraction | None:
    """How much of a granted limit is in use; None without a limit."""
    return Fraction(outstanding_minor, limit_minor) if limit_minor else None
