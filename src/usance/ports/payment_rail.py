"""The payment rail: whoever moves money between a customer's card and us, and the values it speaks.

An answer is `Accepted`, `Declined` or `Unknown`. `Accepted` and `Declined` are final statements of the provider about
our order; everything else, a time-out before or after acceptance included, is `Unknown`, which means "ask later with
`status`", never "send again". `order_id` is our own idempotency key: one instruction, one order_id, for ever.
No method raises for anything the outside world does. Amounts are integers in minor units of `currency`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from usance.core.refusals import Refusal


class OrderKind(StrEnum):
    """What an order is for; a status query needs it, as providers keep kinds of orders under different keys."""

    LINK_CARD = "link_card"  # hosted page; a small amount is held and released; gives a token
    PURCHASE = "purchase"  # hosted page; the customer pays
    DEBIT = "debit"  # we collect from a saved card under a mandate
    PAYOUT = "payout"  # we send money to a saved card


class Reason(StrEnum):
    """Why the answer is no, in our own words; the provider's code stands beside it in `Declined.code`."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT = "limit"  # amount or count limit of the card or of the merchant
    CARD_EXPIRED = "card_expired"
    CARD_INVALID = "card_invalid"  # wrong number, expiry or security code typed
    CARD_BLOCKED = "card_blocked"  # lost, stolen, restricted, blocked by the issuer
    TOKEN_DEAD = "token_dead"  # noqa: S105 - the saved card can no longer be charged
    NOT_AUTHENTICATED = "not_authenticated"  # 3-D Secure failed
    NOT_OWNER = "not_owner"  # the check that the card is the customer's own failed
    ISSUER_DECLINED = "issuer_declined"  # general refusal of the bank
    FRAUD = "fraud"
    PAYER_LEFT = "payer_left"  # the hosted page's lifetime passed
    OUR_BALANCE = "our_balance"  # our account at the provider does not cover the payout
    CONFIGURATION = "configuration"  # our request or merchant set-up is wrong: an operator must look
    TECHNICAL = "technical"  # the provider or the acquirer failed and says that nothing happened
    NEVER_ARRIVED = "never_arrived"  # long after sending, the provider knows no such order
    OTHER = "other"


class Hint(StrEnum):
    """What a policy of repeated debits should do next."""

    RETRY_LATER = "retry_later"  # a later attempt, as a new order, may succeed
    DROP_TOKEN = "drop_token"  # noqa: S105 - forget this card for debits
    STOP = "stop"  # do not try this again without a person


class Why(StrEnum):
    """Why we do not know yet."""

    NO_ANSWER = "no_answer"  # connection failed or timed out; the provider may have accepted
    UNREADABLE = "unreadable"  # an answer that is not the protocol's
    BAD_SIGNATURE = "bad_signature"  # an answer that is not provably the provider's
    WAITING_FOR_PAYER = "waiting_for_payer"  # the hosted page is open
    PROCESSING = "processing"  # the provider works on it
    NOT_FOUND = "not_found"  # no such order there; our request may still be under way, see `settle`
    DUPLICATE = "duplicate"  # the order_id is known there: ask `status`
    BUSY = "busy"  # the provider could not be asked (limits, maintenance, error of its own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What we may keep of a card. `token` is the provider's; there is never a number or security code."""

    token: str | None = field(default=None, repr=False)
    masked: str = ""  # 444455XXXXXX1111
    last4: str = ""
    brand: str = ""  # VISA, MasterCard, ...
    expires_on: date | None = None  # last day on which the token may be charged, where the provider tells it
    holder_name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """It happened. `value_at` is the time of the card payment itself (aware, UTC), not of this answer.

    Amount and currency are what the provider says, not what we asked: compare them with `agrees_with` before booking.
    `reversed_minor` is what has since gone back (refund, chargeback, reversal), 0 for the released hold of LINK_CARD.
    """

    order_id: str
    reference: str  # the provider's own number of the payment
    amount_minor: int
    currency: str
    value_at: datetime | None
    card: Card = Card()
    reversed_minor: int = 0
    fee_minor: int = 0  # the provider's fee, where told
    bank_reference: str = ""  # retrieval reference number of the card scheme
    raw_status: str = ""

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.reversed_minor

    @property
    def is_reversed(self) -> bool:
        """Everything went back."""
        return self.reversed_minor >= self.amount_minor > 0

    def agrees_with(self, amount_minor: int, currency: str) -> bool:
        """Whether the provider speaks of the very amount that we asked for; if not, a person must look."""
        return self.amount_minor == amount_minor and self.currency == currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """It did not happen and will not under this order_id. `code` is the provider's raw code, `detail` its words."""

    order_id: str
    reason: Reason
    hint: Hint
    code: str = ""
    detail: str = ""
    reference: str = ""
    raw_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Ask later; never send again. Money may or may not have moved."""

    order_id: str
    why: Why
    code: str = ""
    detail: str = ""
    reference: str = ""
    raw_status: str = ""


Answer = Accepted | Declined | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The hosted page is ready: send the customer's browser to `url`. `reference` may be empty."""

    order_id: str
    url: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedOrder:
    """What the hosted page shows. `return_url` gets the browser back (its data proves nothing: ask `status`),
    `callback_url` the provider's signed notice. `lifetime_s`: seconds until an unpaid page expires."""

    order_id: str
    amount_minor: int
    currency: str
    description: str
    return_url: str
    callback_url: str
    language: str = "en"
    lifetime_s: int = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitOrder:
    order_id: str
    amount_minor: int
    currency: str
    description: str
    token: str = field(repr=False)
    callback_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutOrder:
    order_id: str
    amount_minor: int
    currency: str
    description: str
    token: str = field(repr=False)
    callback_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Gives back `amount_minor` of the order `order_id`. `refund_id` is our key of this very refund; an order may be
    refunded in parts under different ones."""

    order_id: str
    refund_id: str
    amount_minor: int
    currency: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundNotice:
    """A callback whose signature and merchant were verified. `event_id` is equal for repeated deliveries of one event.
    Notices arrive repeated and out of order: compare with `status`, never infer from the order of arrival."""

    provider: str
    event_id: str
    order_id: str
    kind: OrderKind | None  # None where the provider does not tell (LINK_CARD, PURCHASE, DEBIT look alike to some)
    answer: Answer


class CallbackRefused(Refusal):
    """A callback that is not provably the provider's (`why`: signature | merchant | unreadable | incomplete)."""

    code = "callback_refused"
    why: str


@runtime_checkable
class PaymentRail(Protocol):
    """One merchant account at one provider. Call it outside transactions only."""

    @property
    def provider(self) -> str: ...

    @property
    def merchant(self) -> str: ...

    def open_card_link(self, order: HostedOrder) -> Opened | Declined | Unknown:
        """A page where the customer links a card: `amount_minor` is held as a check of ownership (the customer tells
        the amount back to the provider) and released. The final answer comes by callback and `status`."""
        ...

    def open_checkout(self, order: HostedOrder) -> Opened | Declined | Unknown:
        """A page where the customer pays `amount_minor`. The final answer comes by callback and `status`."""
        ...

    def debit_card(self, order: DebitOrder) -> Answer:
        """Collects from a saved card without the customer present."""
        ...

    def payout_to_card(self, order: PayoutOrder) -> Answer:
        """Sends money to a saved card."""
        ...

    def status(self, *, order_id: str, kind: OrderKind) -> Answer:
        """What became of an order. The only way out of Unknown."""
        ...

    def refund(self, order: RefundOrder) -> Answer:
        """Gives money back, all or part. Accepted.amount_minor is the refunded amount."""
        ...

    def parse_callback(self, *, body: bytes, content_type: str) -> InboundNotice:
        """Verifies and reads a callback; raises CallbackRefused. Pure: no network, allowed inside a transaction."""
        ...

    def is_alive(self) -> bool:
        """Whether the provider answers at all (for `usance doctor`)."""
        ...


FINAL_WHEN_NOT_FOUND_AFTER = timedelta(minutes=5)


def settle(answer: Answer, *, sent_at: datetime, at: datetime) -> Answer:
    """A provider that still knows no such order long after our request cannot accept it any more (requests are cut
    off after half a minute): then "not found" is a final no. Before that it stays Unknown."""
    if not isinstance(answer, Unknown) or answer.why is not Why.NOT_FOUND or at - sent_at < FINAL_WHEN_NOT_FOUND_AFTER:
        return answer
    return Declined(
        order_id=answer.order_id,
        reason=Reason.NEVER_ARRIVED,
        hint=Hint.RETRY_LATER,
        code=answer.code,
        detail=answer.detail,
        raw_status=answer.raw_status,
    )


def without_personal_data(answer: Answer) -> Answer:
    """The answer for logs and audit: the token and the holder's name left out."""
    if isinstance(answer, Accepted):
        return replace(answer, card=replace(answer.card, token=None, holder_name=""))
    return answer


def aware_utc(at: datetime) -> datetime:
    """The instant in UTC; a naive time is a defect."""
    if at.tzinfo is None:
        raise ValueError("a naive time")
    return at.astimezone(UTC)
