"""What falls due on a business date, and who does it.

The close hands every dated item to the handler of its kind when its day has come. Wiring registers handlers; a handler
runs bound to the institution, inside a transaction of its own that also marks the item done, and answers with a short
outcome. What it refuses (a Refusal) is the outcome too, with all it did undone. No network in it: it enqueues jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A dated row: what, about whom, when."""

    id: UUID
    kind: str
    key: str
    due_on: date
    at_time: time
    subject_id: UUID
    org_path: str


Handler = Callable[[Item, datetime], str]

_handlers: dict[str, Handler] = {}


class NobodyDoesIt(LookupError):
    """An item's kind has no handler: wiring forgot it."""


def register(kind: str, handler: Handler) -> None:
    """`handler(item, moment)` does items of this kind; `moment` is the item's own time, aware and local."""
    _handlers[kind] = handler


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Declares the function that does items of this kind."""

    def declare(act: Handler) -> Handler:
        register(kind, act)
        return act

    return declare


def by_subject(act: Callable[..., str]) -> Handler:
    """A handler out of a function that takes `subject_id`, `due_on` and `moment`."""

    def handle(item: Item, moment: datetime) -> str:
        return act(subject_id=item.subject_id, due_on=item.due_on, moment=moment)

    return handle


def handler(kind: str) -> Handler:
    """Raises NobodyDoesIt."""
    try:
        return _handlers[kind]
    except KeyError:
        raise NobodyDoesIt(kind) from None


def kinds() -> frozenset[str]:
    return frozenset(_handlers)
