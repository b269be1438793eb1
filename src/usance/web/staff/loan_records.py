"""The tabs of a loan's page that list rows: ledger, movements, messages, papers, payments, parties, who looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _

from usance.apps.access import selectors as access
from usance.apps.agreements import selectors as papers
from usance.apps.audit import selectors as trail
from usance.apps.customers import selectors as customers
from usance.apps.ledger import selectors as ledger
from usance.apps.messaging import selectors as message_view
from usance.apps.payments import selectors as payments_view
from usance.apps.servicing import selectors
from usance.web import components as ui
from usance.web import pages, words
from usance.web.staff import payment_tables, vocabulary

if TYPE_CHECKING:
    from usance.web.staff.loan_tabs import Looking

LOAN = "servicing.loan"


def books(looking: Looking) -> dict[str, Any]:
    """The entries made for this loan and their transfers. Daily interest stands in the entries of the close."""
    page = pages.of(looking.request, _known(ledger.entries_of_loan(loan_id=looking.loan.pk), looking))
    entries = list(page.object_list)
    names = {account.pk: f"{account.code} {account.title}" for account in ledger.accounts()} if entries else {}
    rows = []
    for transfer in ledger.transfers_of_entries([entry.pk for entry in entries]):
        entry = next(one for one in entries if one.pk == transfer.entry_id)
        kind = entry.description.removeprefix("loan.")
        rows.append(
            ui.Row(
                [
                    entry.booked_on,
                    entry.effective_on,
                    words.HAPPENED.get(kind, (entry.description, "", ""))[0],
                    names[transfer.debit_id],
                    names[transfer.credit_id],
                    looking.money(transfer.amount_minor),
                ]
            )
        )
    columns = [
        ui.Column("booked", _("Booked")),
        ui.Column("effective", _("True on")),
        ui.Column("what", _("Entry")),
        ui.Column("debit", _("Debit")),
        ui.Column("credit", _("Credit")),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    empty = ui.Empty(_("No entries yet"), _("The first comes when the money arrives."))
    return {"table": _paged(looking, _("Entries of this loan"), columns, rows, empty, page, "books")}


def movements(looking: Looking) -> dict[str, Any]:
    """Every change of a balance, newest first."""
    page = pages.of(looking.request, _known(selectors.movements(loan_id=looking.loan.pk), looking))
    rows = [
        ui.Row(
            [
                row.booked_on,
                row.effective_on,
                words.MOVEMENT.get(row.kind, row.kind),
                words.full_balance_name(":".join(filter(None, (row.component, row.fee_kind or row.tax_kind)))),
                looking.money(row.amount_minor),
            ]
        )
        for row in page.object_list
    ]
    columns = [
        ui.Column("booked", _("Booked")),
        ui.Column("effective", _("True on")),
        ui.Column("what", _("Movement")),
        ui.Column("balance", _("Balance")),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    empty = ui.Empty(_("Nothing has moved yet"), _("The first movement comes when the money arrives."))
    return {"table": _paged(looking, _("Movements"), columns, rows, empty, page, "movements")}


def _known(rows: Any, looking: Looking) -> Any:
    """Rows that were there by then and are about days until the day that is looked at."""
    rows = rows.filter(selectors.known_by(looking.view.known))
    return rows.filter(effective_on__lte=looking.view.on) if looking.view.on < looking.today else rows


def messages(looking: Looking) -> dict[str, Any]:
    found = message_view.messages(subject_id=looking.loan.pk)
    page = pages.of(looking.request, found)
    rows = [
        ui.Row(
            [
                row.moment,
                vocabulary.MESSAGE_CHANNEL.get(row.channel, row.channel),
                vocabulary.MESSAGE.get(row.template, row.template),
                words.tag(words.MESSAGE_STATE, row.state),
            ],
            href=reverse("staff:loan_message", args=[looking.loan.pk, row.pk]),
        )
        for row in page.object_list
    ]
    columns = [
        ui.Column("when", _("When")),
        ui.Column("channel", _("Channel")),
        ui.Column("what", _("Message")),
        ui.Column("state", _("State")),
    ]
    empty = ui.Empty(_("No messages about this loan"), _("Reminders and confirmations appear here by themselves."))
    return {"table": _paged(looking, _("Messages"), columns, rows, empty, page, "messages")}


def documents(looking: Looking) -> dict[str, Any]:
    subjects = [key for key in (looking.loan.pk, looking.loan.application_id) if key]
    found = [paper for key in subjects for paper in papers.documents_of(key, with_taken_back=True)]
    rows = [
        ui.Row(
            [
                words.DOCUMENT.get(paper.kind, paper.kind),
                paper.reference,
                paper.issued_on,
                words.tag(words.DOCUMENT_STATE, paper.state),
            ],
            href="" if paper.state == "ordered" else reverse("staff:loan_document", args=[looking.loan.pk, paper.pk]),
        )
        for paper in found
    ]
    columns = [
        ui.Column("kind", _("Paper")),
        ui.Column("reference", _("Number")),
        ui.Column("issued", _("Issued")),
        ui.Column("state", _("State")),
    ]
    empty = ui.Empty(_("No papers"), _("The agreement appears here when it is made, the letter when the loan is paid."))
    return {"table": ui.DataTable(_("Papers"), columns, rows, empty)}


def money(looking: Looking) -> dict[str, Any]:
    """Instructions to payment rails, and what was received outside them."""
    instructions = list(payments_view.for_subject(looking.loan.pk)[: pages.SIZE])
    receipts = list(payments_view.receipts_of(looking.loan.pk)[: pages.SIZE])
    return {
        "table": payment_tables.instruction_table(instructions, with_loan=False),
        "receipt_table": payment_tables.receipt_table(receipts, with_loan=False),
        "cards": [str(card) for card in payments_view.cards_of(looking.loan.party_id)],
    }


def parties(looking: Looking) -> dict[str, Any]:
    from usance.web.staff.loans import customer_url

    people = customers.summaries({one.party_id for one in looking.view.parties})
    may_open = "customer.view" in looking.request.permissions
    rows = []
    for one in looking.view.parties:
        person = people.get(one.party_id)
        cells = [person.name or person.reference, person.reference, person.phone] if person else [_("Unknown"), "", ""]
        href = customer_url(one.party_id) if may_open and person else ""
        rows.append(ui.Row([cells[0], words.PARTY_ROLE.get(one.role, one.role), *cells[1:]], href=href))
    columns = [
        ui.Column("name", _("Name")),
        ui.Column("role", _("Role")),
        ui.Column("reference", _("Customer")),
        ui.Column("phone", _("Phone")),
    ]
    return {"table": ui.DataTable(_("Parties"), columns, rows, ui.Empty(_("Nobody answers for this loan")))}


def looked(looking: Looking) -> dict[str, Any]:
    """Who opened this loan's page, its papers and messages."""
    page = pages.of(looking.request, trail.who_looked((LOAN, looking.loan.pk)))
    entries = list(page.object_list)
    names = access.names_of({entry.actor_id for entry in entries})
    rows = [
        ui.Row(
            [
                names.get(entry.actor_id) or words.ACTOR.get(entry.actor_kind, entry.actor_kind),
                entry.recorded_at,
                ", ".join(str(words.LOOKED.get(name, name)) for name in entry.details.get("fields", ())),
            ]
        )
        for entry in entries
    ]
    columns = [ui.Column("who", _("Who")), ui.Column("when", _("When")), ui.Column("what", _("What"))]
    return {"table": _paged(looking, _("Who looked"), columns, rows, ui.Empty(_("Nobody has looked")), page, "looked")}


def _paged(
    looking: Looking, caption: str, columns: list[ui.Column], rows: list[ui.Row], empty: ui.Empty, page: Any, tab: str
) -> ui.DataTable:
    query = {"tab": tab, **looking.kept}
    return ui.DataTable(caption, columns, rows, empty, page=page, query=query)
