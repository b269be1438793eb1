"""Writing and sealing papers: slow work, done by workers, each step safe to run again."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation

from usance.apps.agreements import bills, papers, render, selectors, services
from usance.apps.agreements.models import Document
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.products import calculator
from usance.core.loan.terms import Terms
from usance.ports import clock
from usance.ports.queue import task


@task("agreements.render")
def render_document(document_id: str) -> None:
    """Writes a paper that was ordered."""
    with transaction.atomic():
        document = selectors.document(UUID(document_id))
        if document.state != Document.State.ORDERED:
            return
        with translation.override(document.language):
            data = _data(document)
        verify_url = f"{institutions.base_url(tenancy.current_id())}/verify/{document.code}/"
    pdf = render.pdf(data=data, verify_url=verify_url, at=document.recorded_at)
    with transaction.atomic():
        name = services.keep_file(document=document, pdf=pdf, suffix="")
        services.rendered(document_id=document.pk, pdf=pdf, name=name, at=clock.now())


@task("agreements.seal")
def seal_document(document_id: str) -> None:
    """Puts the lender's electronic seal on a paper that is ready."""
    from usance.apps.agreements import sealing  # long to read: whoever seals nothing does without

    with transaction.atomic():
        document = selectors.document(UUID(document_id))
        institution = tenancy.current()
        if document.state != Document.State.READY:
            return
        pdf = services.read_file(document=document, name=document.file)
    signed = sealing.seal(pdf, reason=f"{institution.legal_name} {document.reference}", location=institution.country)
    with transaction.atomic():
        name = services.keep_file(document=document, pdf=signed, suffix="-sealed")
        services.sealed(document_id=document.pk, pdf=signed, name=name, at=clock.now())


def _data(document: Document) -> dict[str, Any]:
    institution = tenancy.current()
    frame = papers.Frame(
        institution=institution,
        language=document.language,
        reference=document.reference,
        issued_on=document.issued_on,
        code=document.code,
    )
    profile = customers.profile(document.party_id)
    person = papers.Person(
        name=profile.display_name,
        identity_number=profile.identity_number or "–",
        birth_date=profile.values.get("birth_date"),
        phone=profile.phone or "–",
    )
    content = document.content
    if document.kind == Document.Kind.AGREEMENT:
        terms = Terms.from_json(content["terms"])
        quote = calculator.figures(terms=terms, on=document.issued_on)
        return papers.agreement(frame=frame, person=person, quote=quote)
    if document.kind == Document.Kind.BILL:
        return bills.bill(frame=frame, person=person, content=content)
    return papers.debt_free_letter(
        frame=frame,
        person=person,
        amount_minor=content["amount_minor"],
        disbursed_on=date.fromisoformat(content["disbursed_on"]),
        closed_on=date.fromisoformat(content["closed_on"]),
    )
