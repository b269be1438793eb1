"""The sandboxes in this very process, for simulation: what a customer would do outside our own pages, and what the
sandbox would do by itself. Configuration offers one; a live installation has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from usance.ports.payment_rail import Card

# delivers one callback: (path and query, body, headers) -> HTTP status
Deliver = Callable[[str, bytes, Mapping[str, str]], int]


class Sandbox(Protocol):
    def new_card(self, *, merchant: str, on: date) -> Card:
        """A new ordinary card, linked at the merchant without the walk over the hosted page."""
        ...

    def fill_card_page(self, page_url: str, *, held_minor: int | None = None) -> None:
        """The customer on the hosted page: picks a new ordinary card, confirms at the bank, and tells the held amount
        back where it is asked for."""
        ...

    def latest_code(self, to: str) -> str:
        """The newest one-time code in the messages to a phone; empty when there is none."""
        ...

    def take_back(self, order_id: str) -> None:
        """The bank takes an approved payment back."""
        ...

    def deliver(self) -> int:
        """Sends the callbacks that are due; says how many were acknowledged."""
        ...

    def close(self) -> None:
        """Hands what it knows over to the served sandbox, so that the demo goes on from there."""
        ...


class Open(Protocol):
    def __call__(self, deliver: Deliver, *, shared_book: Path | None, leads: bool) -> Sandbox: ...


_open: Open | None = None


class NoSandbox(LookupError):
    """This installation is configured for real providers: nothing may be simulated on it."""


def offer(open_one: Open | None) -> None:
    global _open
    _open = open_one


def open_in_process(deliver: Deliver, *, shared_book: Path | None = None, leads: bool = True) -> Sandbox:
    """Puts the sandboxes of this process in place of the providers and gives them. `shared_book`: several processes
    share one sandbox by this file; the one that `leads` opens it first and closes it last. Raises NoSandbox."""
    if _open is None:
        raise NoSandbox("this installation has no sandboxes")
    return _open(deliver, shared_book=shared_book, leads=leads)
