"""The messenger: whoever carries our SMS and e-mails, and the values it speaks.

As with money: `Accepted` (the provider took it; delivery is another question, `delivery_status`), `Declined` (it will
not be sent), `Unknown` (nobody knows; a message may have gone out, so do not send it again while it would matter).
No method raises for anything the outside world does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


class Reason(StrEnum):
    """Why a message will not reach the person."""

    UNREACHABLE = "unreachable"  # unsubscribed, blacklisted, no such address: do not try this contact again
    EXPIRED = "expired"  # the network gave up
    OUR_BALANCE = "our_balance"  # no money on our account at the provider
    CONFIGURATION = "configuration"  # sender name, credentials, request: an operator must look
    OTHER = "other"


class Why(StrEnum):
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    BUSY = "busy"  # the provider answered with an error of its own, or with a rate limit


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOrder:
    """`key` is our own idempotency key of this message; `to` in E.164 with the plus sign."""

    key: str
    to: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailOrder:
    key: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider will try. `reference` is what `delivery_status` wants."""

    key: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    key: str
    reason: Reason
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    key: str
    why: Why
    code: str = ""
    detail: str = ""


Answer = Accepted | Declined | Unknown


class DeliveryState(StrEnum):
    WAITING = "waiting"  # ask again later
    DELIVERED = "delivered"
    FAILED = "failed"  # final; see reason
    UNKNOWN = "unknown"  # the provider could not be asked, or says nothing we understand: ask again later


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where one message is. `reason` only when FAILED; `raw` is the provider's own word."""

    reference: str
    state: DeliveryState
    reason: Reason | None = None
    raw: str = ""


@runtime_checkable
class Messenger(Protocol):
    """One account at one provider. Call it outside transactions only."""

    @property
    def provider(self) -> str: ...

    def send_sms(self, order: SmsOrder) -> Answer: ...

    def send_email(self, order: EmailOrder) -> Answer: ...

    def delivery_status(self, *, channel: Channel, references: Sequence[str]) -> Mapping[str, Delivery]:
        """The state of each reference; every reference asked for is in the answer."""
        ...

    def is_alive(self) -> bool:
        """Whether the provider answers at all (for `usance doctor`)."""
        ...
