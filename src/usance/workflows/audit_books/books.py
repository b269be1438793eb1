"""I1, I2, I5: entries, balances and control accounts, each as one question over all rows."""

from __future__ import annotations

from collections.abc import Iterator

from usance.apps.institutions import tallies
from usance.apps.ledger.digests import ENTRY_TEXT, TRANSFER_TEXT
from usance.apps.servicing import earnings, portfolio
from usance.apps.servicing.earnings import total_sql
from usance.apps.servicing.folding import EARNED_DAY_TEXT, MOVEMENT_TEXT
from usance.core.accounting import books
from usance.core.loan.movements import TAKES_FROM_UNAPPLIED
from usance.workflows.audit_books.difference import Difference, rows

# fmt: off
ENTRIES = f"""
SELECT e.key, e.transfer_count, count(t.id), e.digest = encode(sha256(convert_to(
           concat_ws(E'\\n', {ENTRY_TEXT}, string_agg({TRANSFER_TEXT}, E'\\n' ORDER BY t.id)), 'UTF8')), 'hex')
FROM ledger_journalentry e
LEFT JOIN ledger_transfer t ON t.institution_id = e.institution_id AND t.entry_id = e.id
GROUP BY e.institution_id, e.id
HAVING e.transfer_count <> count(t.id) OR count(t.id) = 0 OR e.digest <> encode(sha256(convert_to(
           concat_ws(E'\\n', {ENTRY_TEXT}, string_agg({TRANSFER_TEXT}, E'\\n' ORDER BY t.id)), 'UTF8')), 'hex')
ORDER BY e.key
"""  # noqa: S608 (our own constants)
# fmt: on

LOST_TRANSFERS = """
SELECT t.id, t.entry_id FROM ledger_transfer t
WHERE NOT EXISTS (SELECT FROM ledger_journalentry e WHERE e.institution_id = t.institution_id AND e.id = t.entry_id)
"""


def entries_whole() -> Iterator[Difference]:
    """I1: every entry has exactly the transfers it was booked with, and no transfer is without entry."""
    for key, said, there, fits in rows(ENTRIES):
        if said != there:
            yield Difference("I1", f"entry {key}", f"{there} transfers, booked with {said}")
        elif not fits:
            yield Difference("I1", f"entry {key}", "the entry or a transfer of it was altered: the digest does not fit")
    for transfer_id, entry_id in rows(LOST_TRANSFERS):
        yield Difference("I1", f"transfer {transfer_id}", f"its entry {entry_id} is gone")


UNBALANCED = """
SELECT e.key, e.currency, sum(l.amount_minor) FROM ledger_line l
JOIN ledger_journalentry e ON e.institution_id = l.institution_id AND e.id = l.entry_id
GROUP BY e.institution_id, e.id, e.key, e.currency HAVING sum(l.amount_minor) <> 0
"""
OTHER_CURRENCY = """
SELECT e.key, e.currency FROM ledger_journalentry e JOIN institutions_institution i ON i.id = e.institution_id
WHERE e.currency <> i.currency
"""
WITHOUT_ACCOUNT = """
SELECT t.id FROM ledger_transfer t
LEFT JOIN ledger_account d ON d.institution_id = t.institution_id AND d.id = t.debit_id
LEFT JOIN ledger_account c ON c.institution_id = t.institution_id AND c.id = t.credit_id
WHERE d.id IS NULL OR c.id IS NULL OR d.id = c.id OR t.amount_minor <= 0
"""


def debits_equal_credits() -> Iterator[Difference]:
    """I1: per entry, currency and institution."""
    for key, currency, amount in rows(UNBALANCED):
        yield Difference("I1", f"entry {key}", f"debits exceed credits by {amount} {currency}")
    for key, currency in rows(OTHER_CURRENCY):
        yield Difference("I1", f"entry {key}", f"is in {currency}, not in the institution's currency")
    for (transfer_id,) in rows(WITHOUT_ACCOUNT):
        yield Difference("I1", f"transfer {transfer_id}", "does not lead from one account to another")


COMPONENTS = ("principal", "interest", "fee", "penalty", "tax", "unapplied")

INTEREST_EARNED = total_sql("interest", "s.ends_on - s.starts_on")
PENALTY_EARNED = total_sql("penalty", "s.ends_on - s.starts_on")
LOANS = f"""
SELECT l.number, l.principal_minor, l.interest_minor, l.fee_minor, l.penalty_minor, l.tax_minor, l.unapplied_minor,
       coalesce(m.principal, 0), coalesce(m.interest, 0), coalesce(m.fee, 0), coalesce(m.penalty, 0),
       coalesce(m.tax, 0), coalesce(m.unapplied, 0)
FROM servicing_loan l LEFT JOIN (
    SELECT institution_id, loan_id,
           sum(amount_minor) FILTER (WHERE component = 'principal') AS principal,
           sum(amount_minor) FILTER (WHERE component = 'interest') AS interest,
           sum(amount_minor) FILTER (WHERE component = 'fee') AS fee,
           sum(amount_minor) FILTER (WHERE component = 'penalty') AS penalty,
           sum(amount_minor) FILTER (WHERE component = 'tax') AS tax,
           coalesce(sum(amount_minor) FILTER (WHERE component = 'unapplied'), 0)
               + coalesce(sum(amount_minor) FILTER (WHERE kind = ANY(%(taking)s)), 0) AS unapplied
    FROM (
        SELECT institution_id, loan_id, kind, component, amount_minor FROM servicing_loanmovement UNION ALL
        SELECT s.institution_id, s.loan_id, '', v.component, v.amount_minor FROM servicing_earned s
        CROSS JOIN LATERAL (VALUES ('interest', {INTEREST_EARNED}), ('penalty', {PENALTY_EARNED}))
            v (component, amount_minor)
    ) moved GROUP BY institution_id, loan_id
) m ON m.institution_id = l.institution_id AND m.loan_id = l.id
WHERE (l.principal_minor, l.interest_minor, l.fee_minor, l.penalty_minor, l.tax_minor, l.unapplied_minor)
   IS DISTINCT FROM (coalesce(m.principal, 0), coalesce(m.interest, 0), coalesce(m.fee, 0), coalesce(m.penalty, 0),
       coalesce(m.tax, 0), coalesce(m.unapplied, 0))
ORDER BY l.number
"""  # noqa: S608 (our own constants)
EARNINGS = f"""
SELECT l.number FROM servicing_earning s
LEFT JOIN servicing_loan l ON l.institution_id = s.institution_id AND l.id = s.id
WHERE l.id IS NULL OR s.starts_on <> l.checkpoint_on OR s.status <> l.status OR s.bucket <> l.bucket
   OR s.product <> l.product OR s.org_path <> l.org_path OR s.owner_id IS DISTINCT FROM l.owner_id
   OR s.interest_minor <> {total_sql("interest", "s.closed_until - s.starts_on")}
   OR s.penalty_minor <> {total_sql("penalty", "s.closed_until - s.starts_on")}
UNION ALL SELECT l.number FROM servicing_loan l WHERE l.status IN ('active', 'past_due') AND NOT EXISTS (
    SELECT FROM servicing_earning s WHERE s.institution_id = l.institution_id AND s.id = l.id)
"""  # noqa: S608 (our own constants)
BESIDE_DEBTS = """
SELECT l.number, moved.component, moved.amount, CASE
    WHEN moved.component = 'charged_off' AND l.checkpoint->>'charged_off_on' IS NOT NULL THEN
        l.principal_minor + l.interest_minor + l.fee_minor + l.penalty_minor + l.tax_minor
    WHEN moved.component = 'suspended' AND l.checkpoint->>'non_accrual_on' IS NOT NULL THEN
        l.interest_minor + l.penalty_minor
    ELSE 0 END AS owed
FROM servicing_loan l JOIN (
    SELECT institution_id, loan_id, component, sum(amount_minor) AS amount FROM servicing_loanmovement
    WHERE component IN ('charged_off', 'suspended') GROUP BY institution_id, loan_id, component
) moved ON moved.institution_id = l.institution_id AND moved.loan_id = l.id
ORDER BY l.number, moved.component
"""
BY_CHECKPOINTS = """
SELECT l.number, moved.component, moved.amount, coalesce((l.checkpoint->'balances'->>moved.component)::bigint, 0)
FROM servicing_loan l JOIN (
    SELECT institution_id, loan_id, component, sum(amount_minor) AS amount FROM servicing_loanmovement
    WHERE component IN ('deferred', 'from_buyer', 'to_buyer') GROUP BY institution_id, loan_id, component
) moved ON moved.institution_id = l.institution_id AND moved.loan_id = l.id
ORDER BY l.number
"""
LOST_MOVEMENTS = """
SELECT m.id, m.loan_id FROM servicing_loanmovement m
WHERE NOT EXISTS (SELECT FROM servicing_loan l WHERE l.institution_id = m.institution_id AND l.id = m.loan_id)
"""


def loans_as_movements() -> Iterator[Difference]:
    """I2: the balances in a loan's row are the sums of its movements."""
    for number, *amounts in rows(LOANS, {"taking": sorted(TAKES_FROM_UNAPPLIED)}):
        for name, stands, moved in zip(COMPONENTS, amounts[:6], amounts[6:], strict=True):
            if stands != moved:
                yield Difference("I2", f"loan {number}", f"{name} stands at {stands}, its movements make {moved}")
    for number, name, moved, owed in rows(BESIDE_DEBTS):
        if moved != owed:
            yield Difference("I2", f"loan {number}", f"{owed} of it is {name}, its movements make {moved}")
    for number, name, moved, stands in rows(BY_CHECKPOINTS):
        if moved != stands:
            yield Difference("I2", f"loan {number}", f"{name} stands at {stands}, its movements make {moved}")
    for movement_id, loan_id in rows(LOST_MOVEMENTS):
        yield Difference("I2", f"movement {movement_id}", f"its loan {loan_id} is gone")
    for (number,) in rows(EARNINGS):
        yield Difference("I2", f"loan {number}", "what it earned since its row was written is not by its line")


CONTROL = """
SELECT a.role, sum(l.amount_minor) FROM ledger_line l
JOIN ledger_account a ON a.institution_id = l.institution_id AND a.id = l.account_id
WHERE a.role <> '' GROUP BY a.role
"""
SUMS = """
SELECT coalesce(sum(principal_minor), 0), coalesce(sum(interest_minor), 0) + e.interest, coalesce(sum(fee_minor), 0),
       coalesce(sum(penalty_minor), 0) + e.penalty, coalesce(sum(tax_minor), 0), coalesce(sum(unapplied_minor), 0)
FROM servicing_loan, (
    SELECT coalesce(sum(interest_minor), 0) AS interest, coalesce(sum(penalty_minor), 0) AS penalty
    FROM servicing_earning
) e GROUP BY e.interest, e.penalty
"""


# balances that only movements and checkpoints know
NO_COLUMN = ("charged_off", "suspended", "deferred", "from_buyer", "to_buyer")
OTHERS = """
SELECT component, sum(amount_minor) FROM servicing_loanmovement WHERE component = ANY(%(others)s) GROUP BY component
"""


def control_accounts() -> Iterator[Difference]:
    """I2, summed: each control account carries what all loans together owe of it."""
    accounts, sums = dict(rows(CONTROL)), (rows(SUMS) or [(0,) * len(COMPONENTS)])[0]
    all_sums = dict(zip(COMPONENTS, sums, strict=True)) | dict.fromkeys(NO_COLUMN, 0)
    all_sums |= dict(rows(OTHERS, {"others": list(NO_COLUMN)}))
    for name, owed in all_sums.items():
        role = books.CONTROL[name]
        booked = accounts.get(role, 0) * books.side(role)
        if booked != owed:
            yield Difference("I2", f"control account {role}", f"carries {booked}, the loans' {name} sums to {owed}")


EARNED_DAY_TEXT_OR_NONE = f"CASE WHEN d.id IS NOT NULL THEN {EARNED_DAY_TEXT} END"
OF_THE_DAY = {
    line: f"CASE WHEN s.{line}_daily = 0 THEN 0 ELSE "
    f"{total_sql(line, 'd.day - s.starts_on + 1')} - {total_sql(line, 'd.day - s.starts_on')} END"
    for line in ("interest", "penalty")
}
LINE_COLUMNS = ", ".join(earnings.KEPT)

# fmt: off
MOVEMENTS = f"""
SELECT e.key FROM ledger_journalentry e
LEFT JOIN servicing_loanmovement m ON m.institution_id = e.institution_id AND m.entry_id = e.id
LEFT JOIN servicing_earnedday d ON d.institution_id = e.institution_id AND d.entry_id = e.id
GROUP BY e.institution_id, e.id, d.id
HAVING e.details_digest <> CASE count(m.id) + count(d.id) WHEN 0 THEN '' ELSE encode(sha256(convert_to(
    coalesce({EARNED_DAY_TEXT_OR_NONE}, string_agg({MOVEMENT_TEXT}, E'\\n' ORDER BY m.id)), 'UTF8')), 'hex') END
ORDER BY e.key
"""  # noqa: S608 (our own constants)
# fmt: on
MOVEMENTS_WITHOUT_ENTRY = """
SELECT m.id FROM servicing_loanmovement m
WHERE NOT EXISTS (SELECT FROM ledger_journalentry e WHERE e.institution_id = m.institution_id AND e.id = m.entry_id)
"""


# one pass over the lines: the parts of a close follow each other without a gap, a binary search finds that of a loan
EARNED_DAYS = f"""
WITH cut AS (
    SELECT day, array_agg(at ORDER BY at) AS at FROM (
        SELECT day, first_id AS at FROM servicing_earnedday UNION
        SELECT day, end_id FROM servicing_earnedday WHERE end_id IS NOT NULL
    ) parts GROUP BY day
), m AS (
    SELECT d.day, d.at[width_bucket(s.loan_id, d.at)] AS first_id, d.at[width_bucket(s.loan_id, d.at) + 1] AS end_id,
        s.product, s.org_path, sum({OF_THE_DAY["interest"]}) AS interest, sum({OF_THE_DAY["penalty"]}) AS penalty
    FROM cut d JOIN (
        SELECT id AS loan_id, closed_until AS ends_on, {LINE_COLUMNS} FROM servicing_earning UNION ALL
        SELECT loan_id, ends_on, {LINE_COLUMNS} FROM servicing_earned
    ) s ON s.starts_on <= d.day AND d.day < s.ends_on GROUP BY 1, 2, 3, 4, 5
)
SELECT e.key FROM servicing_earnedday d
JOIN ledger_journalentry e ON e.institution_id = d.institution_id AND e.id = d.entry_id
LEFT JOIN m ON (m.day, m.first_id, m.product, m.org_path) = (d.day, d.first_id, d.product, d.org_path)
    AND m.end_id IS NOT DISTINCT FROM d.end_id
WHERE coalesce(m.interest, 0) <> d.interest_minor OR coalesce(m.penalty, 0) <> d.penalty_minor
    OR d.interest_minor + d.penalty_minor <> (SELECT sum(t.amount_minor) FROM ledger_transfer t
        WHERE t.institution_id = e.institution_id AND t.entry_id = e.id)
ORDER BY e.key
"""  # noqa: S608 (our own constants)


def movements_whole() -> Iterator[Difference]:
    """I2: an entry carries exactly the movements it was booked for, and what loans earned on its day by their lines."""
    for (key,) in rows(EARNED_DAYS):
        yield Difference("I2", f"entry {key}", "is not what the loans earned on its day by their lines")
    for (key,) in rows(MOVEMENTS):
        yield Difference("I2", f"entry {key}", "a movement that it carries was altered, added or removed")
    for (movement_id,) in rows(MOVEMENTS_WITHOUT_ENTRY):
        yield Difference("I2", f"movement {movement_id}", "no entry carries it")


PRINCIPAL_KINDS = (
    "disbursed", "taken_over", "fee_capitalised", "tax_capitalised", "charged_back", "allocated", "waived",
    "remainder_forgiven", "written_off", "sold", "fee_returned", "tax_returned", "income_capitalised",
)  # fmt: skip
PRINCIPAL = """
SELECT l.number, l.principal_minor,
       coalesce((SELECT sum(m.amount_minor) FROM servicing_loanmovement m WHERE m.institution_id = l.institution_id
           AND m.loan_id = l.id AND m.component = 'principal' AND m.kind = ANY(%(kinds)s)), 0) AS identity,
       coalesce((SELECT sum(m.amount_minor) FROM servicing_loanmovement m WHERE m.institution_id = l.institution_id
           AND m.loan_id = l.id AND m.kind = 'disbursed'), 0) AS moved,
       coalesce((SELECT sum((e.payload->>'amount_minor')::bigint) FROM servicing_loanevent e
           WHERE e.institution_id = l.institution_id AND e.loan_id = l.id AND e.kind = 'Disbursed' AND NOT EXISTS (
               SELECT FROM servicing_loanevent u WHERE u.institution_id = e.institution_id AND u.loan_id = e.loan_id
               AND u.payload->>'undoes' = e.source) AND NOT EXISTS (
               SELECT FROM servicing_loanevent o WHERE o.institution_id = e.institution_id AND o.loan_id = e.loan_id
               AND o.kind = 'TakenOver' AND o.effective_on > e.effective_on)), 0) AS told
FROM servicing_loan l
"""


def principal_identity() -> Iterator[Difference]:
    """I5: principal = disbursed (by us) + taken over + capitalised + charged back - repaid - waived - written off."""
    asked = f"SELECT * FROM ({PRINCIPAL}) p WHERE principal_minor <> identity OR moved <> told ORDER BY number"  # noqa: S608
    for number, stands, identity, moved, told in rows(asked, {"kinds": list(PRINCIPAL_KINDS)}):
        if stands != identity:
            yield Difference("I5", f"loan {number}", f"principal stands at {stands}, its causes make {identity}")
        if moved != told:
            yield Difference("I5", f"loan {number}", f"{moved} was booked as disbursed, its events say {told}")


CLASSES = """
SELECT l.number, l.loan_class, c.now FROM servicing_loan l JOIN LATERAL (
    SELECT now FROM servicing_loanclasschange h WHERE h.institution_id = l.institution_id AND h.loan_id = l.id
    ORDER BY h.day DESC LIMIT 1
) c ON l.loan_class <> c.now ORDER BY l.number
"""


def classes_as_changed() -> Iterator[Difference]:
    """I2: the class of a loan is that of its newest change."""
    for number, stands, changed in rows(CLASSES):
        yield Difference("I2", f"loan {number}", f"its class stands at {stands}, it was changed to {changed}")


MARKS = """
SELECT l.number, l.status, coalesce(string_agg(concat_ws(' ', m.count, m.status, m.since), ', '), 'none')
FROM servicing_loan l LEFT JOIN (
    SELECT institution_id, loan_id, status, past_due_since AS since, sum(count) AS count
    FROM servicing_statuschange GROUP BY 1, 2, 3, 4 HAVING sum(count) <> 0
) m ON m.institution_id = l.institution_id AND m.loan_id = l.id
WHERE l.last_event_seq > 0
GROUP BY l.institution_id, l.id
HAVING count(m.count) <> 1 OR sum(m.count) <> 1 OR max(m.status) <> l.status
    OR max(m.since) IS DISTINCT FROM CASE WHEN l.days_past_due > 0 THEN l.checkpoint_on - l.days_past_due END
ORDER BY l.number
"""


def marks_as_changed() -> Iterator[Difference]:
    """I2: a loan has the status that its changes of status come to. Older loans get theirs with the first summing
    up."""
    if portfolio.rolled_until() > portfolio.BEGINNING:
        for number, status, marks in rows(MARKS):
            yield Difference("I2", f"loan {number}", f"its status stands at {status}, its changes make: {marks}")


def past_as_booked() -> Iterator[Difference]:
    """I2: days of booking that were summed up are still what their movements and changes of status come to."""
    for booked_on, on, measure, status, since, lacks in portfolio.differing():
        mark = " ".join(str(part) for part in (measure, status, since) if part)
        yield Difference("I2", f"portfolio of {on}, booked on {booked_on}", f"{mark} lacks {lacks}")


def tallies_as_counted() -> Iterator[Difference]:
    """I2: what lists and the dashboard show as sums is what the rows themselves add up to."""
    for model in tallies.known():
        for found in tallies.differing(model):
            keys, off = found[: len(model.rule.keys)], found[len(model.rule.keys) :]
            said = ", ".join(f"{name} by {by}" for name, by in zip(model.rule.sums, off, strict=True) if by)
            yield Difference("I2", f"{model._meta.db_table} {'/'.join(map(str, keys))}", f"differs in {said}")
