"""What is offered: a product, and the versions of its configuration, each valid from a date."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from usance.apps.institutions.models import TenantForeignKey, TenantModel

DRAFT, PROPOSED, PUBLISHED, RETIRED = "draft", "proposed", "published", "retired"
STATES = [(state, state) for state in (DRAFT, PROPOSED, PUBLISHED, RETIRED)]
KINDS = [("single_payment", "single_payment"), ("equal_instalments", "equal_instalments")]


class Product(TenantModel):
    """A kind of loan that people know by a name. `names` and `summaries`: language -> text."""

    code = models.SlugField(max_length=40)
    kind = models.CharField(max_length=30, choices=KINDS)
    names = models.JSONField()
    summaries = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=0, help_text="order on the borrower's pages")

    class Meta:
        constraints = [models.UniqueConstraint("institution", "code", name="product_code_once")]

    def __str__(self) -> str:
        return self.code

    def name(self, language: str) -> str:
        """The name in a language; else in English, else in the first that there is."""
        return str(self.names.get(language) or self.names.get("en") or next(iter(self.names.values())))

    def summary(self, language: str) -> str:
        return str(self.summaries.get(language) or self.summaries.get("en") or "")


class ProductVersion(TenantModel):
    """A full configuration (`template.Config` as JSON). Once proposed it no longer changes; once published it rules the
    requests of [starts_on, ends_on), and what was submitted under it keeps it for ever."""

    product = TenantForeignKey("products.Product", related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=STATES, default=DRAFT)
    config = models.JSONField(encoder=DjangoJSONEncoder)
    config_hash = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    made_by = models.UUIDField(null=True, help_text="the member of staff who drafted it")
    published_by = models.UUIDField(null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "product", "number", name="productversion_number_once"),
            models.UniqueConstraint(
                "institution", "product", "starts_on", condition=Q(state=PUBLISHED), name="productversion_one_a_day"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[PUBLISHED]) | Q(starts_on__isnull=False), name="productversion_published_from"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} v{self.number}"
