"""Ordering papers, signing them, and keeping their files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from usance.apps.agreements import render
from usance.apps.agreements.models import Document, Signature
from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.institutions import rows, tenancy
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor
from usance.ports.queue import enqueue

FILE = "agreements_document.file"
State = Document.State


class DocumentNotReady(Refusal):
    """The paper is still being written."""

    code = "document_not_ready"


class DocumentChanged(Refusal):
    """What was to be signed is not the paper that stands now."""

    code = "document_changed"


def order(
    *,
    kind: str,
    key: str,
    party_id: UUID,
    subject: tuple[str, UUID],
    language: str,
    reference: str,
    issued_on: date,
    content: Mapping[str, Any],
    org_path: str = "root",
) -> Document:
    """A paper to be written by a job; the same key again gives the first one. `content` holds figures, no names."""
    known = Document.objects.filter(key=key).first()
    if known is not None:
        return known
    document = Document(
        kind=kind,
        key=key,
        party_id=party_id,
        subject_type=subject[0],
        subject_id=subject[1],
        language=language,
        reference=reference,
        issued_on=issued_on,
        content=dict(content),
        template_version=render.VERSION,
        org_path=org_path,
    )
    if not rows.insert_new(document):
        return Document.objects.get(key=key)
    enqueue("agreements.render", document_id=str(document.pk))
    return document


def keep_file(*, document: Document, pdf: bytes, suffix: str) -> str:
    """Stores a file sealed under the party's key; outside a transaction, as storage may be a network away."""
    sealed = vault.seal_bytes(pdf, party_id=document.party_id, field=FILE)
    return default_storage.save(f"{tenancy.current_id()}/{document.pk}{suffix}.sealed", ContentFile(sealed))


def read_file(*, document: Document, name: str) -> bytes:
    with default_storage.open(name) as stored:
        return vault.unseal_bytes(stored.read(), party_id=document.party_id, field=FILE)


def rendered(*, document_id: UUID, pdf: bytes, name: str, at: datetime) -> Document:
    """The paper is written: its hash is what a signature will be bound to."""
    document = Document.objects.select_for_update().get(pk=document_id)
    if document.state != State.ORDERED:
        return document
    document.file, document.content_sha256 = name, hashlib.sha256(pdf).hexdigest()
    document.state, document.rendered_at = State.READY, at
    document.save(update_fields=["file", "content_sha256", "state", "rendered_at"])
    if document.kind != Document.Kind.AGREEMENT:
        enqueue("agreements.seal", document_id=str(document.pk))
    return document


def sign(
    *,
    document_id: UUID,
    party_id: UUID,
    content_sha256: str,
    amount_minor: int,
    code_id: UUID,
    on: date,
    at: datetime,
    evidence: Mapping[str, str],
    actor: Actor,
) -> Signature:
    """Records a person's signature; a job seals the paper. Raises DocumentNotReady, DocumentChanged."""
    document = Document.objects.select_for_update().get(pk=document_id, party_id=party_id)
    if document.state == State.ORDERED:
        raise DocumentNotReady()
    if document.state == State.VOID or document.content_sha256 != content_sha256:
        raise DocumentChanged()
    known = Signature.objects.filter(document=document, party_id=party_id).first()
    if known:
        return known
    signature = Signature.objects.create(
        document=document,
        party_id=party_id,
        content_sha256=content_sha256,
        amount_minor=amount_minor,
        code_id=code_id,
        signed_on=on,
        signed_at=at,
        evidence=dict(evidence),
    )
    audit.record(
        action="agreements.signed",
        subject=document,
        actor=actor,
        details={"amount_minor": amount_minor},
        digest=content_sha256,
    )
    enqueue("agreements.seal", document_id=str(document.pk))
    return signature


def sealed(*, document_id: UUID, pdf: bytes, name: str, at: datetime) -> Document:
    """The paper bears the lender's seal."""
    document = Document.objects.select_for_update().get(pk=document_id)
    if document.state != State.READY:
        return document
    document.sealed_file, document.sealed_sha256 = name, hashlib.sha256(pdf).hexdigest()
    document.state, document.sealed_at = State.SEALED, at
    document.save(update_fields=["sealed_file", "sealed_sha256", "state", "sealed_at"])
    audit.record(action="agreements.sealed", subject=document, actor=SYSTEM, details={}, digest=document.sealed_sha256)
    return document


def void_unsigned(*, subject_id: UUID) -> int:
    """The offer ended: its unsigned papers no longer can be signed."""
    unsigned = Document.objects.filter(subject_id=subject_id, signatures__isnull=True, kind=Document.Kind.AGREEMENT)
    return Document.objects.filter(pk__in=list(unsigned.values_list("pk", flat=True))).update(state=State.VOID)


def take_back(*, document_id: UUID, on: date, because: str, actor: Actor = SYSTEM) -> Document:
    """What a letter says is no longer so: from now on whoever checks it is told. Once taken back it stays so."""
    document = Document.objects.select_for_update().get(pk=document_id)
    if document.state == State.VOID:
        return document
    document.state, document.void_on = State.VOID, on
    document.save(update_fields=["state", "void_on"])
    audit.record(action="agreements.taken_back", subject=document, actor=actor, details={"because": because})
    return document


def download(*, document_id: UUID, actor: Actor) -> tuple[str, bytes]:
    """(file name, the newest form of the paper) for a person; the look is in the audit trail.
    Raises DocumentNotReady."""
    document = Document.objects.get(pk=document_id)
    if document.state == State.ORDERED:
        raise DocumentNotReady()
    audit.viewed(subject=document, actor=actor, fields=["file"])
    pdf = read_file(document=document, name=document.sealed_file or document.file)
    return f"{document.reference}-{document.kind}.pdf", pdf
