"""The loans of an institution many times over, by the owner of the tables: chains of events, digests of entries and the
trail are made anew for each copy, by the same texts that the audit checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import psycopg
from django.apps import apps
from django.db import transaction

from usance.apps.audit import services as audit
from usance.apps.institutions import tallies, tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger.digests import ENTRY_TEXT, TRANSFER_TEXT
from usance.apps.servicing import portfolio
from usance.apps.servicing.folding import EVENT_TEXT, MOVEMENT_TEXT
from usance.workflows import filling

LOANS = ("servicing.Loan", "servicing.LoanParty", "servicing.Earning")
EVENTS = "servicing.LoanEvent"
BOOKS = ("ledger.JournalEntry", "ledger.Transfer", "servicing.LoanMovement", "servicing.StatusChange")
TRAIL = ("audit.AuditEntry", "audit.AuditLink")
COPIED = {*LOANS, EVENTS, *BOOKS}
FREE = ("loan_id", "event_id", "party_id")  # ids that are no foreign keys in Django
UNIQUE = {
    "servicing.Loan": {"number": "t.number || '-' || c.n"},
    "ledger.JournalEntry": {"key": "t.key || ':' || c.n"},
}
# the id of a copy: its time is that of the life's row, its place among the others is by chance
COPY_ID = "(left({id}::text, 15) || right(md5({id}::text || ':' || c.n), 19))::uuid"
LINKS_AT_ONCE = 50_000


def multiply(*, copies: int, tell: filling.Tell) -> None:
    """Each loan of the bound institution so many times more."""
    tables = [apps.get_model(label)._meta.db_table for label in (*LOANS, EVENTS, *BOOKS, *TRAIL)]
    values = {"copies": copies, "institution": tenancy.current_id()}
    with filling.opened([*tables, *portfolio.TABLES], tell) as cursor:
        _run(cursor, "CREATE TEMPORARY TABLE renewed (was text, n int, now text) ON COMMIT DROP")
        for label in LOANS:
            tell(label)
            _run(cursor, _copying(label), values)
        tell(EVENTS)
        _copy_events(cursor, values)
        for label in BOOKS:
            tell(label)
            _run(cursor, _copying(label), values)
        tell("digests")
        for statement in DIGESTS:
            _run(cursor, statement, values)
        tell("trail")
        _copy_trail(cursor, values)
        _link(cursor)
        tell("sums")
        for one in tallies.known():
            for statement in tallies.recounting(one):
                _run(cursor, statement)
        for table in portfolio.TABLES:
            _run(cursor, f"DELETE FROM {table}")  # noqa: S608 (our own names)
    with transaction.atomic():
        portfolio.roll_up()


def _run(cursor: psycopg.Cursor, statement: str, values: Mapping[str, Any] | None = None) -> None:
    cursor.execute(filling.words(statement), values)


def _columns(label: str, unique: Mapping[str, str]) -> dict[str, str]:
    """Column -> what a copy has there, over row t and copy c.n."""
    found = {}
    for field in apps.get_model(label)._meta.concrete_fields:
        related = field.related_model._meta.label if field.is_relation else ""
        is_copied = field.primary_key or related in COPIED or field.column in FREE
        own = f't."{field.column}"'
        found[field.column] = unique.get(field.column) or (COPY_ID.format(id=own) if is_copied else own)
    return found


def _copying(label: str) -> str:
    columns, table = _columns(label, UNIQUE.get(label, {})), apps.get_model(label)._meta.db_table
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(columns.values())} "  # noqa: S608 (our own names)
        f"FROM {table} t, generate_series(1, %(copies)s) AS c(n) WHERE t.institution_id = %(institution)s"
    )


# --- events: each link of a chain after the one before -----------------------------------------------------------

HASH = "encode(sha256(convert_to({text}, 'UTF8')), 'hex')"
CHAIN = f"""
WITH e AS (
    SELECT %(names)s FROM servicing_loanevent t CROSS JOIN generate_series(1, %%(copies)s) AS c(n)
    LEFT JOIN chained p ON p.loan_id = {COPY_ID.format(id="t.loan_id")} AND p.seq = t.seq - 1
    WHERE t.institution_id = %%(institution)s AND t.seq = %%(seq)s
), made AS (
    INSERT INTO servicing_loanevent (%(columns)s, hash) SELECT %(columns)s, {HASH.format(text=EVENT_TEXT)} FROM e
    RETURNING loan_id, seq, hash
), renewing AS (
    INSERT INTO renewed SELECT e.was, e.n, m.hash FROM e JOIN made m USING (loan_id, seq)
) INSERT INTO chained SELECT loan_id, seq, hash FROM made
"""  # noqa: S608


def _copy_events(cursor: psycopg.Cursor, values: Mapping[str, Any]) -> None:
    columns = _columns(EVENTS, {"prev_hash": "coalesce(p.hash, '')"})
    columns.pop("hash")
    selected = [*(f'{made} AS "{name}"' for name, made in columns.items()), "t.hash AS was", "c.n"]
    statement = CHAIN % {"names": ", ".join(selected), "columns": ", ".join(f'"{name}"' for name in columns)}
    _run(cursor, "CREATE TEMPORARY TABLE chained (loan_id uuid, seq int, hash text) ON COMMIT DROP")
    cursor.execute("SELECT max(seq) FROM servicing_loanevent")
    last = cursor.fetchone()[0]  # type: ignore[index]
    for seq in range(1, last + 1):
        _run(cursor, statement, {**values, "seq": seq})
        _run(cursor, "ANALYZE pg_temp.chained")
    _run(
        cursor,
        "UPDATE servicing_loan l SET last_event_hash = c.hash FROM chained c "
        "WHERE l.institution_id = %(institution)s AND c.loan_id = l.id AND c.seq = l.last_event_seq",
        values,
    )


# --- the books ---------------------------------------------------------------------------------------------------

DETAILS_DIGEST = HASH.format(text=f"string_agg({MOVEMENT_TEXT}, E'\\n' ORDER BY m.id)")
TRANSFERS = f"string_agg({TRANSFER_TEXT}, E'\\n' ORDER BY t.id)"
DIGEST = HASH.format(text=f"concat_ws(E'\\n', {ENTRY_TEXT}, t.texts)")
DIGESTS = (
    f"""
    UPDATE ledger_journalentry e SET details_digest = m.digest FROM (
        SELECT m.entry_id, {DETAILS_DIGEST} AS digest
        FROM servicing_loanmovement m WHERE m.institution_id = %(institution)s GROUP BY m.entry_id
    ) m WHERE m.entry_id = e.id AND e.institution_id = %(institution)s
    """,  # noqa: S608
    f"""
    WITH made AS (
        SELECT e.id, e.digest AS was, {DIGEST} AS now
        FROM ledger_journalentry e JOIN (
            SELECT t.entry_id, {TRANSFERS} AS texts FROM ledger_transfer t
            WHERE t.institution_id = %(institution)s GROUP BY t.entry_id
        ) t ON t.entry_id = e.id WHERE e.institution_id = %(institution)s
    ), renewing AS (
        UPDATE ledger_journalentry e SET digest = made.now FROM made
        WHERE made.id = e.id AND e.institution_id = %(institution)s AND made.now <> made.was
        RETURNING made.was, substring(e.key FROM '[0-9]+$')::int AS n, made.now
    ) INSERT INTO renewed SELECT * FROM renewing
    """,  # noqa: S608
)


# --- the trail ---------------------------------------------------------------------------------------------------

TRAIL_COPIED = f"""
WITH e AS (
    SELECT %(names)s, k.head, k.tail, k.middle FROM audit_auditentry t JOIN trail k ON k.id = t.id
    CROSS JOIN generate_series(1, %%(copies)s) AS c(n)
    LEFT JOIN renewed r ON r.was = t.subject_digest AND r.n = c.n
) INSERT INTO audit_auditentry (%(columns)s, digest)
SELECT %(columns)s, {HASH.format(text="head || subject_digest || middle || subject_id || tail")} FROM e
"""  # noqa: S608
DIGEST_MARK, SUBJECT_MARK = "<the digest>", "<the subject>"


def _copy_trail(cursor: psycopg.Cursor, values: Mapping[str, Any]) -> None:
    """What was recorded of loans and entries. The digest of an entry of the trail is over JSON: its text is made here
    once for each entry of a life, with room for what differs between copies."""
    kinds = ("servicing.loan", "ledger.journalentry")
    names = [*audit.CONTENT, "business_date"]
    cursor.execute(
        filling.words(f"SELECT id, {', '.join(names)} FROM audit_auditentry "  # noqa: S608
                      "WHERE institution_id = %s AND subject_type = ANY(%s)"),
        [tenancy.current_id(), list(kinds)],
    )  # fmt: skip
    rows = cursor.fetchall()
    _run(cursor, "CREATE TEMPORARY TABLE trail (id uuid, head text, middle text, tail text) ON COMMIT DROP")
    with cursor.copy("COPY pg_temp.trail FROM STDIN") as copy:
        for row_id, *fields in rows:
            copy.write_row((row_id, *_parts(dict(zip(names, fields, strict=True)))))
    columns = _columns("audit.AuditEntry", {
        "id": COPY_ID.format(id="t.id"),
        "subject_id": COPY_ID.format(id="t.subject_id") + "::text",
        "subject_digest": "coalesce(r.now, t.subject_digest)",
    })  # fmt: skip
    columns.pop("digest")
    selected = [f'{made} AS "{name}"' for name, made in columns.items()]
    quoted = ", ".join(f'"{name}"' for name in columns)
    _run(cursor, TRAIL_COPIED % {"names": ", ".join(selected), "columns": quoted}, values)


def _parts(content: dict[str, Any]) -> tuple[str, str, str]:
    """The text of an entry's digest around the digest and the id of its subject."""
    content |= {"business_date": content["business_date"].isoformat()}
    content |= {"subject_digest": DIGEST_MARK, "subject_id": SUBJECT_MARK}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    head, rest = text.split(DIGEST_MARK)
    middle, tail = rest.split(SUBJECT_MARK)
    return head, middle, tail


UNLINKED = """
SELECT e.id, e.digest, e.recorded_at FROM audit_auditentry e
WHERE NOT EXISTS (SELECT FROM audit_auditlink l WHERE l.entry_id = e.id) ORDER BY e.recorded_at, e.id
"""


def _link(cursor: psycopg.Cursor) -> None:
    """The chain over all of them, as the service would make it a few thousand at a time."""
    cursor.execute("SELECT seq, hash FROM audit_auditlink ORDER BY seq DESC LIMIT 1")
    seq, previous = cursor.fetchone() or (0, "")
    _run(cursor, "CREATE TEMPORARY TABLE links (id uuid, seq bigint, entry_id uuid, previous text, hash text) "
                 "ON COMMIT DROP")  # fmt: skip
    cursor.execute(filling.words(UNLINKED))
    entries = cursor.fetchall()
    with cursor.copy("COPY pg_temp.links FROM STDIN") as copy:
        for line in _linked(entries, seq, previous):
            copy.write_row(line)
    _run(cursor, "INSERT INTO audit_auditlink (id, institution_id, seq, entry_id, previous_hash, hash) "
                 "SELECT id, %(institution)s, seq, entry_id, previous, hash FROM pg_temp.links",
         {"institution": tenancy.current_id()})  # fmt: skip


def _linked(entries: list[Any], seq: int, previous: str) -> Iterator[tuple[UUID, int, UUID, str, str]]:
    for number, (entry_id, digest, recorded_at) in enumerate(entries, seq + 1):
        made = audit.link_hash(previous, number, entry_id, digest, recorded_at)
        yield new_id(), number, entry_id, previous, made
        previous = made
