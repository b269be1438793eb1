"""Who does something: carried through every service so that the audit trail can name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["staff", "borrower", "system", "provider", "public"]


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` refers to a user, a party, a job or a provider; `label` is a role or a program's name, never a person's."""

    kind: ActorKind
    id: str = ""
    label: str = ""

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"


SYSTEM = Actor(kind="system", label="system")


def staff(user_id: object, *, label: str = "") -> Actor:
    return Actor(kind="staff", id=str(user_id), label=label)


def borrower(party_id: object) -> Actor:
    return Actor(kind="borrower", id=str(party_id))


def provider(name: str, reference: str = "") -> Actor:
    return Actor(kind="provider", id=reference, label=name)
