"""Whoever judges the storm must be able to see what went wrong: each kind of trouble, made by hand, is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.db import transaction

from tests.support import database
from tests.support import institutions as founding
from usance.adapters.sandbox.book import Book

AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
ON = date(2026, 3, 2)


def _order(book: Book, order_id: str, amount: int, status: str = "approved") -> None:
    book.insert(
        "orders",
        {
            "merchant_id": "1700002", "order_id": order_id, "via": "recurring", "tran_type": "purchase",
            "amount": amount, "currency": "VND", "description": "x", "status": status, "created_at": AT.isoformat(),
        },
    )  # fmt: skip


def _given(state: str, number: int, loan: Any) -> str:
    """An instruction of ours that stands in that state, whatever really happened."""
    from usance.apps.payments import services
    from usance.apps.payments.models import Instruction
    from usance.ports.actor import SYSTEM

    made = services.give(
        kind="debit", key=f"judge:{number}", amount_minor=1000, party_id=loan.party_id, subject_type="servicing.loan",
        subject_id=loan.pk, then="", description="x", at=AT, actor=SYSTEM,
    )  # fmt: skip
    Instruction.objects.filter(pk=made.pk).update(state=state, sent_at=AT, settled_at=AT)
    return str(made.order_id)


def test_the_judge_names_what_is_lost_double_and_stuck(fresh_db: str, tmp_path: Path) -> None:
    from tests.apps.servicing import loans
    from usance.apps.customers import services as customers
    from usance.apps.institutions import tenancy
    from usance.apps.ledger import services as ledger
    from usance.config.faults.judge import judge
    from usance.config.faults.lenders import Lender
    from usance.config.faults.tally import Tally
    from usance.ports.actor import SYSTEM

    founded = founding.found()
    with tenancy.bound(founded.pk), transaction.atomic():
        ledger.open_books()
        party_id = customers.add_party(language="en", on=ON, actor=SYSTEM)
        loan = loans.lend(on=ON, party_id=party_id)
        booked, refused, invented, waiting = (
            _given(state, number, loan) for number, state in enumerate(("succeeded", "failed", "succeeded", "sent"))
        )
    book = Book(tmp_path / "book.sqlite3")
    _order(book, booked, 1000)  # the provider has it, our loan has no event of it
    _order(book, refused, 1000)
    _order(book, waiting, 1000, "processing")
    _order(book, "vn-nobody-knows", 700)
    book.close()
    tally = Tally()
    faults = {booked: {"reply_lost"}, refused: {"busy"}, invented: {"callback_forged"}, waiting: {"never_sent"}}
    site = SimpleNamespace(
        superuser=lambda: database.superuser(fresh_db),
        book=tmp_path / "book.sqlite3",
        storm=SimpleNamespace(tally=tally, struck=lambda order_id: faults.get(order_id, set())),
    )
    judge(site, [Lender("vn", founded.pk)])  # type: ignore[arg-type]
    assert tally.troubles["reply_lost"] == {"lost": 1}
    assert tally.troubles["busy"] == {"lost": 1}
    assert tally.troubles["callback_forged"] == {"double": 1}
    assert tally.troubles["never_sent"] == {"stuck": 1}
    unknown = tally.troubles["unknown"]
    assert (unknown["lost"], unknown["wrong"]) == (1, 1)  # an order that we do not know; and the sums differ
    assert not tally.is_clean


def test_a_kind_below_its_share_is_said() -> None:
    from usance.config.faults.tally import KINDS, Tally

    tally = Tally()
    for kind in KINDS:
        for _ in range(1 if kind == "killed" else 20):
            tally.inject(kind, "somewhere")
    assert tally.too_rare == ["killed"]
    assert "killed" in tally.table()
