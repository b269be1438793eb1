"""Documents that people sign or rely on: rendered once, bound to their hash, sealed, verifiable by anyone."""

from __future__ import annotations

import secrets

from django.db import models

from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is misread: no 0/O, 1/I/L, U


def new_code() -> str:
    """A verification code that cannot be guessed: 12 signs, 59 bits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(12))


class Document(OrgModel):
    """A PDF about an application or a loan. `content_sha256` is of the rendered file, which is what gets signed;
    `sealed_sha256` of the file with the lender's electronic seal. Files lie sealed under the party's key."""

    class Kind(models.TextChoices):
        AGREEMENT = "agreement"
        DEBT_FREE_LETTER = "debt_free_letter"
        BILL = "bill"

    class State(models.TextChoices):
        ORDERED = "ordered"
        READY = "ready"  # rendered, can be read and signed
        SEALED = "sealed"
        VOID = "void"  # the offer it belonged to ended unsigned, or what the letter says is no longer so

    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ORDERED)
    key = models.CharField(max_length=120)
    code = models.CharField(max_length=12, default=new_code, editable=False)
    party = TenantForeignKey("customers.Party", related_name="+")
    subject_type = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    language = models.CharField(max_length=10)
    reference = models.CharField(max_length=40, help_text="number of the loan or application, as printed")
    issued_on = models.DateField()
    content = models.JSONField(help_text="the figures and texts by number of the paper's template; no personal data")
    template_version = models.CharField(max_length=20)
    file = models.CharField(max_length=200, blank=True)
    content_sha256 = models.CharField(max_length=64, blank=True)
    sealed_file = models.CharField(max_length=200, blank=True)
    sealed_sha256 = models.CharField(max_length=64, blank=True)
    rendered_at = models.DateTimeField(null=True, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    void_on = models.DateField(null=True, blank=True, help_text="since when what it says is no longer so")

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "key", name="document_key_once"),
            models.UniqueConstraint("institution", "code", name="document_code_once"),
        ]
        indexes = [models.Index(fields=["institution", "subject_id"], name="document_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Signature(TenantModel):
    """A person's signature under a document: by a one-time code that was bound to the document's hash and amount."""

    append_only = True

    document = TenantForeignKey(Document, related_name="signatures")
    party = TenantForeignKey("customers.Party", related_name="+")
    content_sha256 = models.CharField(max_length=64)
    amount_minor = models.BigIntegerField()
    method = models.CharField(max_length=20, default="sms_code")
    code_id = models.UUIDField()
    signed_at = models.DateTimeField()
    signed_on = models.DateField()
    evidence = models.JSONField(default=dict, help_text="hashed address and browser")

    class Meta:
        constraints = [models.UniqueConstraint("institution", "document", "party", name="signature_once")]
