"""Making, changing and publishing product configurations. What is published is lawful and was seen by two people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from importlib import resources
from typing import Any
from uuid import UUID

from django.db.models import Max, Q

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import tenancy
from usance.apps.products import caps, selectors, template
from usance.apps.products.models import DRAFT, PROPOSED, PUBLISHED, RETIRED, Product, ProductVersion
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, Actor

APPROVAL = "product.publish"


class VersionNotDraft(Refusal):
    """Only a draft may be changed; this version was proposed or published."""

    code = "product_version_not_draft"
    number: int


class VersionStartsTooEarly(Refusal):
    """A version is valid from the business date on, never from a day before it."""

    code = "product_version_starts_too_early"
    starts_on: date
    earliest_on: date


class VersionStartsThatDay(Refusal):
    """Another version of the product starts on the same day."""

    code = "product_version_starts_that_day"
    starts_on: date
    number: int


class KindDiffers(Refusal):
    """The configuration is for another kind of loan than the product: for one payment instead of instalments, or the
    other way round. How instalments are made up is each version's own."""

    code = "product_kind_differs"
    kind: str
    product_kind: str


def create_product(
    *,
    code: str,
    kind: str,
    names: Mapping[str, str],
    summaries: Mapping[str, str] | None = None,
    position: int = 0,
    actor: Actor,
) -> Product:
    """A product without any version yet, so nobody sees it."""
    product = Product.objects.create(
        code=code, kind=kind, names=dict(names), summaries=dict(summaries or {}), position=position
    )
    audit.record(action="product.created", subject=product, actor=actor, details={"code": code, "kind": kind})
    return product


def draft_version(
    *, product_id: UUID, config: Mapping[str, Any], note: str = "", actor: Actor, made_by: UUID | None = None
) -> ProductVersion:
    """A new draft. Raises ConfigNotValid, KindDiffers."""
    product = Product.objects.select_for_update().get(pk=product_id)
    checked = _checked(product, config)
    last = ProductVersion.objects.filter(product=product).aggregate(last=Max("number"))["last"] or 0
    row = ProductVersion.objects.create(
        product=product,
        number=last + 1,
        config=checked,
        config_hash=audit.content_hash(checked),
        note=note,
        made_by=made_by,
    )
    audit.record(action="product.drafted", subject=row, actor=actor, details={"number": row.number})
    return row


def _checked(product: Product, config: Mapping[str, Any]) -> dict[str, Any]:
    read = template.read(config)
    if read.kind != product.kind and not {read.kind, product.kind} <= set(template.INSTALMENT_KINDS):
        raise KindDiffers(kind=read.kind, product_kind=product.kind)
    return read.to_json()


def change_draft(*, version_id: UUID, config: Mapping[str, Any], note: str = "", actor: Actor) -> ProductVersion:
    """Replaces a draft's configuration. Raises VersionNotDraft, ConfigNotValid, KindDiffers."""
    row = _draft(version_id)
    row.config = _checked(row.product, config)
    row.config_hash = audit.content_hash(row.config)
    row.note = note
    row.save(update_fields=["config", "config_hash", "note"])
    audit.record(action="product.draft_changed", subject=row, actor=actor, digest=row.config_hash)
    return row


def discard_draft(*, version_id: UUID, actor: Actor) -> None:
    """A draft that nobody wants. Raises VersionNotDraft."""
    row = _draft(version_id)
    audit.record(action="product.draft_discarded", subject=row, actor=actor, details={"number": row.number})
    row.delete()


def _draft(version_id: UUID) -> ProductVersion:
    """The row, locked. A proposal that was rejected, withdrawn or let expire is a draft again."""
    row = ProductVersion.objects.select_for_update().get(pk=version_id)
    if row.state == PROPOSED and desk_view.open_approval(APPROVAL, str(row.pk)) is None:
        row.state = DRAFT
        row.save(update_fields=["state"])
    if row.state != DRAFT:
        raise VersionNotDraft(number=row.number)
    return row


def propose(*, version_id: UUID, starts_on: date, maker: access.User, at: datetime, reason: str = "") -> Any:
    """Asks a second person to publish a draft from a date on; gives the desk's Approval. `at`: business moment.

    Raises VersionNotDraft, VersionStartsTooEarly, PriceOverCap.
    """
    row = _draft(version_id)
    today = tenancy.current().business_date
    if starts_on < today:
        raise VersionStartsTooEarly(starts_on=starts_on, earliest_on=today)
    _check_lawful(row, starts_on)
    row.state = PROPOSED
    row.save(update_fields=["state"])
    before = selectors.published_before(row, starts_on)
    return desk.propose(
        kind=APPROVAL,
        subject=row,
        reference=f"{row.product.code} {row.number}",
        before=before.config if before else {},
        after={**row.config, "starts_on": starts_on.isoformat()},
        maker=maker,
        at=at,
        reason=reason,
    )


def _check_lawful(row: ProductVersion, on: date) -> None:
    found = caps.breaches_of_config(config=selectors.config_of(row), on=on)
    if found:
        raise found[0]


def apply_approval(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """What the desk does when a second person agrees (registered for the kind APPROVAL)."""
    asked = date.fromisoformat(after["starts_on"])
    publish(version_id=UUID(subject_id), starts_on=max(asked, tenancy.current().business_date), actor=actor)


def publish(*, version_id: UUID, starts_on: date, actor: Actor) -> ProductVersion:
    """Puts a version in force from a date on; the one before it ends there. What was submitted or lent under the old
    one keeps it. Raises VersionStartsTooEarly, VersionStartsThatDay, PriceOverCap."""
    row = ProductVersion.objects.select_for_update().select_related("product").get(pk=version_id)
    Product.objects.select_for_update().get(pk=row.product_id)
    today = tenancy.current().business_date
    if row.state not in (DRAFT, PROPOSED):
        raise VersionNotDraft(number=row.number)
    if starts_on < today:
        raise VersionStartsTooEarly(starts_on=starts_on, earliest_on=today)
    _check_lawful(row, starts_on)
    row.state, row.starts_on = PUBLISHED, starts_on
    row.ends_on = _make_room(row, starts_on)
    row.published_by = UUID(actor.id) if actor.is_staff else None
    row.save(update_fields=["state", "starts_on", "ends_on", "published_by"])
    audit.record(
        action="product.published",
        subject=row,
        actor=actor,
        details={"number": row.number, "starts_on": starts_on.isoformat()},
        digest=row.config_hash,
    )
    return row


def _make_room(row: ProductVersion, starts_on: date) -> date | None:
    """Ends the version in force on `starts_on` there; gives the day on which the next one starts, if one is planned."""
    others = ProductVersion.objects.filter(product_id=row.product_id, state=PUBLISHED).exclude(pk=row.pk)
    same = others.filter(starts_on=starts_on).first()
    if same is not None:
        raise VersionStartsThatDay(starts_on=starts_on, number=same.number)
    others.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=starts_on), starts_on__lt=starts_on).update(ends_on=starts_on)
    later = others.filter(starts_on__gt=starts_on).order_by("starts_on").first()
    return later.starts_on if later else None


def retire(*, product_id: UUID, from_on: date, actor: Actor) -> None:
    """Nobody may ask for the product from a date on; versions planned for later never begin."""
    Product.objects.select_for_update().get(pk=product_id)
    today = tenancy.current().business_date
    if from_on < today:
        raise VersionStartsTooEarly(starts_on=from_on, earliest_on=today)
    rows = ProductVersion.objects.filter(product_id=product_id, state=PUBLISHED)
    rows.filter(starts_on__gte=from_on).update(state=RETIRED)
    rows.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=from_on), starts_on__lt=from_on).update(ends_on=from_on)
    audit.record(
        action="product.retired",
        subject=("products.product", product_id),
        actor=actor,
        details={"from_on": from_on.isoformat()},
    )


def found_demo_products(*, on: date, actor: Actor = SYSTEM) -> list[ProductVersion]:
    """The products that a demo institution starts with, by its currency. Products that exist already are left alone."""
    file = resources.files(__package__) / "data" / f"demo_{tenancy.current().currency.lower()}.json"
    made = []
    for item in json.loads(file.read_text(encoding="utf-8")):
        if Product.objects.filter(code=item["code"]).exists():
            continue
        product = create_product(
            code=item["code"],
            kind=item["config"]["kind"],
            names=item["names"],
            summaries=item["summaries"],
            position=item["position"],
            actor=actor,
        )
        draft = draft_version(product_id=product.pk, config=item["config"], note=item.get("note", ""), actor=actor)
        made.append(publish(version_id=draft.pk, starts_on=on, actor=actor))
    return made
