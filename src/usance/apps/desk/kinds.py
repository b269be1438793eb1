"""The kinds of change that need a second person, and what carries each out. Registered once, by config/wiring.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.utils.functional import Promise

from usance.ports.actor import Actor


class Apply(Protocol):
    def __call__(
        self, *, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime
    ) -> object:
        """Makes the change. `actor` is the second person, `maker_id` the colleague who proposed it or the customer who
        asked for it. A refusal undoes the approval too."""
        ...


class NotMade(Protocol):
    def __call__(self, *, approval_id: UUID, at: datetime) -> object:
        """What follows when a proposal was rejected, or ran out."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """`permission`: what the second person must hold; `title`: words for lists; `page`: url name of the page about the
    subject, taking its id, or empty; `not_made`: what follows when the answer was no, or none came."""

    kind: str
    permission: str
    apply: Apply
    title: Promise | str
    page: str = ""
    not_made: NotMade | None = None


_kinds: dict[str, Kind] = {}


class UnknownKind(LookupError):
    """A proposal of a kind that nobody registered: a defect."""


class KindTaken(ValueError):
    """Two declarations of one kind: a defect, since the later would silently do the earlier one's work."""


def register(kind: Kind) -> None:
    """Declares a kind, once; saying the very same again changes nothing."""
    if _kinds.setdefault(kind.kind, kind) != kind:
        raise KindTaken(kind.kind)


def of(kind: str) -> Kind:
    try:
        return _kinds[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def all_kinds() -> list[Kind]:
    return [_kinds[name] for name in sorted(_kinds)]
