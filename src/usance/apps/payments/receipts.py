"""Money that reached us outside the rails, as a person told us of it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from usance.apps.institutions.commands import KeyReusedWithOtherInputs
from usance.apps.institutions.models import new_id
from usance.apps.payments.models import Receipt
from usance.apps.payments.refusals import ReceiptKnown
from usance.ports.actor import Actor


def note(
    *,
    how: str,
    reference: str,
    loan_id: UUID,
    party_id: UUID,
    amount_minor: int,
    currency: str,
    value_on: date,
    source: str,
    org_path: str,
    at: datetime,
    actor: Actor,
) -> Receipt:
    """Money that came outside the rails; the same source again gives the first row. Raises ReceiptKnown when the
    reference was booked before."""
    made = Receipt(
        id=new_id(), how=how, reference=reference.strip(), loan_id=loan_id, party_id=party_id, value_on=value_on,
        amount_minor=amount_minor, currency=currency, source=source, org_path=org_path, taken_by=actor.id, taken_at=at,
    )  # fmt: skip
    Receipt.objects.bulk_create([made], ignore_conflicts=True)
    known = Receipt.objects.filter(source=source).first()
    if known and known.loan_id != loan_id:
        raise KeyReusedWithOtherInputs(name="receipt")
    if known:
        return known
    first = Receipt.objects.get(how=how, reference=made.reference, undone_at__isnull=True)
    raise ReceiptKnown(reference=first.reference, value_on=first.value_on)


def undo(*, source: str, at: datetime) -> None:
    """What a receipt had booked was reversed: its reference may be booked again."""
    Receipt.objects.filter(source=source, undone_at__isnull=True).update(undone_at=at)
