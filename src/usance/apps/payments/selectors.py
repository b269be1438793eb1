"""Reading cards and instructions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments.models import Card, InboundNotice, Instruction

OPEN = tuple(Instruction.OPEN)
FORGOTTEN_AFTER = timedelta(minutes=5)
LOOK_BACK = timedelta(days=90)


def instruction(instruction_id: UUID) -> Instruction:
    return Instruction.objects.select_related("card", "refunds").get(pk=instruction_id)


def instruction_of(*, instruction_id: UUID, party_id: UUID) -> Instruction | None:
    """A borrower's own instruction, or nothing."""
    return Instruction.objects.select_related("card").filter(pk=instruction_id, party_id=party_id).first()


def by_order(order_id: str) -> Instruction | None:
    return Instruction.objects.filter(order_id=order_id).first()


def by_key(key: str) -> Instruction | None:
    return Instruction.objects.filter(key=key).first()


def for_subject(subject_id: UUID) -> QuerySet[Instruction]:
    """All instructions about a loan or an application, newest first."""
    return Instruction.objects.select_related("card").filter(subject_id=subject_id).order_by("-given_at", "-id")


def instructions(*, kind: str = "", state: str = "") -> QuerySet[Instruction]:
    """The register, newest first; narrow by kind and state (`open`: any that is under way)."""
    found = Instruction.objects.select_related("card").order_by("-given_at", "-id")
    if kind:
        found = found.filter(kind=kind)
    if state == "open":
        return found.filter(state__in=OPEN)
    return found.filter(state=state) if state else found


def counts_by_state() -> list[tuple[str, str, int, int]]:
    """(kind, state, number, total in minor units)."""
    rows = Instruction.objects.values("kind", "state").annotate(number=Count("id"), total=Sum("amount_minor"))
    return [(r["kind"], r["state"], r["number"], r["total"]) for r in rows.order_by("kind", "state")]


def has_open(*, subject_id: UUID, kinds: tuple[str, ...]) -> bool:
    """Whether money for this subject is on its way already."""
    return Instruction.objects.filter(subject_id=subject_id, kind__in=kinds, state__in=OPEN).exists()


def value_date(found: Instruction) -> date:
    """The business day of the payment itself: by the rail's own time, never after the business date."""
    institution = tenancy.current()
    if found.value_at is None:
        return institution.business_date
    return min(institutions.local_date(institution, found.value_at, ahead_days=0), institution.business_date)


def cards_of(party_id: UUID) -> QuerySet[Card]:
    """A person's cards that can be used, the newest first."""
    return Card.objects.filter(party_id=party_id, state=Card.State.ACTIVE).order_by("-linked_at", "-id")


def card_of(*, card_id: UUID, party_id: UUID) -> Card | None:
    return Card.objects.filter(pk=card_id, party_id=party_id).first()


def others_with_card(*, card_id: UUID) -> int:
    """How many other people linked the very same card."""
    card = Card.objects.get(pk=card_id)
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
    """Open instructions that nobody has looked at for minutes."""
    stale = Q(sent_at__isnull=True, given_at__lt=at - FORGOTTEN_AFTER) | Q(sent_at__lt=at - FORGOTTEN_AFTER)
    return Instruction.objects.filter(stale, state__in=OPEN, given_at__gt=at - LOOK_BACK).order_by("given_at")[:500]


def callback_url(institution_id: UUID, provider: str) -> str:
    """Where a rail tells us what happened: by the institution's id, so that it works behind any host name."""
    return f"{settings.USANCE_CALLBACK_URL}/callbacks/{provider}/{institution_id}/"
