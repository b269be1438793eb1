"""Reading papers, and what the public may know of one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from usance.apps.agreements.models import CODE_ALPHABET, Document, Signature
from usance.apps.institutions import tenancy


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFacts:
    """What anyone who holds a paper's code may know: enough to trust the paper, nothing about the person."""

    kind: str
    lender: str
    registration_number: str
    reference: str
    issued_on: date
    signed_on: date | None
    is_sealed: bool
    is_void: bool
    void_on: date | None
    code: str


def documents_of(subject_id: UUID, *, with_taken_back: bool = False) -> QuerySet[Document]:
    """Papers about an application or a loan, newest first, those that ended unsigned left out; letters that were taken
    back too, unless asked for."""
    found = Document.objects.filter(subject_id=subject_id).order_by("-issued_on", "-id")
    return found.exclude(state=Document.State.VOID, **({"void_on": None} if with_taken_back else {}))


def documents_of_party(party_id: UUID) -> QuerySet[Document]:
    return Document.objects.filter(party_id=party_id).exclude(state=Document.State.VOID).order_by("-issued_on", "-id")


def with_files() -> QuerySet[Document]:
    """Every paper that was written, oldest first."""
    return Document.objects.exclude(file="").order_by("id")


def document(document_id: UUID) -> Document:
    return Document.objects.get(pk=document_id)


def document_of(*, document_id: UUID, party_id: UUID) -> Document | None:
    """A borrower's own paper, or nothing."""
    return Document.objects.filter(pk=document_id, party_id=party_id).first()


def letters_in_force(subject_id: UUID) -> QuerySet[Document]:
    """The debt-free letters about a loan that were not taken back."""
    letters = Document.objects.filter(subject_id=subject_id, kind=Document.Kind.DEBT_FREE_LETTER)
    return letters.exclude(state=Document.State.VOID).order_by("issued_on", "id")


def by_key(key: str) -> Document | None:
    return Document.objects.filter(key=key).first()


def signed_agreement(subject_id: UUID) -> Document | None:
    """The agreement that was signed for an application."""
    found = (
        Signature.objects.filter(document__subject_id=subject_id)
        .select_related("document")
        .order_by("-signed_at")
        .first()
    )
    return found.document if found else None


def signature_of(document_id: UUID) -> Signature | None:
    return Signature.objects.filter(document_id=document_id).order_by("-signed_at").first()


def public_facts(code: str) -> PublicFacts | None:
    """The paper with this code, however people write it (spaces, dashes, small letters)."""
    plain = "".join(sign for sign in code.upper() if sign in CODE_ALPHABET)
    found = Document.objects.exclude(state=Document.State.ORDERED).filter(code=plain).first()
    if found is None:
        return None
    institution, signature = tenancy.current(), signature_of(found.pk)
    return PublicFacts(
        kind=found.kind,
        lender=institution.legal_name,
        registration_number=institution.registration_number,
        reference=found.reference,
        issued_on=found.issued_on,
        signed_on=signature.signed_on if signature else None,
        is_sealed=found.sealed_at is not None,
        is_void=found.state == Document.State.VOID,
        void_on=found.void_on,
        code=plain,
    )


def is_the_file(*, code: str, content: bytes) -> bool:
    """Whether a file is, byte for byte, the paper with this code (sealed or as signed)."""
    plain = "".join(sign for sign in code.upper() if sign in CODE_ALPHABET)
    digest = hashlib.sha256(content).hexdigest()
    found = Document.objects.filter(code=plain).first()
    return found is not None and digest in (found.sealed_sha256, found.content_sha256)
