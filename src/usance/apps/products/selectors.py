"""What is offered on a date, and the versions of a product."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from usance.apps.products import calculator, template
from usance.apps.products.models import PUBLISHED, Product, ProductVersion
from usance.core.refusals import Refusal


class ProductNotOffered(Refusal):
    """No version of this product is in force on the date."""

    code = "product_not_offered"
    product: str


class Offered(NamedTuple):
    """A product as it is on offer."""

    product: Product
    version: ProductVersion
    config: template.Config


class Change(NamedTuple):
    """One place in which two configurations differ; None where one of them has nothing there."""

    path: str
    before: Any
    after: Any


def _in_force(on: date) -> Q:
    return Q(state=PUBLISHED, starts_on__lte=on) & (Q(ends_on__isnull=True) | Q(ends_on__gt=on))


def products_offered(*, on: date) -> list[Offered]:
    """Every product with a version in force, in the order of the borrower's pages."""
    rows = ProductVersion.objects.filter(_in_force(on)).select_related("product").order_by("product__position", "id")
    return [Offered(row.product, row, config_of(row)) for row in rows]


def version_in_force(*, product_code: str, on: date) -> ProductVersion:
    """The version that rules new requests on a date. Raises ProductNotOffered."""
    row = ProductVersion.objects.filter(_in_force(on), product__code=product_code).select_related("product").first()
    if row is None:
        raise ProductNotOffered(product=product_code)
    return row


def version(*, version_id: UUID) -> ProductVersion:
    return ProductVersion.objects.select_related("product").get(pk=version_id)


def versions_of(*, product_id: UUID) -> QuerySet[ProductVersion]:
    return ProductVersion.objects.filter(product_id=product_id).select_related("product").order_by("-number")


def all_versions() -> QuerySet[ProductVersion]:
    """Every version of every product, the newest of each product first."""
    return ProductVersion.objects.select_related("product").order_by("product_id", "-number")


def product(*, product_id: UUID) -> Product:
    return Product.objects.get(pk=product_id)


def products() -> QuerySet[Product]:
    return Product.objects.order_by("position", "id")


def config_of(row: ProductVersion) -> template.Config:
    return template.read(row.config)


def published_before(row: ProductVersion, on: date) -> ProductVersion | None:
    """The version of the same product that is in force on a date, and is not this one."""
    return ProductVersion.objects.filter(_in_force(on), product_id=row.product_id).exclude(pk=row.pk).first()


def difference(*, version_id: UUID, on: date) -> list[Change]:
    """What a version would change in what is in force on a date, place by place."""
    row = version(version_id=version_id)
    before = published_before(row, on)
    return changes(before.config if before else {}, row.config)


def changes(before: Any, after: Any) -> list[Change]:
    """The places in which two configurations differ, in order of their path."""
    old, new = dict(_places(before)), dict(_places(after))
    return [
        Change(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _places(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; an empty list or object is a leaf."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    children = [(str(name), item) for name, item in inside]
    if not children:
        yield path, data
    for name, item in children:
        yield from _places(item, f"{path}.{name}" if path else name)


def preview(*, version_id: UUID, on: date) -> dict[str, list[calculator.Quote]]:
    """What loans by this version would cost, by kind of customer: the smallest, the usual and the largest amount, each
    for the shortest, the usual and the longest term."""
    row = version(version_id=version_id)
    config = config_of(row)
    terms = sorted({config.term.min, config.term.default, config.term.max})
    return {
        customer_kind: [
            calculator.quote(version=row, amount_minor=amount, term=term, customer_kind=customer_kind, on=on)
            for amount in _amounts(config, customer_kind)
            for term in terms
        ]
        for customer_kind in template.CUSTOMER_KINDS
    }


def _amounts(config: template.Config, customer_kind: str) -> list[int]:
    top = config.max_amount(customer_kind)
    return sorted({config.amount.min_minor, min(config.amount.default_minor, top), top})
