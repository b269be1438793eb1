"""The columns that are sealed, and how each is opened: sealing a card number does not make it allowed.

A column of bytes has its place here, or in NOT_TEXT with the reason why nothing that anybody typed can be in it; a test
compares both with the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from usance.apps.customers import vault

BATCH = 500
_APPLICANT = "(SELECT a.party_id FROM origination_application a WHERE a.id = t.application_id)"


@dataclass(frozen=True, slots=True)
class Sealed:
    """`field`: what the value was bound to (see `customers.vault`); `party`: whose key, in SQL over the row `t`."""

    table: str
    column: str
    field: str
    party: str = "t.party_id"


SEALED = (
    Sealed("customers_fact", "sealed", "customers_fact.value"),
    Sealed("customers_contact", "sealed", "customers_contact.value"),
    Sealed("customers_identitynumber", "sealed", "customers_identitynumber.value"),
    Sealed("customers_protection", "sealed_evidence", "customers_protection.evidence"),
    Sealed("customers_onetimecode", "sealed_to", "customers_onetimecode.to"),
    Sealed("customers_blacklistentry", "sealed_note", "customers_blacklistentry.note", party="NULL::uuid"),
    Sealed("imports_importfile", "sealed", "imports_importfile.sealed", party="NULL::uuid"),
    Sealed("messaging_message", "sealed_to", "messaging_message.to"),
    Sealed("messaging_message", "sealed_subject", "messaging_message.subject"),
    Sealed("messaging_message", "sealed_body", "messaging_message.body"),
    Sealed("payments_card", "token", "payments_card.token"),
    Sealed("payments_inboundnotice", "body", "payments_inboundnotice.body", party="NULL::uuid"),
    Sealed("origination_application", "question_sealed", "origination_application.question"),
    Sealed("origination_answer", "sealed", "origination_answer.sealed", party=_APPLICANT),
    Sealed("origination_review", "note_sealed", "origination_review.note", party=_APPLICANT),
)
NOT_TEXT = {
    ("access_secondfactor", "secret"): "random, made by us",
    ("access_secondfactor", "public_key"): "a key",
    ("access_passkeychallenge", "challenge"): "random, made by us",
    ("customers_authenticatorapp", "sealed"): "random, made by us",
    ("customers_datakey", "wrapped"): "a key",
    ("customers_blindindex", "mac"): "a keyed hash",
    ("customers_contact", "mac"): "a keyed hash",
    ("customers_blacklistentry", "mac"): "a keyed hash",
    ("customers_onetimecode", "to_mac"): "a keyed hash",
    ("customers_onetimecode", "address_mac"): "a keyed hash",
    ("customers_onetimecode", "code_hash"): "a keyed hash",
    ("customers_onetimecode", "context_hash"): "a hash",
    ("customers_device", "token_hash"): "a hash of a random token",
    ("imports_imported", "external"): "a keyed hash",
    ("imports_imported", "content"): "a keyed hash",
}


def opened(column: Sealed) -> Iterator[tuple[str, str]]:
    """(id, text) of every sealed value of the bound institution; those of erased persons cannot be opened any more."""
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT t.id::text, {column.party}, t.{column.column} FROM {column.table} t "  # noqa: S608 - our own list
                f"WHERE t.id > %s AND length(t.{column.column}) > 0 ORDER BY t.id LIMIT {BATCH}",
                [last],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        keys = vault.keys_for({party_id for _id, party_id, _value in rows if party_id})
        for row_id, party_id, value in rows:
            if not (party_id and keys.is_erased(party_id)):
                yield row_id, keys.unseal(value, party_id=party_id, field=column.field)
        last = rows[-1][0]
