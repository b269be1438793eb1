"""What a simulation came to, read from the institution itself."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from usance.apps.institutions import tenancy
from usance.apps.servicing import selectors as loans
from usance.workflows.simulate.living import Plan, Tally


def institution_facts() -> tuple[str, str]:
    """(country, first language) of the bound institution."""
    with transaction.atomic():
        found = tenancy.current()
        return found.country, found.language


def summary(plan: Plan, tally: Tally, *, seconds: float) -> dict[str, object]:
    """Applications, decisions, loans and money (minor units), and how fast they were lived."""
    with transaction.atomic():
        tenancy.forget_row()
        institution = tenancy.current()
        names = ("status", "days_past_due", "amount_minor", "principal_minor")
        found = loans.loan_register().only(*names, "checkpoint_on")
        rows = [tuple(getattr(row, name) for name in names) for row in found]
    by_status: dict[str, int] = {}
    for status, *_ in rows:
        by_status[status] = by_status.get(status, 0) + 1
    lent = [row for row in rows if row[0] not in ("approved", "cancelled", "new")]
    return {
        "institution": institution.code,
        "business_date": str(institution.business_date),
        "people": len(plan.people),
        "days": tally.days,
        "happened": dict(sorted(tally.counts.items())),
        "loans": dict(sorted(by_status.items())),
        "disbursed": len(lent),
        "disbursed_minor": sum(row[2] for row in lent),
        "repaid": by_status.get("closed", 0),
        "past_due": sum(1 for row in lent if row[1] > 0),
        "default": sum(1 for row in lent if row[1] >= 90),
        "principal_outstanding_minor": sum(row[3] for row in lent),
        "currency": institution.currency,
        "seconds": round(seconds, 1),
        "loan_days": tally.loan_days,
        "loan_days_per_second": round(tally.loan_days / seconds) if seconds else 0,
    }


def as_text(facts: dict[str, Any]) -> str:
    """The summary for a person at a terminal."""
    lines = [f"{facts['institution']}: {facts['days']} days lived, now {facts['business_date']}"]
    lines += [f"  {name:32} {count:>8}" for name, count in facts["happened"].items()]
    for name in ("disbursed", "repaid", "past_due", "default"):
        lines.append(f"  loans {name:26} {facts[name]:>8}")
    lines.append(f"  {facts['seconds']} s, {facts['loan_days']} loan-days, {facts['loan_days_per_second']} a second")
    return "\n".join(lines) + "\n"
