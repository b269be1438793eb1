"""What falls due on a business date, and who does it.

The close hands every dated item to the handler of its kind when its day has come. Wiring registers handlers; a handler
runs bound to the institution, inside a transaction of its own that also marks the item done, and answers with a short
outcome. What it refuses (a Refusal) is the outcome too, with all it did undone. No network in it: it enqueues jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
# of many items, those for which there is nothing to do any more, with the outcome that the handler would give: seen by
# a query or two, so that a close with ten thousand items does not hand out those of people who have paid
Idle = Callable[[Sequence[Item]], Mapping[UUID, str]]

_handlers: dict[str, Handler] = {}
_idle: dict[str, Idle] = {}


class NobodyDoesIt(LookupError):
    """An item's kind has no handler: wiring forgot it."""


def register(kind: str, handler: Handler, *, idle: Idle | None = None) -> None:
    """`handler(item, moment)` does items of this kind; `moment` is the item's own time, aware and local. `idle` may say
    beforehand of which there is nothing to do."""
    _handlers[kind] = handler
    _idle.pop(kind, None)
    if idle is not None:
        _idle[kind] = idle


def handles(kind: str, *, idle: Idle | None = None) -> Callable[[Handler], Handler]:
    """Declares the function that does items of this kind."""

    def declare(act: Handler) -> Handler:
        register(kind, act, idle=idle)
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


def idle(items: Sequence[Item]) -> dict[UUID, str]:
    """Item -> outcome, of those for which there is nothing to do."""
    asked: dict[Idle, list[Item]] = {}
    for item in items:
        if item.kind in _idle:
            asked.setdefault(_idle[item.kind], []).append(item)
    return {item_id: outcome for see, some in asked.items() for item_id, outcome in see(some).items()}


def kinds() -> frozenset[str]:
    return frozenset(_handlers)
