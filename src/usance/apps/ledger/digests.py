"""The digest of an entry: over what it says and every transfer in it. The same text is built here and in SQL, so that
`usance audit` can check all entries inside the database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from usance.apps.ledger.models import JournalEntry, Transfer

# as SQL: e is the entry, t its transfers; dates print as ISO in the session's default style
ENTRY_TEXT = (
    "concat_ws('|', e.key, e.booked_on, e.effective_on, e.description, e.source, e.cites, "
    "coalesce(e.loan_id::text, ''), e.currency, e.details_digest)"
)
TRANSFER_TEXT = (
    "concat_ws('|', t.id, t.booked_on, t.debit_id, t.credit_id, t.amount_minor, t.branch, t.product, t.merchant, "
    "t.funder, coalesce(t.loan_id::text, ''))"
)


def digest_of(entry: JournalEntry, transfers: Iterable[Transfer]) -> str:
    """SHA-256 in hex over the entry's own text and those of its transfers in the order of their ids."""
    lines = [_text(entry.key, entry.booked_on, entry.effective_on, entry.description, entry.source, entry.cites,
                   entry.loan_id or "", entry.currency, entry.details_digest)]  # fmt: skip
    lines += [
        _text(
            t.id,
            t.booked_on,
            t.debit_id,
            t.credit_id,
            t.amount_minor,
            t.branch,
            t.product,
            t.merchant,
            t.funder,
            t.loan_id or "",
        )  # fmt: skip
        for t in sorted(transfers, key=lambda t: t.id)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _text(*parts: object) -> str:
    return "|".join(str(part) for part in parts)
