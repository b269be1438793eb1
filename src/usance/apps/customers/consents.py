"""Consents and mandates: what a person agreed to, in which words and language, when, and when they took it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usance.apps.audit import services as audit
from usance.apps.customers import consent_texts, vault
from usance.apps.customers.models import Consent, ConsentText, Party
from usance.apps.customers.refusals import ConsentMissing, ConsentTextOutdated
from usance.apps.institutions import tenancy
from usance.ports.actor import Actor


@dataclass(frozen=True, slots=True)
class Purpose:
    """`about_one_thing`: a mandate for one card, say; `required`: nobody can borrow without it."""

    code: str
    label: Promise
    required: bool = True
    about_one_thing: bool = False


PURPOSES = {
    purpose.code: purpose
    for purpose in (
        Purpose("personal_data", _("Processing of personal data")),
        Purpose("credit_check", _("Check of credit history")),
        Purpose("automated_decision", _("Automated decision")),
        Purpose("electronic_signature", _("Signing by one-time code")),
        Purpose("card_debit", _("Debit of the card"), about_one_thing=True),
        Purpose("marketing", _("Offers by SMS and e-mail"), required=False),
        Purpose("push_reminders", _("Reminders on the phone"), required=False),
    )
}


def add_text(*, purpose: str, version: int, language: str, title: str, body: str, on: date) -> ConsentText:
    """A new wording, in force from `on`. Wordings are never edited: a changed one is a new version."""
    assert purpose in PURPOSES
    return ConsentText.objects.create(
        purpose=purpose, version=version, language=language, title=title, body=body, starts_on=on
    )


def install_texts(*, on: date) -> None:
    """The wordings that a new institution begins with, in its languages. Repeating it changes nothing."""
    rows = [
        ConsentText(purpose=purpose, version=1, language=language, title=title, body=body, starts_on=on)
        for language in tenancy.current().languages
        for purpose, (title, body) in consent_texts.TEXTS[language].items()
    ]
    ConsentText.objects.bulk_create(rows, ignore_conflicts=True)


def text_in_force(purpose: str, language: str, on: date) -> ConsentText:
    """The newest wording on a day, in that language or else in the institution's first; raises DoesNotExist when the
    institution has none (a defect of its set-up)."""
    return texts_in_force([purpose], language, on)[purpose]


def texts_in_force(purposes: Iterable[str], language: str, on: date) -> dict[str, ConsentText]:
    """`text_in_force` of each purpose, by one query."""
    wanted = list(purposes)
    first = tenancy.current().language
    newest = Subquery(
        ConsentText.objects.filter(purpose=OuterRef("purpose"), starts_on__lte=on)
        .order_by("-version")
        .values("version")[:1]
    )
    rows = ConsentText.objects.filter(purpose__in=wanted, starts_on__lte=on, language__in={language, first})
    found: dict[str, ConsentText] = {}
    for row in rows.filter(version=newest):
        if row.language == language or row.purpose not in found:
            found[row.purpose] = row
    missing = [purpose for purpose in wanted if purpose not in found]
    if missing:
        raise ConsentText.DoesNotExist(f"no text in force for {', '.join(missing)}")
    return found


def text_to_show(purpose: str, language: str, on: date) -> ConsentText:
    """`text_in_force`; an institution that was founded before we asked for this gets our first wording."""
    try:
        return text_in_force(purpose, language, on)
    except ConsentText.DoesNotExist:
        install_texts(on=on)
        return text_in_force(purpose, language, on)


def known_text(text_id: str) -> ConsentText | None:
    """A wording by the id that a form brings back; None for anything else."""
    try:
        return ConsentText.objects.filter(pk=UUID(text_id)).first()
    except ValueError:
        return None


def evidence_of(address: str = "", agent: str = "", **ids: str) -> dict[str, str]:
    """What shows later how a consent was given: keyed hashes of network address and browser, and plain ids."""
    hashed = {
        name: vault.blind(value, kind=name).hex() for name, value in (("address", address), ("agent", agent)) if value
    }
    return {**hashed, **ids}


def give(
    *,
    party_id: UUID,
    purpose: str,
    text_id: UUID,
    actor: Actor,
    at: datetime,
    on: date,
    channel: str = "web",
    subject_id: UUID | None = None,
    evidence: dict[str, Any] | None = None,
) -> UUID:
    """The party agreed to the text that was shown. A consent that is in force for the same words stays as it is; for
    older words it is withdrawn by the new one. Raises ConsentTextOutdated."""
    given = give_many(
        party_id=party_id,
        texts={purpose: text_id},
        actor=actor,
        at=at,
        on=on,
        channel=channel,
        subject_id=subject_id,
        evidence=evidence,
    )
    return given[purpose]


def give_many(
    *,
    party_id: UUID,
    texts: Mapping[str, UUID],
    actor: Actor,
    at: datetime,
    on: date,
    channel: str = "web",
    subject_id: UUID | None = None,
    evidence: dict[str, Any] | None = None,
) -> dict[str, UUID]:
    """`give` for each purpose (purpose -> the text that was shown), with as many queries as for one; all or none."""
    assert all(PURPOSES[purpose].about_one_thing == (subject_id is not None) for purpose in texts)
    shown = _shown(texts, on)
    Party.objects.select_for_update().get(pk=party_id)
    standing = Consent.objects.filter(
        party_id=party_id, purpose__in=texts, subject_id=subject_id, withdrawn_at=None
    ).select_related("text")
    current = {row.purpose: row for row in standing}
    given = {purpose: row.pk for purpose, row in current.items() if row.text.version == shown[purpose].version}
    made = []
    for purpose, text in shown.items():
        if purpose in given:
            continue
        if purpose in current:
            _end(current[purpose], because="replaced", at=at, on=on)
        made.append(
            Consent(
                party_id=party_id,
                purpose=purpose,
                text=text,
                subject_id=subject_id,
                given_at=at,
                given_on=on,
                channel=channel,
                evidence=evidence or {},
            )
        )
    Consent.objects.bulk_create(made)
    audit.record_all(
        audit.Deed(
            action="consent.given",
            subject=("customers.party", party_id),
            actor=actor,
            details={"purpose": row.purpose, "version": row.text.version, "language": row.text.language},
        )
        for row in made
    )
    return given | {row.purpose: row.pk for row in made}


def _shown(texts: Mapping[str, UUID], on: date) -> dict[str, ConsentText]:
    """The texts by purpose, each the newest in its language; raises ConsentTextOutdated, DoesNotExist."""
    newest = ConsentText.objects.filter(purpose=OuterRef("purpose"), starts_on__lte=on).order_by("-version")
    found = ConsentText.objects.filter(pk__in=list(texts.values()))
    by_id = {text.pk: text for text in found.annotate(newest=Subquery(newest.values("version")[:1]))}
    shown: dict[str, ConsentText] = {}
    for purpose, text_id in texts.items():
        text = by_id.get(text_id)
        if text is None or text.purpose != purpose:
            raise ConsentText.DoesNotExist(f"no text {text_id} for {purpose}")
        if text.version != text.newest:
            raise ConsentTextOutdated(purpose=purpose)
        shown[purpose] = text
    return shown


@transaction.atomic
def withdraw(
    *,
    party_id: UUID,
    purpose: str,
    because: str,
    actor: Actor,
    at: datetime,
    on: date,
    subject_id: UUID | None = None,
) -> bool:
    """The party takes a consent back; says whether there was one in force."""
    Party.objects.select_for_update().get(pk=party_id)
    current = _in_force(party_id, purpose, subject_id).first()
    if current is None:
        return False
    _end(current, because=because, at=at, on=on)
    details = {"purpose": purpose, "because": because}
    audit.record(action="consent.withdrawn", subject=("customers.party", party_id), actor=actor, details=details)
    return True


def _end(consent: Consent, *, because: str, at: datetime, on: date) -> None:
    Consent.objects.filter(pk=consent.pk).update(withdrawn_at=at, withdrawn_on=on, withdrawn_because=because)


def _in_force(party_id: UUID, purpose: str, subject_id: UUID | None) -> QuerySet[Consent]:
    return Consent.objects.filter(party_id=party_id, purpose=purpose, subject_id=subject_id, withdrawn_at=None)


def consent_on(*, party_id: UUID, purpose: str, on: date, subject_id: UUID | None = None) -> Consent | None:
    """The consent that was in force at the end of a business day."""
    in_force = Q(withdrawn_on=None) | Q(withdrawn_on__gt=on)
    given = Consent.objects.filter(party_id=party_id, purpose=purpose, subject_id=subject_id, given_on__lte=on)
    return given.filter(in_force).select_related("text").order_by("-given_at").first()


def consents_on(*, party_id: UUID, purposes: Iterable[str], on: date) -> dict[str, Consent]:
    """`consent_on` of each purpose that is not about one thing, by one query; purposes without one are absent."""
    in_force = Q(withdrawn_on=None) | Q(withdrawn_on__gt=on)
    given = Consent.objects.filter(
        in_force, party_id=party_id, purpose__in=list(purposes), subject_id=None, given_on__lte=on
    )
    found: dict[str, Consent] = {}
    for row in given.select_related("text").order_by("-given_at"):
        found.setdefault(row.purpose, row)
    return found


def has_consent(*, party_id: UUID, purpose: str, on: date, subject_id: UUID | None = None) -> bool:
    return consent_on(party_id=party_id, purpose=purpose, on=on, subject_id=subject_id) is not None


def require_consent(*, party_id: UUID, purpose: str, on: date, subject_id: UUID | None = None) -> Consent:
    """To be called before a bureau is asked, a card debited, an offer sent. Raises ConsentMissing."""
    found = consent_on(party_id=party_id, purpose=purpose, on=on, subject_id=subject_id)
    if found is None:
        raise ConsentMissing(purpose=purpose)
    return found


def consents_of(party_id: UUID) -> QuerySet[Consent]:
    """Every consent and mandate of a party with its text, newest first, withdrawn ones too."""
    return Consent.objects.filter(party_id=party_id).select_related("text").order_by("-given_at", "-id")


def consent(consent_id: UUID) -> Consent | None:
    """One consent or mandate with its text."""
    return Consent.objects.select_related("text").filter(pk=consent_id).first()
