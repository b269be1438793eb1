"""Reading the trail: about a thing, by a person, who looked, and the head of the chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from usance.apps.audit.models import AuditEntry, AuditLink

Subject = Model | tuple[str, Any]
VIEWED = "personal.viewed"
VERIFIED = "audit.verified"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain. Kept outside the database, it shows later that nothing before it was cut off."""

    seq: int
    hash: str


def key_of(subject: Subject) -> tuple[str, str]:
    """What a subject is called in the trail: `app.model` and its id."""
    if isinstance(subject, Model):
        return subject._meta.label_lower, str(subject.pk)
    return subject[0], str(subject[1])


def trail(subject: Subject) -> QuerySet[AuditEntry]:
    """What was done to a thing and who looked at it, newest first."""
    kind, subject_id = key_of(subject)
    return AuditEntry.objects.filter(subject_type=kind, subject_id=subject_id).order_by("-recorded_at", "-id")


def who_looked(subject: Subject) -> QuerySet[AuditEntry]:
    return trail(subject).filter(action=VIEWED)


def of_actor(actor_id: Any) -> QuerySet[AuditEntry]:
    """What a person did and looked at, newest first."""
    return AuditEntry.objects.filter(actor_id=str(actor_id)).order_by("-recorded_at", "-id")


def entries() -> QuerySet[AuditEntry]:
    """The whole trail of the institution, newest first."""
    return AuditEntry.objects.order_by("-recorded_at", "-id")


def search(
    *,
    actor_id: str = "",
    actor_kind: str = "",
    action: str = "",
    subject_type: str = "",
    subject_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """The trail narrowed by what is given, over the instants [since, until), newest first. An action that ends with a
    dot means all that begin with it."""
    exact = {
        "actor_id": actor_id,
        "actor_kind": actor_kind,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "action": "" if action.endswith(".") else action,
        "action__startswith": action if action.endswith(".") else "",
        "recorded_at__gte": since,
        "recorded_at__lt": until,
    }
    return entries().filter(**{name: value for name, value in exact.items() if value})


def latest(action: str) -> AuditEntry | None:
    """The newest entry of an action."""
    return entries().filter(action=action).first()


def head() -> Head | None:
    """The last link of the chain; None while there is none."""
    found = AuditLink.objects.order_by("-seq").values_list("seq", "hash").first()
    return Head(*found) if found else None


def recorded_digests(subject_type: str) -> Iterator[tuple[str, str]]:
    """(subject id, digest as recorded) of the rows of a kind that are kept in the chain by their content."""
    rows = AuditEntry.objects.filter(subject_type=subject_type).exclude(subject_digest="")
    return rows.values_list("subject_id", "subject_digest").order_by("id").iterator(chunk_size=5000)
