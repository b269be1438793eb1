"""Reading cards and instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments.models import Card, InboundNotice, Instruction, InstructionTally, Receipt
from usance.ports.payment_rail import Accepted, Answer, Declined

OPEN = tuple(Instruction.OPEN)
ANSWERS_WITHIN = timedelta(minutes=1)  # a rail that is well says what became of an order before that
FORGOTTEN_AFTER = timedelta(minutes=5)  # a job that is so late was lost
LOOK_BACK = timedelta(days=90)
USABLE = Card.State.ACTIVE


def instruction(instruction_id: UUID) -> Instruction:
    return Instruction.objects.select_related("card", "refunds").get(pk=instruction_id)


def instruction_of(*, instruction_id: UUID, party_id: UUID) -> Instruction | None:
    """A borrower's own instruction, or nothing."""
    return Instruction.objects.select_related("card").filter(pk=instruction_id, party_id=party_id).first()


def by_order(order_id: str) -> Instruction | None:
    return Instruction.objects.filter(order_id=order_id).first()


def by_key(key: str) -> Instruction | None:
    return Instruction.objects.filter(key=key).first()


def given_since(*, party_id: UUID, kind: str, since: datetime) -> int:
    """How many orders of a kind a person gave since an instant."""
    return Instruction.objects.filter(party_id=party_id, kind=kind, given_at__gt=since).count()


def for_subject(subject_id: UUID) -> QuerySet[Instruction]:
    """All instructions about a loan or an application, newest first."""
    return Instruction.objects.select_related("card").filter(subject_id=subject_id).order_by("-given_at", "-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What somebody knows of a payment that they look for; what is empty is not known."""

    amount_minor: int | None = None
    on: date | None = None
    last4: str = ""
    reference: str = ""  # the rail's, ours, or the beginning of the order's id

    @property
    def is_empty(self) -> bool:
        return self == Search()


VIEWS: Mapping[str, Q] = {
    "open": Q(state__in=OPEN),
    "unknown": Q(state__in=[Instruction.State.UNKNOWN, Instruction.State.SENT]),
    "mismatch": Q(state=Instruction.State.MISMATCH),
    "failed": Q(state=Instruction.State.FAILED),
    "returned": Q(returned_minor__gt=0),
}


def instructions(
    *, kind: str = "", state: str = "", search: Search | None = None, within: Q | None = None
) -> QuerySet[Instruction]:
    """The register, newest first; narrow by kind, by one of VIEWS or a state, and by what is known. `within` is the
    reader's scope."""
    found = Instruction.objects.select_related("card").filter(within or Q()).order_by("-given_at", "-id")
    if kind:
        found = found.filter(kind=kind)
    if state:
        found = found.filter(VIEWS.get(state, Q(state=state)))
    return found.filter(_sought(search)) if search else found


def _sought(search: Search) -> Q:
    wanted = Q()
    if search.amount_minor is not None:
        wanted &= Q(amount_minor=search.amount_minor) | Q(details__told_minor=search.amount_minor)
    if search.on is not None:
        first, end = institutions.bounds_of_day(tenancy.current(), search.on)
        wanted &= Q(given_at__gte=first, given_at__lt=end) | Q(value_at__gte=first, value_at__lt=end)
    if search.last4:
        wanted &= Q(card__last4=search.last4)
    if search.reference:
        wanted &= Q(reference__iexact=search.reference) | Q(order_id__istartswith=search.reference)
    return wanted


def counts_by_view(*, within: Q | None = None) -> Mapping[str, int]:
    """How many instructions each of VIEWS shows."""
    sums = {name: Sum("count", filter=wanted) for name, wanted in VIEWS.items() if name != "returned"}
    counted = InstructionTally.objects.filter(within or Q()).aggregate(**sums, returned=Sum("returned_count"))
    return {name: int(count or 0) for name, count in counted.items()}


def counts_since(*, since: date, within: Q | None = None) -> list[tuple[str, str, int, int]]:
    """(kind, state, number, amount) of the instructions given from a business day on, and of every older one that is
    still open."""
    wanted = Q(on__gte=since) | Q(state__in=[*OPEN, Instruction.State.MISMATCH])
    found = InstructionTally.objects.filter(within or Q()).filter(wanted).values_list("kind", "state")
    rows = found.annotate(number=Sum("count"), amount=Sum("amount_minor")).filter(number__gt=0)
    return [(kind, state, int(number), int(amount)) for kind, state, number, amount in rows.order_by("kind", "state")]


def receipts(*, search: Search | None = None, within: Q | None = None) -> QuerySet[Receipt]:
    """Money that came outside the rails, newest first. A search by card finds none."""
    found = Receipt.objects.filter(within or Q()).order_by("-value_on", "-id")
    if search is None:
        return found
    wanted = Q(pk__in=[]) if search.last4 else Q()
    if search.amount_minor is not None:
        wanted &= Q(amount_minor=search.amount_minor)
    if search.on is not None:
        wanted &= Q(value_on=search.on)
    if search.reference:
        wanted &= Q(reference__iexact=search.reference)
    return found.filter(wanted)


def receipts_of(loan_id: UUID) -> QuerySet[Receipt]:
    return Receipt.objects.filter(loan_id=loan_id).order_by("-value_on", "-id")


def may_have_moved(*, subject_id: UUID, kind: str) -> bool:
    """Whether money of this kind must not be sent again."""
    return any(one.may_have_moved for one in Instruction.objects.filter(subject_id=subject_id, kind=kind))


def latest(*, subject_id: UUID, kind: str) -> Instruction | None:
    """The newest instruction of a kind about a loan."""
    return for_subject(subject_id).filter(kind=kind).first()


def refunds_of(instruction_id: UUID) -> QuerySet[Instruction]:
    return Instruction.objects.filter(refunds_id=instruction_id).order_by("-given_at", "-id")


def refundable_minor(found: Instruction) -> int:
    """What of a successful payment has not been sent or taken back."""
    incoming = (Instruction.Kind.CHECKOUT, Instruction.Kind.DEBIT)
    if found.state != Instruction.State.SUCCEEDED or found.kind not in incoming:
        return 0
    return found.booked_minor - found.returned_minor - refunded_minor(found.pk)


def refunded_minor(instruction_id: UUID) -> int:
    """What we sent back of a payment, or are sending back."""
    standing = refunds_of(instruction_id).exclude(state__in=[Instruction.State.FAILED, Instruction.State.CANCELLED])
    return int(standing.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"])


def notices_waiting(*, within: Q | None = None) -> QuerySet[InboundNotice]:
    """What rails told us that is not taken in yet, or names no order of ours, newest first. `within`: a scope over
    instructions; whoever does not reach all of them does not see notices about none."""
    found = InboundNotice.objects.filter(Q(processed_at__isnull=True) | Q(outcome="unknown_order"))
    if within:
        found = found.filter(order_id__in=Instruction.objects.filter(within).values("order_id"))
    return found.defer("body").order_by("-received_at", "-id")


def notices_of(order_id: str) -> QuerySet[InboundNotice]:
    """What the rail told us of one order, in the order in which it came."""
    return InboundNotice.objects.filter(order_id=order_id).defer("body").order_by("received_at", "id")


def counts_by_state() -> list[tuple[str, str, int, int]]:
    """(kind, state, number, total in minor units)."""
    rows = Instruction.objects.values("kind", "state").annotate(number=Count("id"), total=Sum("amount_minor"))
    return [(r["kind"], r["state"], r["number"], r["total"]) for r in rows.order_by("kind", "state")]


def settled_on(day: date) -> QuerySet[Instruction]:
    """Payments that came in, by the business day of the payment itself."""
    zone = ZoneInfo(tenancy.current().time_zone)
    begins = datetime.combine(day, time(), tzinfo=zone)
    return Instruction.objects.filter(
        kind__in=("checkout", "debit"),
        state="succeeded",
        returned_minor=0,
        value_at__gte=begins,
        value_at__lt=begins + timedelta(days=1),
    ).order_by("id")


def value_date(found: Instruction) -> date:
    """The business day of the payment itself: by the rail's own time, never after the business date."""
    institution = tenancy.current()
    if found.value_at is None:
        return institution.business_date
    return min(institutions.local_date(institution, found.value_at, ahead_days=0), institution.business_date)


def cards_of(party_id: UUID) -> QuerySet[Card]:
    """A person's cards that can be used, the newest first: not one whose last day is over."""
    return Card.objects.filter(usable_cards(), party_id=party_id).order_by("-linked_at", "-id")


def usable_cards() -> Q:
    today = tenancy.current().business_date
    return Q(state=Card.State.ACTIVE) & (Q(expires_on__isnull=True) | Q(expires_on__gte=today))


def is_used_by(*, card_id: UUID) -> bool:
    """Whether money is on its way by a card."""
    return Instruction.objects.filter(card_id=card_id, state__in=OPEN).exists()


def payable_cards(party_id: UUID, moment: datetime) -> list[Card]:
    """A person's cards to which money may go at a business moment, the newest first."""
    return [card for card in cards_of(party_id) if not card.waits(moment)]


def waiting_cards(party_id: UUID, moment: datetime) -> list[Card]:
    """A person's cards that can be used, but not yet for money to them; the one that comes first on top."""
    return sorted((card for card in cards_of(party_id) if card.waits(moment)), key=lambda card: str(card.payout_from))


def had_card_before(party_id: UUID, *, but_for: UUID) -> bool:
    """Whether money went to a card of this person, or a card was linked for another matter than `but_for`: then a new
    one is a change."""
    was_paid = Q(kind=Instruction.Kind.PAYOUT)
    was_linked = Q(kind=Instruction.Kind.CARD_LINK) & ~Q(subject_id=but_for)
    known = Instruction.objects.filter(party_id=party_id, state=Instruction.State.SUCCEEDED)
    return known.filter(was_paid | was_linked).exists()


def has_received(card: Card) -> bool:
    """Whether money of ours arrived on this very card."""
    return card.instructions.filter(kind=Instruction.Kind.PAYOUT, state=Instruction.State.SUCCEEDED).exists()


def card(card_id: UUID) -> Card | None:
    return Card.objects.filter(pk=card_id).first()


def card_of(*, card_id: UUID, party_id: UUID) -> Card | None:
    return Card.objects.filter(pk=card_id, party_id=party_id).first()


def others_with_card(*, card_id: UUID) -> int:
    """How many other people linked the very same card."""
    return others_with(Card.objects.get(pk=card_id))


def others_with(card: Card) -> int:
    others = Card.objects.filter(token_index=card.token_index).exclude(party_id=card.party_id)
    return others.values("party_id").distinct().count()


def others_with_cards_of(party_id: UUID) -> dict[UUID, list[UUID]]:
    """Each card of a person, with the other people who linked the very same one."""
    own = dict(Card.objects.filter(party_id=party_id).values_list("token_index", "pk"))
    found: dict[UUID, list[UUID]] = {card_id: [] for card_id in own.values()}
    same = Card.objects.filter(token_index__in=own).exclude(party_id=party_id).order_by("id")
    for mark, other in same.values_list("token_index", "party_id"):
        if other not in found[own[mark]]:
            found[own[mark]].append(other)
    return found


def all_cards_of(party_id: UUID) -> QuerySet[Card]:
    """Every card that a person ever linked, the newest first."""
    return Card.objects.filter(party_id=party_id).order_by("-linked_at", "-id")


def fingerprints_of(party_id: UUID) -> list[bytes]:
    """Blind indexes of a person's cards, for the blacklist."""
    return [
        bytes.fromhex(mark) for mark in Card.objects.filter(party_id=party_id).values_list("token_index", flat=True)
    ]


def notice(notice_id: UUID) -> InboundNotice:
    return InboundNotice.objects.select_for_update().get(pk=notice_id)


def forgotten(*, at: datetime) -> QuerySet[Instruction]:
    """Open instructions whose job was lost: not sent, or not asked about when they should have been; the longest
    waiting first."""
    late = at - FORGOTTEN_AFTER
    never_planned = Q(ask_at__isnull=True) & (Q(sent_at__isnull=True, given_at__lt=late) | Q(sent_at__lt=late))
    found = Instruction.objects.filter(never_planned | Q(ask_at__lt=late), state__in=OPEN, given_at__gt=at - LOOK_BACK)
    return found.order_by(Coalesce("ask_at", "sent_at", "given_at"), "id")[:500]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Orders of which the rail has not said what became of them: `since` the oldest left, `asks_at` the next question
    comes."""

    count: int
    since: datetime | None
    asks_at: datetime | None


def in_doubt(*, at: datetime, within: Q | None = None) -> QuerySet[Instruction]:
    """What is in doubt for longer than an answer takes, the oldest first: a rail that is down shows here first."""
    silent = VIEWS["unknown"] & Q(sent_at__lt=at - ANSWERS_WITHIN)
    return Instruction.objects.filter(within or Q(), silent).order_by("sent_at", "id")


def doubt(*, at: datetime, within: Q | None = None) -> Doubt:
    rows = in_doubt(at=at, within=within)
    return Doubt(**rows.aggregate(count=Count("id"), since=Min("sent_at"), asks_at=Min("ask_at")))


def is_news(found: Instruction, answer: Answer) -> bool:
    """Whether what a rail says unasked differs from what we know: then the rail is asked, since a notice is a reason
    to look, never a proof."""
    match answer:
        case Accepted():
            if found.state != Instruction.State.SUCCEEDED:
                return True
            may_return = found.kind not in (Instruction.Kind.CARD_LINK, Instruction.Kind.REFUND)
            return may_return and answer.reversed_minor - refunded_minor(found.pk) > found.returned_minor
        case Declined():
            return found.state != Instruction.State.FAILED
        case _:
            return found.is_open and found.state != Instruction.State.PENDING


def callback_url(institution_id: UUID, provider: str) -> str:
    """Where a rail tells us what happened: by the institution's id, so that it works behind any host name."""
    return f"{settings.USANCE_CALLBACK_URL}/callbacks/{provider}/{institution_id}/"
