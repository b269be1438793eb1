"""A hundred thousand customers for measuring: a few dozen real lives, multiplied by set-based statements. Copies have
people, applications, loans with their events and entries, payments, messages and trail of their own; what identifies
their people is sealed under keys of their own, so that every page opens and every search finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import md5
from random import Random
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from faker import Faker

from usance.apps.customers import identity_numbers, vault, words
from usance.apps.customers import selectors as customer_view
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.ports import clock
from usance.workflows import demo
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
    },
    "origination.Transition": {},
    "servicing.Loan": {"number": f"'L-' || lpad((substr(t.number, 3)::bigint + c.n * {STEP})::text, 6, '0')"},
    "servicing.LoanParty": {},
    "servicing.LoanEvent": {"source": "t.source || ':' || c.n"},
    "ledger.JournalEntry": {"key": "t.key || ':' || c.n", "source": "t.source || ':' || c.n"},
    "ledger.Transfer": {},
    "servicing.LoanMovement": {},
    "payments.Instruction": {
        "key": "t.key || ':' || c.n", "order_id": "t.order_id || ':' || c.n",
        "reference": "CASE t.reference WHEN '' THEN '' ELSE t.reference || ':' || c.n END",
    },
    "messaging.Message": {"key": "t.key || ':' || c.n"},
    "audit.AuditEntry": {"subject_id": "md5(t.subject_id || ':' || c.n)::uuid::text"},
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


class OtherData(RuntimeError):
    """The database holds an institution that is somebody's: nothing is added to it."""


@dataclass(frozen=True)
class Crowd:
    """The institution with so many customers, and one of them to look for."""

    institution_id: UUID
    customers: int
    loans: int


def present(*, customers: int) -> Crowd:
    """The crowd of this database, made at the first call. Raises OtherData."""
    known = {host: institution_id for institution_id, host in institutions.all_institutions()}
    if known and set(known) != {f"{CODE}.localhost"}:
        raise OtherData("this database holds other institutions: set USANCE_HOME to a folder of its own")
    institution_id = known.get(f"{CODE}.localhost") or _found()
    with tenancy.bound(institution_id):
        if not _count("servicing_loan"):
            _live()
        there = _count("customers_party")
        if LIVES < there < customers:
            raise OtherData(
                f"this database holds a crowd of {there}: set USANCE_HOME to another folder for a larger one"
            )
        if there < customers:
            with outside.not_waiting_for_the_disk(), transaction.atomic():
                _multiply(customers)
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


def _multiply(customers: int) -> None:
    lived = _ids("SELECT id FROM customers_party ORDER BY id")
    copies = -(-customers // min(len(lived), _count("servicing_loan")))
    for table, rows in _people(lived, copies):
        _copy(table, rows)
    for label, unique in TABLES.items():
        _copy_rows(label, unique, copies)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE origination_application SET state = 'referred' WHERE id IN "
            "(SELECT id FROM origination_application WHERE state = 'declined' ORDER BY number LIMIT %s)",
            [WAITING],
        )
        cursor.execute(
            "INSERT INTO desk_workitem (id, institution_id, org_path, queue, subject_type, subject_id, reference, "
            "priority, state, budget_minutes, due_at, waiting_for, opened_at, outcome) "
            "SELECT md5(id::text || ':item')::uuid, institution_id, org_path, 'underwriting', "
            "'origination.application', id, 'A-' || lpad(number::text, 6, '0'), 0, 'open', 15, "
            "now() + interval '15 minutes', '', now(), '' FROM origination_application WHERE state = 'referred'"
        )


def _ids(sql: str) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


def _copy_rows(label: str, unique: Mapping[str, str], copies: int) -> None:
    """Each row so many times: its id and those that it refers to become the copies', by the same rule everywhere."""
    model = apps.get_model(label)
    columns = {}
    for field in model._meta.concrete_fields:
        name = field.column
        related = field.related_model._meta.label if field.is_relation else ""
        is_copied = field.primary_key or related in COPIED or name in FREE
        columns[name] = unique.get(name) or (
            f"md5(t.\"{name}\"::text || ':' || c.n)::uuid" if is_copied else f't."{name}"'
        )
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(columns.values())} "  # noqa: S608 (our own)
            f"FROM {model._meta.db_table} t, generate_series(1, %s) AS c(n) WHERE {ONLY.get(label, 'true')}",
            [copies],
        )


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


def _copy(table: str, rows: list[tuple[Any, ...]]) -> None:
    """By COPY into a temporary table: PostgreSQL refuses it into one with row-level security."""
    names = PEOPLE[table]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE crowd AS SELECT {names} FROM {table} WHERE false")  # noqa: S608
        with cursor.copy(f"COPY pg_temp.crowd ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM pg_temp.crowd")  # noqa: S608
        cursor.execute("DROP TABLE pg_temp.crowd")


def _people(lived: list[UUID], copies: int) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Rows of the copies' people, some thousands at a time, parties first."""
    random, faker = Random(SEED), Faker("vi_VN")  # noqa: S311
    faker.seed_instance(SEED)
    names = [(faker.last_name(), faker.first_name()) for _ in range(400)]
    at, on = clock.now(), tenancy.current().business_date
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in PEOPLE}
    for number in range(len(lived) * copies):
        copy, which = divmod(number, len(lived))
        party_id = UUID(md5(f"{lived[which]}:{copy + 1}".encode(), usedforsecurity=False).hexdigest())
        _person(rows, party_id, number, names[random.randrange(len(names))], random, at, on)
        if len(rows["customers_party"]) == BATCH or number == len(lived) * copies - 1:
            yield from rows.items()
            rows = {table: [] for table in PEOPLE}


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
