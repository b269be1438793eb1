"""The messenger: whoever carries our SMS, e-mails and pushes, and the values it speaks.

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
class PushOrder:
    """`to` is the address that a browser gave (its push service's address and two keys, as JSON); `link` is a path of
    our own site that the notification opens. The push service keeps it for `good_for_s` seconds at most."""

    key: str
    to: str = field(repr=False)
    title: str = field(repr=False)
    text: str = field(repr=False)
    link: str = field(repr=False)
    good_for_s: int


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


@runtime_checkable
class PushMessenger(Protocol):
    """Our way to the push services of browsers. What became of a push no service tells: the browser that shows it
    tells us by itself. Call it outside transactions only."""

    @property
    def provider(self) -> str: ...

    @property
    def public_key(self) -> str:
        """What a browser must be given before it makes an address for us (base64url of the uncompressed point)."""
        ...

    def accepts(self, address: str) -> bool:
        """Whether this is a whole address at a push service that we know: it comes from a browser, and we are going to
        send requests there."""
        ...

    def send_push(self, order: PushOrder) -> Answer: ...
