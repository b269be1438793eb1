"""A request for credit from its first page to the signature: answers, offers, reviews, and every change of state."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from usance.apps.customers import vault
from usance.apps.institutions import tallies
from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel
from usance.apps.origination.states import DRAFT, EXPIRED, TRANSITIONS, UNSIGNED, WITHDRAWN
from usance.core.loan.terms import Terms

STATES = [(state, state) for state in TRANSITIONS]
# what sealed values are bound to
ANSWER, NOTE, QUESTION = "origination_answer.sealed", "origination_review.note", "origination_application.question"
CUSTOMER_KINDS = [("first", "first"), ("returning", "returning")]
CHANNELS = [(channel, channel) for channel in ("web", "staff", "api", "simulation")]


def token_hash(token: str) -> str:
    """What is kept of a resume link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Application(OrgModel):
    """A request for credit. `terms` are frozen when it is submitted; `amount_minor` and `term` are what is asked for,
    changeable until then. `source`: referrer, campaign and affiliate click ids of the visit."""

    number = models.PositiveBigIntegerField()
    party = TenantForeignKey("customers.Party", related_name="+")
    product_version = TenantForeignKey("products.ProductVersion", related_name="+")
    state = models.CharField(max_length=10, choices=STATES, default=DRAFT)
    customer_kind = models.CharField(max_length=10, choices=CUSTOMER_KINDS)
    channel = models.CharField(max_length=12, choices=CHANNELS)
    language = models.CharField(max_length=10)
    amount_minor = models.BigIntegerField()
    term = models.PositiveIntegerField()
    terms = models.JSONField(null=True)
    terms_hash = models.CharField(max_length=64, blank=True)
    consents = models.JSONField(default=list, help_text="ids of the consents as they stood at submission")
    source = models.JSONField(default=dict)
    page = models.CharField(max_length=40, blank=True, help_text="the question page to go on with")
    resume_token_hash = models.CharField(max_length=64, blank=True)
    started_on = models.DateField()
    started_at = models.DateTimeField()
    submitted_on = models.DateField(null=True)
    submitted_at = models.DateTimeField(null=True)
    decided_on = models.DateField(null=True)
    decided_at = models.DateTimeField(null=True)
    expires_on = models.DateField(help_text="the draft, the wait for an answer, or the offer ends with this day")
    decision = TenantForeignKey("decisioning.Decision", related_name="+", null=True)
    reasons = ArrayField(models.CharField(max_length=60), default=list)
    question_sealed = models.BinaryField(null=True, help_text="what a reviewer asked the applicant for")

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "number", name="application_number_once"),
            models.UniqueConstraint(
                "institution",
                "resume_token_hash",
                condition=~Q(resume_token_hash=""),
                name="application_resume_token_once",
            ),
            models.UniqueConstraint(
                "institution", "party", condition=Q(state__in=sorted(UNSIGNED)), name="application_one_open"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="application_amount_positive"),
            models.CheckConstraint(
                condition=Q(state__in=[DRAFT, EXPIRED, WITHDRAWN]) | Q(terms__isnull=False),
                name="application_terms_frozen",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "state", "-number"], name="application_by_state"),
            models.Index(fields=["institution", "party", "-number"], name="application_of_party"),
            models.Index("institution", "started_on", name="application_by_day"),
            models.Index("institution", "amount_minor", "number", name="application_by_amount"),
            models.Index("institution", "submitted_at", "number", name="application_by_sending"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What people call it."""
        return f"A-{self.number:06d}"

    @property
    def product(self) -> Any:
        """The product asked for (products.Product)."""
        return self.product_version.product

    @property
    def currency(self) -> str:
        """Of the institution; terms carry it once they are frozen."""
        return str(self.institution.currency)

    @property
    def question(self) -> str:
        """What a reviewer asked the applicant for, opened."""
        if self.question_sealed is None:
            return ""
        return vault.unseal(bytes(self.question_sealed), party_id=self.party_id, field=QUESTION)

    def core_terms(self) -> Terms:
        """The terms that were frozen on submission."""
        assert self.terms is not None
        return Terms.from_json(self.terms)


class Answer(TenantModel):
    """One answer to one question, sealed under the applicant's key; the latest one counts."""

    append_only = True

    application = TenantForeignKey("origination.Application", related_name="answers")
    sequence = models.PositiveIntegerField()
    question = models.CharField(max_length=60)
    sealed = models.BinaryField()
    came_from = models.CharField(max_length=20, help_text="applicant, staff, import or customer (known before)")
    given_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "application", "sequence", name="answer_order")]


class Offer(OrgModel):
    """Terms that we commit to until a business date. `figures` is the quote that was shown with them."""

    OPEN, ACCEPTED, LAPSED, REPLACED, TAKEN_BACK = "open", "accepted", "expired", "replaced", "withdrawn"
    STATES = [(state, state) for state in (OPEN, ACCEPTED, LAPSED, REPLACED, TAKEN_BACK)]

    application = TenantForeignKey("origination.Application", related_name="offers")
    decision = TenantForeignKey("decisioning.Decision", related_name="+", null=True)
    state = models.CharField(max_length=10, choices=STATES, default=OPEN)
    amount_minor = models.BigIntegerField()
    term = models.PositiveIntegerField()
    terms = models.JSONField()
    terms_hash = models.CharField(max_length=64)
    figures = models.JSONField()
    made_on = models.DateField()
    made_at = models.DateTimeField()
    expires_on = models.DateField(help_text="the last day on which it may be accepted")
    accepted_on = models.DateField(null=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "institution", "application", condition=Q(state__in=["open", "accepted"]), name="offer_one_standing"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="offer_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.state}"

    def core_terms(self) -> Terms:
        """The terms offered, as if signed on the day of the offer, or on which it was accepted."""
        return Terms.from_json(self.terms)


class Review(OrgModel):
    """What a person decided about a referred application, with reasons, and how long they looked."""

    append_only = True
    OUTCOMES = [(outcome, outcome) for outcome in ("approve", "decline", "ask")]

    application = TenantForeignKey("origination.Application", related_name="reviews")
    reviewer_id = models.UUIDField()
    outcome = models.CharField(max_length=10, choices=OUTCOMES)
    reasons = ArrayField(models.CharField(max_length=60), default=list)
    amount_minor = models.BigIntegerField(null=True)
    note_sealed = models.BinaryField(null=True)
    opened_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    seconds = models.PositiveIntegerField(null=True, help_text="from opening the case to the decision")


class MoveTally(TenantModel):
    """How many changes into a state there were of a unit's applications on a business day, by kind of actor. Kept by
    the database; see institutions.tallies. An application's unit never changes."""

    org_path = models.CharField(max_length=200)
    on = models.DateField()
    to_state = models.CharField(max_length=12)
    actor_kind = models.CharField(max_length=10)
    count = models.BigIntegerField()

    rule = tallies.Rule(
        source="origination_transition",
        keys=("org_path", "on", "to_state", "actor_kind"),
        sums=("count",),
        rows='SELECT r.institution_id, a.org_path, r."on", r.to_state, r.actor_kind, 1 AS count FROM {rows} AS r '
        "JOIN origination_application AS a ON a.institution_id = r.institution_id AND a.id = r.application_id",
        joins=("origination_application",),
    )

    class Meta:
        indexes = [models.Index("institution", "on", name="movetally_on")]


class Transition(TenantModel):
    """One change of state of an application: when, and what kind of actor made it."""

    append_only = True

    application = TenantForeignKey("origination.Application", related_name="transitions")
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    on = models.DateField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=60, blank=True)
    reasons = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        indexes = [models.Index("institution", "application", "at", name="transition_of_application")]
