"""A number that networks gave to somebody new: the newcomer begins as a customer of their own and sees nothing of the
one who had it before."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from usance.apps.customers import sign_in
from usance.apps.customers.refusals import CodeExpired, PhoneInUse
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans

OVER = ("closed", "cancelled")


def start_anew(*, code_id: UUID, language: str, at: datetime, on: date) -> sign_in.SignedIn | CodeExpired | PhoneInUse:
    """The holder of the phone, proven by its code, is not the customer whose second fact was asked for. As long as
    that customer owes, applies, waits for money or signs in, a person must look first. Refusals are returned."""
    before = sign_in.owner_of_proven_phone(code_id=code_id, at=at)
    if before is None:
        return CodeExpired()
    if _something_is_under_way(before):
        return PhoneInUse()
    return sign_in.start_anew(code_id=code_id, language=language, at=at, on=on)


def _something_is_under_way(party_id: UUID) -> bool:
    return (
        loans.loans_of_party(party_id).exclude(status__in=OVER).exists()
        or applications.open_application(party_id=party_id) is not None
        or payments.instructions(state="open").filter(party_id=party_id).exists()
    )
