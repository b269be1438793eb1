"""I3, I4: what a rail did and what we booked for it, one to one."""

from __future__ import annotations

from collections.abc import Iterator

from usance.workflows.audit_books.difference import Difference, rows

REPEATED_KEYS = """
SELECT 'entry ' || key, count(*) FROM ledger_journalentry GROUP BY key HAVING count(*) > 1
UNION ALL
SELECT 'command ' || name || ' ' || key, count(*) FROM institutions_command GROUP BY name, key HAVING count(*) > 1
UNION ALL
SELECT 'cause ' || source, count(*) FROM servicing_loanevent
WHERE source LIKE 'instruction:%%' OR source LIKE 'application:%%' OR source LIKE 'return:%%'
GROUP BY source HAVING count(*) > 1
"""


def one_effect_per_cause() -> Iterator[Difference]:
    """I4: no key and no outer cause has two effects."""
    for subject, count in rows(REPEATED_KEYS):
        yield Difference("I4", subject, f"has {count} effects")


# the money of an instruction as its entry shows it: what passed through the clearing accounts
SETTLED = """
SELECT i.id, i.kind, i.amount_minor, count(DISTINCT e.id), coalesce(sum(l.amount_minor), 0)
FROM payments_instruction i
LEFT JOIN ledger_journalentry e ON e.institution_id = i.institution_id AND e.source = 'instruction:' || i.id
LEFT JOIN ledger_line l ON l.institution_id = e.institution_id AND l.entry_id = e.id AND l.account_id IN (
    SELECT account_id FROM ledger_postingrule
    WHERE role IN ('disbursement_clearing', 'receipts_clearing', 'refund_clearing'))
WHERE i.state = 'succeeded' AND i.kind IN ('payout', 'checkout', 'debit', 'refund')
  AND i.subject_type = 'servicing.loan' AND i.settled_at < now() - %(grace)s * interval '1 second'
GROUP BY i.id, i.kind, i.amount_minor
"""
# a refund leaves the loan before it is sent, and stays out while it is under way; one that was refused came back
WITHOUT_MONEY = """
SELECT e.key, e.source FROM ledger_journalentry e
WHERE e.source ~ '^instruction:[0-9a-f]{8}-[0-9a-f-]{27}$' AND NOT EXISTS (
    SELECT FROM payments_instruction i WHERE i.institution_id = e.institution_id AND 'instruction:' || i.id = e.source
    AND (i.state = 'succeeded' OR i.kind = 'refund' AND (
        i.state NOT IN ('failed', 'cancelled') OR i.settled_at >= now() - %(grace)s * interval '1 second' OR EXISTS (
            SELECT FROM servicing_loanevent u
            WHERE u.institution_id = e.institution_id AND u.payload->>'undoes' = e.source))))
"""
OUTWARD = frozenset({"payout", "refund"})
GRACE_SECONDS = 60  # the job that books a success follows it at once, but not in the same transaction


def instructions_and_entries() -> Iterator[Difference]:
    """I3: each success at a provider has exactly one entry with that amount, and each such entry one success."""
    for instruction_id, kind, amount, count, cleared in rows(SETTLED, {"grace": GRACE_SECONDS}):
        if count != 1:
            yield Difference("I3", f"instruction {instruction_id}", f"succeeded and has {count} entries")
        elif cleared != (-amount if kind in OUTWARD else amount):
            yield Difference("I3", f"instruction {instruction_id}", f"moved {amount}, its entry says {abs(cleared)}")
    for key, source in rows(WITHOUT_MONEY, {"grace": GRACE_SECONDS}):
        yield Difference("I3", f"entry {key}", f"its cause {source} did not succeed at a provider")
