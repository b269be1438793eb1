"""Reading imports and what came in by them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from usance.apps.customers import vault
from usance.apps.imports.models import CHECKED, CHECKING, CUSTOMER, LOAN, TAKING, Import, Imported, ImportFile
from usance.core.refusals import Refusal

# offered here too: callers need not know where they stand
__all__ = ["CHECKED", "CHECKING", "CUSTOMER", "LOAN", "TAKING", "Import"]

FILE = "imports_importfile.sealed"
BATCH = 2000


class NoSuchImport(Refusal):
    code = "no_such_import"


class Known(NamedTuple):
    """What came in before under a name of the other system."""

    subject_id: UUID
    content: bytes


class File(NamedTuple):
    """A file's name and bytes."""

    name: str
    content: bytes


def imports() -> QuerySet[Import]:
    """Newest first."""
    return Import.objects.order_by("-recorded_at", "-id")


def one(import_id: UUID) -> Import:
    """Raises NoSuchImport."""
    row = Import.objects.filter(pk=import_id).first()
    if row is None:
        raise NoSuchImport()
    return row


def files(import_id: UUID) -> list[File]:
    """The files as they were handed in; none when they were emptied."""
    rows = ImportFile.objects.filter(of_id=import_id).order_by("id")
    return [File(row.name, vault.unseal_bytes(row.sealed, party_id=None, field=FILE)) for row in rows if row.sealed]


def file_names(import_id: UUID) -> list[tuple[str, int]]:
    """Name and size of each file."""
    return list(ImportFile.objects.filter(of_id=import_id).order_by("id").values_list("name", "size"))


def known(kind: str, names: Iterable[str]) -> dict[str, Known]:
    """What came in before, by its name there; unknown names are absent."""
    by_mac = {hash_of(kind, name): name for name in names}
    macs, found = list(by_mac), dict[str, Known]()
    for start in range(0, len(macs), BATCH):
        rows = Imported.objects.filter(kind=kind, external__in=macs[start : start + BATCH])
        for mac, subject_id, content in rows.values_list("external", "subject_id", "content"):
            found[by_mac[bytes(mac)]] = Known(subject_id, bytes(content))
    return found


def subjects(import_id: UUID, kind: str, *, after: UUID | None = None, most: int = 200) -> list[tuple[UUID, UUID]]:
    """(row, subject) of what came in by an import, so many after a row."""
    rows = Imported.objects.filter(of_id=import_id, kind=kind)
    rows = rows.filter(pk__gt=after) if after else rows
    return list(rows.order_by("pk").values_list("pk", "subject_id")[:most])


def import_of(subject_id: UUID) -> Import | None:
    """The import by which a customer or loan came."""
    row = Imported.objects.filter(subject_id=subject_id).select_related("of").first()
    return row.of if row else None


def hash_of(kind: str, text: str) -> bytes:
    """Keyed: a name or the content of a line may identify a person."""
    return vault.blind(text, kind=f"import.{kind}")
