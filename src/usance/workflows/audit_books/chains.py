"""I7: the chains by which later changes show: of each loan's events, of the audit trail, and between the two."""

from __future__ import annotations

from collections.abc import Iterator

from usance.apps.audit import services as trail
from usance.apps.servicing.folding import EVENT_TEXT
from usance.workflows.audit_books.difference import Difference, rows

# fmt: off
EVENTS = f"""
SELECT l.number, e.seq, e.kind, e.fits, e.follows FROM (
    SELECT e.institution_id, e.loan_id, e.seq, e.kind,
           e.hash = encode(sha256(convert_to({EVENT_TEXT}, 'UTF8')), 'hex') AS fits,
           e.prev_hash = coalesce(lag(e.hash) OVER of_loan, '') AND e.seq = row_number() OVER of_loan AS follows
    FROM servicing_loanevent e WINDOW of_loan AS (PARTITION BY e.institution_id, e.loan_id ORDER BY e.seq)
) e LEFT JOIN servicing_loan l ON l.institution_id = e.institution_id AND l.id = e.loan_id
WHERE NOT (e.fits AND e.follows) ORDER BY l.number, e.seq
"""  # noqa: S608 (our own constants)
# fmt: on

LAST_EVENTS = """
SELECT l.number, l.last_event_seq, coalesce(e.seq, 0) FROM servicing_loan l
LEFT JOIN LATERAL (SELECT seq, hash FROM servicing_loanevent e WHERE e.institution_id = l.institution_id
    AND e.loan_id = l.id ORDER BY seq DESC LIMIT 1) e ON true
WHERE l.last_event_seq <> coalesce(e.seq, 0) OR l.last_event_hash <> coalesce(e.hash, '')
ORDER BY l.number
"""


def events_chained() -> Iterator[Difference]:
    """No event of a loan was altered, removed or put in between."""
    for number, seq, kind, fits, follows in rows(EVENTS):
        what = "does not continue the one before it" if fits and not follows else "was altered: the hash does not fit"
        yield Difference("I7", f"loan {number}, event {seq} ({kind})", what)
    for number, said, there in rows(LAST_EVENTS):
        yield Difference("I7", f"loan {number}", f"has events up to {there}, its row says {said}")


ENTRIES = """
SELECT e.key FROM ledger_journalentry e WHERE NOT EXISTS (
    SELECT FROM audit_auditentry a WHERE a.institution_id = e.institution_id AND a.subject_type = 'ledger.journalentry'
    AND a.subject_id = e.id::text AND a.subject_digest = e.digest)
ORDER BY e.key
"""
LOST_ENTRIES = """
SELECT a.subject_id, a.details->>'key' FROM audit_auditentry a
WHERE a.subject_type = 'ledger.journalentry' AND a.action = 'ledger.posted' AND NOT EXISTS (
    SELECT FROM ledger_journalentry e WHERE e.institution_id = a.institution_id AND e.id = a.subject_id::uuid)
"""
RECORDED_EVENTS = """
SELECT l.number, e.seq, e.kind FROM servicing_loanevent e
JOIN servicing_loan l ON l.institution_id = e.institution_id AND l.id = e.loan_id
WHERE NOT EXISTS (
    SELECT FROM audit_auditentry a WHERE a.institution_id = e.institution_id AND a.subject_type = 'servicing.loan'
    AND a.subject_id = e.loan_id::text AND a.subject_digest = e.hash)
ORDER BY l.number, e.seq
"""
TERMS = """
SELECT l.number FROM servicing_loan l WHERE NOT EXISTS (
    SELECT FROM audit_auditentry a WHERE a.institution_id = l.institution_id AND a.subject_type = 'servicing.loan'
    AND a.subject_id = l.id::text AND a.action = 'loan.booked'
    AND a.subject_digest = encode(sha256(convert_to(l.terms::text, 'UTF8')), 'hex'))
ORDER BY l.number
"""


def as_recorded() -> Iterator[Difference]:
    """Whoever alters a row and makes its digest anew still differs from what the audit trail kept."""
    for (key,) in rows(ENTRIES):
        yield Difference("I7", f"entry {key}", "is not as the audit trail recorded it")
    for entry_id, key in rows(LOST_ENTRIES):
        yield Difference("I7", f"entry {key or entry_id}", "was recorded in the audit trail and is gone")
    for number, seq, kind in rows(RECORDED_EVENTS):
        yield Difference("I7", f"loan {number}, event {seq} ({kind})", "is not as the audit trail recorded it")
    for (number,) in rows(TERMS):
        yield Difference("I7", f"loan {number}", "its terms are not those it was booked with")


def audit_chain() -> Iterator[Difference]:
    """The audit trail itself is whole."""
    for found in trail.verify():
        place = f"link {found.seq}" if found.seq else f"row {found.entry_id}"
        yield Difference("I7", f"audit trail, {place}", f"{found.kind}: {found.what}")
