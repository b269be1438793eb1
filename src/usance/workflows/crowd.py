"""A hundred thousand customers for measuring: a few dozen real lives, multiplied by set-based statements. Copies have
people, applications, loans with their events and entries, payments, messages, cases and trail of their own; what
identifies their people is sealed under keys of their own, so that every page opens and every search finds. What the
close books for many loans at once (accruals) is not copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import md5
from random import Random
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from django.apps import apps
from django.db import connection, transaction
from faker import Faker

from usance.apps.customers import identity_numbers, vault, words
from usance.apps.customers import selectors as customer_view
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tallies, tenancy
from usance.apps.servicing import portfolio
from usance.ports import clock
from usance.workflows import demo, filling
from usance.workflows.simulate import living, outside, people, report

CODE = "vn"
LIVES, DAYS, SEED = 24, 40, 3
WAITING = 2_000  # applications that wait for a person
STEP = 1_000  # between the numbers of two copies: more than there are lives
BATCH = 5_000
# tables that are multiplied, in the order of their references, with what is unique in them: SQL over row t and copy c.n
TABLES: dict[str, dict[str, str]] = {
    "payments.Card": {},
    "origination.Application": {
        "number": f"t.number + c.n * {STEP}", "resume_token_hash": "''", "decision_id": "NULL", "consents": "'[]'",
        "state": "CASE WHEN t.id = ANY(%(waiting)s) AND c.n <= %(each)s THEN 'referred' ELSE t.state END",
    },
    "origination.Transition": {},
    "servicing.Loan": {"number": f"'L-' || to_char(substr(t.number, 3)::bigint + c.n * {STEP}, 'FM999999000000')"},
    "servicing.LoanParty": {},
    "servicing.Earning": {},
    "servicing.LoanEvent": {"source": "t.source || ':' || c.n"},
    "ledger.JournalEntry": {"key": "t.key || ':' || c.n", "source": "t.source || ':' || c.n"},
    "ledger.Transfer": {},
    "servicing.LoanMovement": {},
    "servicing.StatusChange": {},
    "payments.Instruction": {
        "key": "t.key || ':' || c.n", "order_id": "t.order_id || ':' || c.n",
        "reference": "CASE t.reference WHEN '' THEN '' ELSE t.reference || ':' || c.n END",
    },
    "messaging.Message": {"key": "t.key || ':' || c.n"},
    "audit.AuditEntry": {},
}  # fmt: skip
# which rows of a life are worth copying: those that hang on its loans, and the trail of the loans themselves
ONLY = {
    "audit.AuditEntry": "t.subject_type = 'servicing.loan'",
    "ledger.JournalEntry": "t.loan_id IS NOT NULL",
    "ledger.Transfer": "t.loan_id IS NOT NULL",
    "servicing.LoanMovement": "t.event_id IS NOT NULL",
    "messaging.Message": "t.party_id IS NOT NULL",
}
COPIED = {"customers.Party", *TABLES}
FREE = ("loan_id", "subject_id", "application_id", "party_id", "event_id")  # ids that are no foreign keys in Django
# the id of a copy: its time is that of the life's row, so that lists stand in the order in which things happened
COPY_ID = "(left({id}::text, 15) || right(md5({id}::text || ':' || {n}), 19))::uuid"
# applications that could wait for a person: of somebody who has no other one under way
MAY_WAIT = """
SELECT DISTINCT ON (party_id) id FROM origination_application a
WHERE state = 'declined' AND NOT EXISTS (
    SELECT FROM origination_application b WHERE b.party_id = a.party_id AND b.state NOT IN
    ('declined', 'expired', 'withdrawn', 'signed', 'funding', 'funded'))
ORDER BY party_id, id
"""
# one in five of the copies' applications went over somebody's desk; those that are referred wait there now
CASES = """
INSERT INTO desk_workitem (id, institution_id, org_path, queue, subject_type, subject_id, reference, priority, state,
    budget_minutes, due_at, waiting_for, opened_at, finished_at, taken_minutes,
    outcome)
SELECT md5(id::text || ':item')::uuid, institution_id, org_path, 'underwriting', 'origination.application', id,
    'A-' || to_char(number, 'FM999999000000'), 0, CASE state WHEN 'referred' THEN 'open' ELSE 'done' END, 15,
    CASE state WHEN 'referred' THEN now() + interval '15 minutes' END, '',
    CASE state WHEN 'referred' THEN now() ELSE submitted_at END,
    CASE WHEN state <> 'referred' THEN submitted_at + mod(number, 40) * interval '1 minute' END,
    CASE WHEN state <> 'referred' THEN mod(number, 40) END, ''
FROM origination_application
WHERE number > %(first)s AND (state = 'referred' OR submitted_at IS NOT NULL AND mod(number / 1000, 5) = 0)
"""


@dataclass(frozen=True)
class Crowd:
    """The institution with so many customers, and one of them to look for."""

    institution_id: UUID
    customers: int
    loans: int


def present(*, customers: int, tell: filling.Tell = lambda step: None) -> Crowd:
    """The crowd of this database, made at the first call; `tell` hears of each step. Raises filling.OtherData."""
    known = {host: institution_id for institution_id, host in institutions.all_institutions()}
    if known and set(known) != {f"{CODE}.localhost"}:
        raise filling.OtherData("this database holds other institutions: set USANCE_HOME to a folder of its own")
    institution_id = known.get(f"{CODE}.localhost") or _found()
    with tenancy.bound(institution_id):
        if not _count("servicing_loan"):
            tell(f"{LIVES} lives of {DAYS} days")
            _live()
        there = _count("customers_party")
        if LIVES < there < customers:
            raise filling.OtherData(
                f"this database holds a crowd of {there}: set USANCE_HOME to another folder for a larger one"
            )
        if there < customers:
            _multiply(-(-customers // min(there, _count("servicing_loan"))), tell)
        return Crowd(institution_id, _count("customers_party"), _count("servicing_loan"))


def _count(table: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (our own names)
        return int(cursor.fetchone()[0])


def _found() -> UUID:
    now = clock.now()
    return demo.found(code=CODE, starts_on=now.date() - timedelta(days=DAYS), at=now, keys=demo.Secrets.new())[0]


def _live() -> None:
    zone, today, ahead = living.institution_zone()
    country, language = report.institution_facts()
    found = people.generated(country=country, language=language, count=LIVES, seed=SEED, on=today)
    plan = living.Plan(people=found, days=DAYS, arrive_days=10, seed=SEED, pages_share=0)
    with outside.not_waiting_for_the_disk(), outside.opened(zone, today, ahead) as world:
        living.live(world, plan)


def _multiply(copies: int, tell: filling.Tell) -> None:
    """By the owner of the tables, who locks them: what the application needs to know meanwhile is read before."""
    with transaction.atomic():
        tenancy.current()
        vault.blind("", kind="name")
    tables = [apps.get_model(label)._meta.db_table for label in TABLES]
    with filling.opened([*PEOPLE, *tables, *portfolio.TABLES, "desk_workitem"], tell) as cursor:
        lived = _ids(cursor, "SELECT id FROM customers_party ORDER BY id")
        waiting = _ids(cursor, MAY_WAIT)
        cursor.execute("SELECT max(number) FROM origination_application")
        values = {
            "copies": copies,
            "waiting": waiting,
            "each": WAITING // max(1, len(waiting)),
            "first": cursor.fetchone()[0],  # type: ignore[index]
        }
        tell("people")
        _write_people(cursor, lived, copies)
        for label, unique in TABLES.items():
            tell(label)
            _copy_rows(cursor, label, unique, values)
        cursor.execute(CASES, values)
        tell("sums")
        for one in tallies.known():
            for statement in tallies.recounting(one):
                cursor.execute(filling.words(statement))
        for table in portfolio.TABLES:
            cursor.execute(filling.words(f"DELETE FROM {table}"))  # noqa: S608 (our own names)
    with transaction.atomic():
        portfolio.roll_up()


def _ids(cursor: psycopg.Cursor, query: LiteralString) -> list[UUID]:
    return [row[0] for row in cursor.execute(query)]


def _copy_rows(cursor: psycopg.Cursor, label: str, unique: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Each row so many times: its id and those that it refers to become the copies', by the same rule everywhere."""
    model = apps.get_model(label)
    columns = {}
    for field in model._meta.concrete_fields:
        name = field.column
        related = field.related_model._meta.label if field.is_relation else ""
        is_copied = field.primary_key or related in COPIED or name in FREE
        own = f't."{name}"'
        columns[name] = unique.get(name) or (COPY_ID.format(id=own, n="c.n") if is_copied else own)
    names = ", ".join(f'"{name}"' for name in columns)
    statement = (
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(columns.values())} "  # noqa: S608 (our own)
        f"FROM {model._meta.db_table} t, generate_series(1, %(copies)s) AS c(n) WHERE {ONLY.get(label, 'true')}"
    )
    cursor.execute(filling.words(statement), values)


# --- people ------------------------------------------------------------------------------------------------------

PEOPLE = {
    "customers_party": "id, institution_id, org_path, reference, kind, language, known_since",
    "customers_datakey": "id, institution_id, kind, party_id, wrapped",
    "customers_contact": "id, institution_id, party_id, kind, sealed, mac, verified_at, ended_because",
    "customers_identitynumber": "id, institution_id, party_id, country, scheme, sealed, source, stated_at",
    "customers_fact": "id, institution_id, party_id, field, sealed, source, source_id, actor_kind, actor_id, "
    "stated_at, effective_on",
    "customers_blindindex": "id, institution_id, party_id, kind, mac",
}


def _copy_of(row_id: UUID, number: int) -> UUID:
    """COPY_ID, in Python."""
    mark = md5(f"{row_id}:{number}".encode(), usedforsecurity=False).hexdigest()
    return UUID(str(row_id)[:15] + mark[-19:])


def _write_people(cursor: psycopg.Cursor, lived: list[UUID], copies: int) -> None:
    """By COPY into temporary tables: PostgreSQL refuses it into those with row-level security."""
    for table, names in PEOPLE.items():
        like = f"SELECT {names} FROM {table} LIMIT 0"  # noqa: S608 (our own)
        cursor.execute(filling.words(f"CREATE TEMPORARY TABLE crowd_{table} ON COMMIT DROP AS {like}"))
    for rows in _people(lived, copies):
        for table, names in PEOPLE.items():
            with cursor.copy(filling.words(f"COPY pg_temp.crowd_{table} ({names}) FROM STDIN")) as copy:
                for row in rows[table]:
                    copy.write_row(row)
    for table, names in PEOPLE.items():
        given = f"SELECT {names} FROM pg_temp.crowd_{table}"  # noqa: S608 (our own)
        cursor.execute(filling.words(f"INSERT INTO {table} ({names}) {given}"))


def _people(lived: list[UUID], copies: int) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """Rows of the copies' people by table, some thousands at a time."""
    random, faker = Random(SEED), Faker("vi_VN")  # noqa: S311
    faker.seed_instance(SEED)
    names = [(faker.last_name(), faker.first_name()) for _ in range(400)]
    at, on = clock.now(), tenancy.current().business_date
    for first in range(0, len(lived) * copies, BATCH):
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in PEOPLE}
        for number in range(first, min(first + BATCH, len(lived) * copies)):
            copy, which = divmod(number, len(lived))
            party_id = _copy_of(lived[which], copy + 1)
            _person(rows, party_id, number, names[random.randrange(len(names))], random, at, on)
        yield rows


def _person(
    rows: dict[str, list[tuple[Any, ...]]],
    party_id: UUID,
    number: int,
    names: tuple[str, str],
    random: Random,
    at: datetime,
    on: date,
) -> None:
    mine = tenancy.current_id()
    keys, wrapped = vault.fresh(party_id=party_id)
    born = date(1960, 1, 1) + timedelta(days=random.randrange(15_000))
    phone = f"+8498{number:07d}"
    identity = identity_numbers.make("vn_cccd", birth_date=born, sex="male", random=random)

    def sealed(text: str, field: str) -> bytes:
        return keys.seal(text, party_id=party_id, field=field)

    def own(name: str) -> UUID:
        return UUID(md5(f"{party_id}:{name}".encode(), usedforsecurity=False).hexdigest())

    rows["customers_party"].append((party_id, mine, "root", f"C{number:07d}", "person", "vi", on))
    rows["customers_datakey"].append((own("key"), mine, "party", party_id, wrapped))
    mac = vault.blind(phone, kind="phone")
    rows["customers_contact"].append(
        (own("phone"), mine, party_id, "phone", sealed(phone, customer_view.CONTACT), mac, at, "")
    )
    rows["customers_identitynumber"].append(
        (own("id"), mine, party_id, "VN", "vn_cccd", sealed(identity, customer_view.NUMBER), "applicant", at)
    )
    said = {"family_name": names[0], "given_name": names[1], "birth_date": born.isoformat()}
    for field, value in said.items():
        box = sealed(vault.as_json(value), customer_view.FACT)
        rows["customers_fact"].append(
            (own(field), mine, party_id, field, box, "applicant", "", "borrower", str(party_id), at, on)
        )
    found_by = {("phone", phone), ("last4", phone[-4:]), ("identity_number", identity), ("last4", identity[-4:])}
    found_by |= {("name", part) for part in words.name_parts(*names)}
    for kind, value in sorted(found_by):
        rows["customers_blindindex"].append(
            (own(f"{kind}|{value}"), mine, party_id, kind, vault.blind(value, kind=kind))
        )
