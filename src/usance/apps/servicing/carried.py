"""Loans as they stand: their rows, with what they earned since these were written.

A row stays as it is while a loan's days are alike (see `core.loan.quiet`); the close only moves its Earning. The
balances of both are added as a row is read, so that whoever reads a loan sees it on the morning after the last closed
day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.db.models.query import ModelIterable

if TYPE_CHECKING:
    from usance.apps.servicing.models import Loan

FIELDS = {
    "until": "closed_until", "interest": "interest_minor", "penalty": "penalty_minor", "is_late": "interest_is_late",
    "due_on": "due_on", "due": "due_minor",
}  # fmt: skip


class _Carried(ModelIterable):
    def __iter__(self) -> Iterator[Any]:
        for row in super().__iter__():
            earning = row.__dict__.pop("earning", None)
            if earning:
                carry(row, date.fromisoformat(earning["until"]), earning["interest"], earning["penalty"],
                      is_late=earning["is_late"],
                      due=earning["due"] if earning["due_on"] == earning["until"] else 0)  # fmt: skip
            yield row


class CarriedManager(models.Manager["Loan"]):
    """Gives loans with what they earned. Filters and sums in SQL see the rows alone: `interest_minor`, `penalty_minor`,
    `due_now_minor`, `past_due_minor` and the ages are not to be used there."""

    def get_queryset(self) -> QuerySet[Loan]:
        earning = apps.get_model("servicing", "Earning").objects.filter(pk=OuterRef("pk"))
        found = super().get_queryset().annotate(earning=Subquery(earning.values(all=JSONObject(**FIELDS))))
        found._iterable_class = _Carried
        return found


def carry(row: Loan, until: date, interest: int, penalty: int, *, is_late: bool, due: int) -> None:
    """Puts what a loan earned until a day into its row in memory, and what falls `due` on that day, as far as that was
    read."""
    read = row.__dict__
    if "checkpoint_on" not in read:
        return
    days = (until - row.checkpoint_on).days
    late = penalty + (interest if is_late else 0)
    for name, more in (("interest_minor", interest), ("penalty_minor", penalty), ("past_due_minor", late),
                       ("due_now_minor", late + due)):  # fmt: skip
        if name in read:
            read[name] += more
    if read.get("days_past_due"):
        read["days_past_due"] += days
        if "max_days_past_due" in read:
            read["max_days_past_due"] = max(read["max_days_past_due"], read["days_past_due"])
    read["checkpoint_on"] += timedelta(days=days)
