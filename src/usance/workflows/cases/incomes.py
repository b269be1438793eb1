"""Income that another system earns over time: added to the debt, or paid by a third party for a lower rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from usance.core.loan import events
from usance.workflows.cases.telling import Telling, Told


def deferring(name: str, owed_by: str) -> Callable[[Telling, Told], None]:
    def deferred(telling: Telling, item: Told) -> None:
        amount, source = telling.terms.currency.minor(item["amount"]), telling.source()
        event = events.IncomeDeferred(
            effective_on=date.fromisoformat(item["date"]), source=source, amount_minor=amount, owed_by=owed_by
        )
        telling.add(name, event)

    return deferred


def taking_back(name: str, owed_by: str) -> Callable[[Telling, Told], None]:
    """Of the last that was told."""

    def taken_back(telling: Telling, item: Told) -> None:
        event = events.IncomeTakenBack(
            effective_on=date.fromisoformat(item["date"]),
            source=telling.source(),
            amount_minor=telling.terms.currency.minor(item["amount"]),
            owed_by=owed_by,
            income=telling.find(name, "last"),
        )
        telling.add(f"{name} Adjustment", event)

    return taken_back
