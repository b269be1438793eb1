"""People and organisations as we know them. Whatever identifies one of them is sealed under that party's own key."""

from __future__ import annotations

import secrets

from django.db import models

from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel

# no letters that are misread on the phone (0/O, 1/I/L, U)
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

PERSON, ORGANISATION = "person", "organisation"
PHONE, EMAIL, PUSH = "phone", "email", "push"


def new_reference() -> str:
    """A customer number that says nothing about how many customers there are: 8 signs, 6.5e11 possibilities."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))


class Party(OrgModel):
    """A person or an organisation, free of any role: who borrows or guarantees is said by the loan, not here."""

    reference = models.CharField(max_length=12, default=new_reference, editable=False)
    kind = models.CharField(max_length=12, choices=[(PERSON, "person"), (ORGANISATION, "organisation")], default=PERSON)
    language = models.CharField(max_length=10)
    known_since = models.DateField(help_text="business date on which the party became known")
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["institution", "reference"], name="party_reference_once"),
            models.CheckConstraint(condition=models.Q(kind__in=[PERSON, ORGANISATION]), name="party_kind_known"),
        ]
        indexes = [models.Index(fields=["institution", "org_path", "id"], name="party_scope")]

    def __str__(self) -> str:
        return self.reference


class DataKey(TenantModel):
    """A data key, wrapped by the key ring: one per party, and per institution one for what belongs to nobody yet
    (`shared`) and one for blind indexes (`index`). A destroyed key has no `wrapped` any more."""

    KINDS = [("party", "party"), ("shared", "shared"), ("index", "index")]

    kind = models.CharField(max_length=8, choices=KINDS)
    party = TenantForeignKey("customers.Party", null=True, related_name="+")
    wrapped = models.BinaryField(null=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["institution", "party"], name="datakey_party_once"),
            models.UniqueConstraint(
                fields=["institution", "kind"], name="datakey_kind_once", condition=models.Q(party__isnull=True)
            ),
            models.CheckConstraint(
                condition=models.Q(kind="party", party__isnull=False) | ~models.Q(kind="party") & models.Q(party=None),
                name="datakey_kind_fits",
            ),
            models.CheckConstraint(
                condition=models.Q(wrapped__isnull=False, destroyed_at__isnull=True)
                | models.Q(wrapped__isnull=True, destroyed_at__isnull=False, kind="party"),
                name="datakey_destroyed_or_there",
            ),
        ]


class BlindIndex(TenantModel):
    """A keyed hash by which a party is found: of an exact value, a part of a name, the last four digits. Old values
    stay searchable; erasure removes the rows."""

    party = TenantForeignKey("customers.Party", related_name="+")
    kind = models.CharField(max_length=16)
    mac = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["institution", "kind", "mac", "party"], name="blindindex_once")]
        indexes = [models.Index(fields=["institution", "party"], name="blindindex_party")]


class Contact(TenantModel):
    """A phone number (E.164), an e-mail address, or the address of a browser that shows our pushes. The value is never
    edited: a new one is a new row, the old one ends."""

    party = TenantForeignKey("customers.Party", related_name="contacts")
    kind = models.CharField(max_length=8, choices=[(PHONE, "phone"), (EMAIL, "e-mail"), (PUSH, "push")])
    sealed = models.BinaryField()
    mac = models.BinaryField(max_length=32, null=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    unreachable_at = models.DateTimeField(null=True, blank=True, help_text="the messenger said: never again")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "mac"],
                name="contact_one_owner",
                condition=models.Q(kind__in=[PHONE, PUSH], verified_at__isnull=False, ended_at__isnull=True),
            ),
            models.CheckConstraint(condition=models.Q(kind__in=[PHONE, EMAIL, PUSH]), name="contact_kind_known"),
        ]
        indexes = [models.Index(fields=["institution", "party", "kind", "-recorded_at"], name="contact_of_party")]


class ChannelChange(OrgModel):
    """A new phone number, or a new card for payouts, that counts only after a wait in which its owner can stop it.
    The instants of the wait are business time; nothing here identifies anybody."""

    class Kind(models.TextChoices):
        PHONE = "phone"
        CARD = "card"

    class State(models.TextChoices):
        WAITING = "waiting"  # for a card also afterwards: it may be stopped as long as the link is good
        DONE = "done"
        STOPPED = "stopped"  # somebody said that it was not them, or changed their mind
        FAILED = "failed"  # the number became somebody else's meanwhile

    party = TenantForeignKey("customers.Party", related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    subject_id = models.UUIDField(help_text="of the contact or the card")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    began_at = models.DateTimeField(help_text="business time")
    counts_from = models.DateTimeField(help_text="business time")
    token_digest = models.CharField(max_length=64, help_text="keyed hash of the link that stops it")
    link_ends_at = models.DateTimeField(help_text="real time")
    asked_by = models.CharField(max_length=10, help_text="kind of actor: borrower or staff")
    ended_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True, help_text="its owner said that it was not them")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=10, blank=True, help_text="what staff found: theft or mistake")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["institution", "token_digest"], name="channelchange_token_once"),
            models.UniqueConstraint(
                fields=["institution", "kind", "subject_id"],
                name="channelchange_waiting_once",
                condition=models.Q(state="waiting"),
            ),
            models.UniqueConstraint(
                fields=["institution", "party"],
                name="channelchange_one_phone",
                condition=models.Q(state="waiting", kind="phone"),
            ),
        ]
        indexes = [models.Index(fields=["institution", "party", "-began_at"], name="channelchange_of_party")]


class IdentityNumber(TenantModel):
    """A number that a state gave a person, checked by its country's rule. Never edited: a new one ends the old one."""

    party = TenantForeignKey("customers.Party", related_name="identity_numbers")
    country = models.CharField(max_length=2)
    scheme = models.CharField(max_length=20)
    sealed = models.BinaryField()
    source = models.CharField(max_length=20)
    stated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "party", "scheme"],
                name="identitynumber_one",
                condition=models.Q(ended_at__isnull=True),
            )
        ]


class Fact(TenantModel):
    """One thing said about a party, by whom and when. History: a later fact of the same field stands beside it."""

    append_only = True

    party = TenantForeignKey("customers.Party", related_name="facts")
    field = models.CharField(max_length=30)
    sealed = models.BinaryField()
    source = models.CharField(max_length=20, help_text="applicant, staff, document, bureau, provider, import")
    source_id = models.CharField(
        max_length=60, blank=True, help_text="an id, such as an application's; no personal data"
    )
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=60, blank=True)
    stated_at = models.DateTimeField()
    effective_on = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["institution", "party", "field", "-stated_at", "-id"], name="fact_latest")]


class ConsentText(TenantModel):
    """What a person agreed to, word by word: one version in one language. A new wording is a new version."""

    append_only = True

    purpose = models.CharField(max_length=30)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    body = models.TextField()
    starts_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["institution", "purpose", "version", "language"], name="consenttext_once")
        ]


class Consent(TenantModel):
    """A consent, or a mandate when it is about one thing (a card). Withdrawal is a date, never a deletion."""

    party = TenantForeignKey("customers.Party", related_name="consents")
    purpose = models.CharField(max_length=30)
    text = TenantForeignKey("customers.ConsentText", related_name="+")
    subject_id = models.UUIDField(null=True, blank=True, help_text="what a mandate is about: a card")
    given_at = models.DateTimeField()
    given_on = models.DateField(help_text="business date")
    channel = models.CharField(max_length=20)
    evidence = models.JSONField(default=dict, help_text="keyed hashes of address and device; ids; no personal data")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_on = models.DateField(null=True, blank=True)
    withdrawn_because = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "party", "purpose", "subject_id"],
                name="consent_one_in_force",
                condition=models.Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
            )
        ]


class BlacklistEntry(OrgModel):
    """A phone, identity number, card or name with birth date that we will not serve, for a while; hashed."""

    kind = models.CharField(max_length=16)
    mac = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=30)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    sealed_note = models.BinaryField(null=True, blank=True)
    added_by = models.CharField(max_length=60)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["institution", "kind", "mac"], name="blacklist_lookup")]


class Protection(TenantModel):
    """A status by which the law protects a person from `starts_on` on and before `ends_on`; see protections.py."""

    class Kind(models.TextChoices):
        DECEASED = "deceased"
        INSOLVENT = "insolvent"
        IN_SERVICE = "in_service"  # in the armed forces, called up
        IDENTITY_THEFT = "identity_theft"  # somebody else borrowed in their name

    party = TenantForeignKey("customers.Party", related_name="protections")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    sealed_evidence = models.BinaryField(help_text="how we know")
    withdrawn_at = models.DateTimeField(null=True, help_text="it was recorded by mistake")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "party", "kind"],
                name="protection_once",
                condition=models.Q(ends_on__isnull=True, withdrawn_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
                name="protection_ends_later",
            ),
        ]
        indexes = [models.Index(fields=["institution", "party", "starts_on"], name="protection_of_party")]


class OneTimeCode(TenantModel):
    """A code on its way to a phone or e-mail address. Only its hash is kept. Lives in real time."""

    purpose = models.CharField(max_length=20)
    party = TenantForeignKey("customers.Party", null=True, related_name="+")
    channel = models.CharField(max_length=8, choices=[(PHONE, "phone"), (EMAIL, "e-mail")], default=PHONE)
    sealed_to = models.BinaryField()
    to_mac = models.BinaryField(max_length=32)
    address_mac = models.BinaryField(max_length=32, null=True, help_text="keyed hash of the caller's network address")
    code_hash = models.BinaryField(max_length=32)
    asked_by = models.CharField(
        max_length=8, choices=[("device", "device"), ("customer", "customer"), ("stranger", "stranger")],
        default="stranger", help_text="who seems to ask: a known device of the phone's owner, their phone, anybody",
    )  # fmt: skip
    context_hash = models.BinaryField(max_length=32, help_text="what the code is good for: document, amount")
    attempts = models.PositiveSmallIntegerField(default=0)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    signed_in_at = models.DateTimeField(null=True, blank=True, help_text="a session began with it: not a second time")

    class Meta:
        indexes = [
            models.Index(fields=["institution", "to_mac", "-issued_at"], name="onetimecode_to"),
            models.Index(fields=["institution", "address_mac", "-issued_at"], name="onetimecode_address"),
            models.Index(fields=["institution", "asked_by", "-issued_at"], name="onetimecode_asked_by"),
        ]


class Device(TenantModel):
    """A browser on which a party has proved who they are; its cookie's hash."""

    party = TenantForeignKey("customers.Party", related_name="devices")
    token_hash = models.BinaryField(max_length=32)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["institution", "party", "token_hash"], name="device_once")]
        indexes = [models.Index(fields=["institution", "token_hash"], name="device_by_token")]


class AuthenticatorApp(TenantModel):
    """An app of the party's own that makes codes: on a new device it is asked instead of what they told us."""

    party = TenantForeignKey("customers.Party", related_name="+")
    sealed = models.BinaryField(help_text="its secret, under the party's key")
    last_step = models.BigIntegerField(default=0, help_text="time step of the last code taken: a code counts once")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "party"],
                name="authenticatorapp_one",
                condition=models.Q(confirmed_at__isnull=False),
            )
        ]


class SecondFactAttempt(TenantModel):
    """A try to answer with a second fact on a new device; failures are counted per party."""

    append_only = True

    party = TenantForeignKey("customers.Party", related_name="+")
    code = TenantForeignKey("customers.OneTimeCode", related_name="+")
    at = models.DateTimeField()
    was_right = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["institution", "party", "-at"], name="secondfact_recent")]
