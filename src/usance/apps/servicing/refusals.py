"""What servicing itself refuses; what the agreement does not allow is refused by `core.loan.admit`."""

from __future__ import annotations

from datetime import date

from usance.core.refusals import Refusal


class NoSuchLoan(Refusal):
    """There is no such loan here."""

    code = "no_such_loan"


class ValueDateInTheFuture(Refusal):
    """Something was said to have happened on a day that has not come."""

    code = "value_date_in_the_future"
    value_on: date
    business_date: date


class SourceUsedOtherwise(Refusal):
    """The source was told before, as something else."""

    code = "source_used_otherwise"
    source: str
