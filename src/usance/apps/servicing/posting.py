"""Movements into the books: through `core.accounting` to roles, with the loan's dimensions to transfers."""

from __future__ import annotations

from collections.abc import Iterable

from usance.apps.ledger.services import NewTransfer, merged
from usance.apps.servicing.models import Loan
from usance.core.accounting import books
from usance.core.loan.movements import Movement


def transfers_of(row: Loan, movements: Iterable[Movement], *, name_loan: bool) -> list[NewTransfer]:
    """The transfers that carry these movements, one per pair of roles. `name_loan` puts the loan into them; the close
    leaves it out to keep one transfer for many loans."""
    return merged(
        NewTransfer(
            debit=entry.debit,
            credit=entry.credit,
            amount_minor=entry.amount_minor,
            branch=row.org_path,
            product=row.product,
            merchant=row.merchant,
            funder=row.funder,
            loan_id=row.pk if name_loan else None,
        )
        for entry in map(books.entry, movements)
    )
