"""Looking for card numbers where none may be: every column of every table (opened where it is sealed), the queue, the
logs, and the files of the installation. The book of the sandbox is the provider's own and lies outside."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pypdf
from django.db import connection, transaction

from usance.apps.access import selectors as access
from usance.apps.agreements import selectors as papers
from usance.apps.agreements import services as paper_files
from usance.apps.customers import vault
from usance.apps.institutions import guard, tenancy
from usance.workflows.card_scan.numbers import CANDIDATE_SQL, card_numbers, masked
from usance.workflows.card_scan.sealed import SEALED, Sealed, opened

__all__ = ["Found", "in_database", "in_files"]

KINDS_OF_TEXT = (
    "text",
    "character varying",
    "character",
    "jsonb",
    "json",
    "ARRAY",
    "bigint",
    "numeric",
    "bytea",
    "name",
)
SKIPPED_FOLDERS = {"sandbox", "postgres", "documents"}  # the provider's, the database's own files, the sealed papers
LARGEST_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """Where a card number stands; the number itself is not told."""

    place: str
    row: str
    number: str

    def __str__(self) -> str:
        return f"{self.place} {self.row}: {self.number}"


def in_database(institution_ids: list[UUID]) -> Iterator[Found]:
    """In the tables of these institutions, and in those that belong to none. Opens transactions of its own."""
    with transaction.atomic():
        owned, shared = _tables()
    with transaction.atomic():
        for table in shared:
            yield from _in_table(table)
    for institution_id in institution_ids:
        for table in owned:
            with tenancy.bound(institution_id), transaction.atomic():
                yield from _in_table(table)
        for column in SEALED:
            with tenancy.bound(institution_id), transaction.atomic():
                yield from _in_sealed(column)
        with tenancy.bound(institution_id), transaction.atomic():
            for mark, text in access.opened_sessions():
                yield from _found("access_session.session_data (sealed)", mark, text)
        yield from _in_papers(institution_id)


def _tables() -> tuple[list[str], list[str]]:
    """The tables whose rows belong to institutions, and the others; those that we may not read are partitions, whose
    rows their parent shows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p')")
        isolated = {row[0] for row in cursor.fetchall()}
        readable = []
        for table in guard.tables():
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [f'public."{table}"'])
            if cursor.fetchone()[0]:
                readable.append(table)
    return [table for table in readable if table in isolated], [table for table in readable if table not in isolated]


def _in_table(table: str) -> Iterator[Found]:
    for column, kind in _columns(table):
        value = f't."{column}"'
        # bytes are read here: as PostgreSQL prints them, the digits of others run into those of a number
        shown, candidates = (value, f"length({value}) > 12") if kind == "bytea" else (f"{value}::text", "")
        query = f'SELECT t.ctid::text, {shown} FROM "{table}" t WHERE {candidates or f"{shown} ~ %s"}'  # noqa: S608 - names from the catalogue
        with connection.cursor() as cursor:
            cursor.execute(query, None if candidates else [CANDIDATE_SQL])
            for row, told in cursor:
                text = told if isinstance(told, str) else bytes(told).decode("latin-1")
                yield from _found(f"{table}.{column}", row, text)


def _columns(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name = %s AND data_type = ANY(%s) ORDER BY ordinal_position",
            [table, list(KINDS_OF_TEXT)],
        )
        return cursor.fetchall()


def _in_sealed(column: Sealed) -> Iterator[Found]:
    for row, text in opened(column):
        yield from _found(f"{column.table}.{column.column} (sealed)", row, text)


def _in_papers(institution_id: UUID) -> Iterator[Found]:
    """In the words of each paper's file."""
    with tenancy.bound(institution_id):
        with transaction.atomic():
            kept = list(papers.with_files())
        for document in kept:
            for name in filter(None, (document.file, document.sealed_file)):
                try:
                    with transaction.atomic():
                        content = paper_files.read_file(document=document, name=name)
                except vault.PersonErased:
                    continue
                for text in _texts(content):
                    yield from _found("papers", name, text)


def _texts(content: bytes) -> Iterator[str]:
    """What a PDF says: on its pages, about itself, and in the files that it carries. Its inner language is full of
    digits that are nobody's: places on the page, widths of letters. A file that is none is looked at as it is."""
    try:
        paper = pypdf.PdfReader(io.BytesIO(content))
        yield from (page.extract_text() for page in paper.pages)
        yield from (str(value) for value in (paper.metadata or {}).values())
        for carried in paper.attachments.values():
            yield from (one.decode("latin-1") for one in carried)
    except pypdf.errors.PyPdfError:
        yield content.decode("latin-1")


def in_files(home: Path) -> Iterator[Found]:
    """In the logs and the other files of the installation."""
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home)
        if path.is_file() and not path.is_symlink() and inside.parts[0] not in SKIPPED_FOLDERS:
            yield from _in_file(path, str(inside))


def _in_file(path: Path, name: str) -> Iterator[Found]:
    with path.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(LARGEST_PIECE), b""), start=1):
            yield from _found(name, f"line {number}", line.decode("utf-8", "replace"))


def _found(place: str, row: str, text: str) -> Iterator[Found]:
    for digits in card_numbers(text):
        yield Found(place, row, masked(digits))
