"""What we say to people: each message with its text, its way through the guard and the provider, and opt-outs."""

from __future__ import annotations

from django.db import models

from usance.apps.institutions.models import OrgModel, TenantForeignKey, TenantModel

SMS, EMAIL, PUSH = "sms", "email", "push"
HELD, QUEUED, REFUSED, SENDING = "held", "queued", "refused", "sending"
SENT, DELIVERED, FAILED, UNKNOWN = "sent", "delivered", "failed", "unknown"
STATES = [HELD, QUEUED, REFUSED, SENDING, SENT, DELIVERED, FAILED, UNKNOWN]
# what may follow what; a state without successors is final
TRANSITIONS: dict[str, frozenset[str]] = {
    HELD: frozenset({QUEUED, HELD, REFUSED}),
    QUEUED: frozenset({SENDING, HELD, REFUSED}),
    # a push may be seen before the push service's answer is written down
    SENDING: frozenset({SENT, DELIVERED, FAILED, UNKNOWN}),
    SENT: frozenset({DELIVERED, FAILED}),
    UNKNOWN: frozenset(),
    REFUSED: frozenset(),
    DELIVERED: frozenset(),
    FAILED: frozenset(),
}
# states in which a person was, will be, or may have been contacted: they count against the day's limit
COUNTED = [QUEUED, SENDING, SENT, DELIVERED, UNKNOWN]


class Message(OrgModel):
    """One SMS, e-mail or push. Address and text are sealed: under the party's key, or the shared key before there is
    one."""

    party = TenantForeignKey("customers.Party", null=True, related_name="+")
    channel = models.CharField(max_length=8, choices=[(SMS, "SMS"), (EMAIL, "e-mail"), (PUSH, "push")])
    template = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=10)
    purpose = models.CharField(max_length=12)
    key = models.CharField(max_length=160)
    subject_type = models.CharField(max_length=30, blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    sealed_to = models.BinaryField()
    sealed_subject = models.BinaryField(null=True)
    sealed_body = models.BinaryField()
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES])
    reason = models.CharField(max_length=60, blank=True, help_text="why held, refused, failed or unknown")
    moment = models.DateTimeField(help_text="business time at which the contact takes place, or took place")
    contact_on = models.DateField(help_text="the person's day that the contact counts for")
    held_until = models.DateTimeField(null=True, blank=True, help_text="business time of the next opening")
    good_until = models.DateField(null=True, blank=True, help_text="business date after which it would be untrue")
    useless_after = models.DateTimeField(
        null=True, blank=True, help_text="real time: a code that has expired is not sent"
    )
    provider = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=120, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["institution", "key"], name="message_key_once"),
            models.CheckConstraint(condition=models.Q(state__in=STATES), name="message_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state=HELD) | models.Q(held_until__isnull=False), name="message_held_until"
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "party", "contact_on"], name="message_party_day"),
            models.Index(fields=["institution", "subject_id", "-recorded_at"], name="message_subject"),
            models.Index(fields=["institution", "-recorded_at", "-id"], name="message_newest"),
            models.Index(fields=["institution", "state", "-recorded_at", "-id"], name="message_by_state"),
            models.Index(
                fields=["institution", "recorded_at"],
                name="message_unsettled",
                condition=models.Q(state__in=[HELD, QUEUED, SENDING, SENT]),
            ),
        ]


class OptOut(TenantModel):
    """A person does not want messages of this purpose on this channel; ended when they want them again."""

    party = TenantForeignKey("customers.Party", related_name="+")
    purpose = models.CharField(max_length=12)
    channel = models.CharField(max_length=8)
    since = models.DateTimeField()
    source = models.CharField(max_length=20)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "party", "purpose", "channel"],
                name="optout_one_in_force",
                condition=models.Q(ended_at__isnull=True),
            )
        ]
