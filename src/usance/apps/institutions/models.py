"""The lender as a tenant: who it is, its units, its calendar, its country's rules, and what falls due when."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import uuid_utils.compat
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from usance.apps.institutions import tenancy


def new_id() -> UUID:
    """A version 7 UUID: unique without asking the database, ordered by time."""
    made: UUID = uuid_utils.compat.uuid7()
    return made


def weekdays() -> list[int]:
    """Monday to Friday, in ISO numbers."""
    return [1, 2, 3, 4, 5]


class TenantForeignKey(models.ForeignKey):
    """A reference that stays inside one institution: `guard.py` adds the constraint on (institution, id) pairs, which
    says more than Django's own, so Django's own is left out."""

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs


def institution_key(**more: Any) -> Any:
    """The reference to the institution of a row. Without an index of its own (`db_index=False`) where rows come by the
    thousand and others begin with it."""
    return models.ForeignKey(
        "institutions.Institution", models.PROTECT, default=tenancy.id_or_none, editable=False, related_name="+", **more
    )


class TenantModel(models.Model):
    """A row that belongs to an institution. `recorded_at` is the real time at which it was written."""

    append_only = False

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    institution = institution_key()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class OrgModel(TenantModel):
    """A business row: it hangs on a path of organisation units, which data scopes are decided on."""

    org_path = models.CharField(max_length=200, default="root", editable=False)

    class Meta:
        abstract = True


class Institution(models.Model):
    """A lender. `business_date` is the day it is living in; only the close moves it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    legal_name = models.CharField(max_length=200)
    registration_number = models.CharField(max_length=40)
    address = models.CharField(max_length=300)
    support_phone = models.CharField(max_length=20)
    support_email = models.EmailField()
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    currency_digits = models.PositiveSmallIntegerField()
    time_zone = models.CharField(max_length=60)
    languages = ArrayField(models.CharField(max_length=10))
    business_date = models.DateField()
    ahead_days = models.IntegerField(default=0, help_text="days that business time runs ahead of real time")
    licence = models.CharField(max_length=40, blank=True, help_text="what kind of lender the law sees, for its rules")
    desk_opens_at = models.TimeField(default="09:00")
    desk_closes_at = models.TimeField(default="18:00")
    desk_weekdays = ArrayField(models.PositiveSmallIntegerField(), default=weekdays)
    is_demo = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def language(self) -> str:
        """The language that people meet first."""
        return str(self.languages[0])


class Host(models.Model):
    """A host name that belongs to an institution: read before anyone is bound, so it holds nothing else."""

    host = models.CharField(primary_key=True, max_length=253)
    institution_id = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return self.host


class OrgUnit(TenantModel):
    """A branch or a team; `path` is its own code after those of the units above it, `root` at the top."""

    path = models.CharField(max_length=200)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=[("head", "head"), ("branch", "branch"), ("team", "team")])

    class Meta:
        constraints = [models.UniqueConstraint("institution", "path", name="orgunit_path_once")]

    def __str__(self) -> str:
        return self.name


class CalendarDay(TenantModel):
    """A day that differs from the weekday rule: a holiday, or a working Saturday."""

    day = models.DateField()
    is_working = models.BooleanField(default=False)
    name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "day", name="calendarday_once")]


class CountryRule(models.Model):
    """A rule of law as a dated row, the same for every institution of a country. The period is half-open."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    country = models.CharField(max_length=2)
    code = models.CharField(max_length=60)
    value = models.JSONField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=300)
    is_confirmed = models.BooleanField(default=False, help_text="a person has read the law itself")

    class Meta:
        constraints = [models.UniqueConstraint("country", "code", "starts_on", name="countryrule_once")]


class Command(TenantModel):
    """An order that must have one effect: its key, a hash of its inputs, and the first answer."""

    name = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    input_hash = models.CharField(max_length=64)
    answer = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "name", "key", name="command_key_once")]


ITEM_TASK = "close.do_item"  # the job that does a dated item


class DatedItem(OrgModel):
    """What falls due on a business date: the close sweeps it up when that date arrives, and its handler runs once."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=160)
    due_on = models.DateField()
    at_time = models.TimeField(default="10:00")
    subject_id = models.UUIDField()
    handed_out_at = models.DateTimeField(null=True, blank=True, help_text="since when a job is there to do it")
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "key", name="dateditem_key_once")]
        indexes = [
            models.Index(
                "institution", "due_on", "id", name="dateditem_waiting", condition=models.Q(done_at__isnull=True)
            )
        ]


class Counter(TenantModel):
    """The last number given out for a series, such as loan numbers; gaps are allowed, repeats are not."""

    series = models.CharField(max_length=30)
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "series", name="counter_series_once")]


class FailedJob(TenantModel):
    """A job that gave up after its last attempt: why, and whether a person had it run again."""

    task = models.CharField(max_length=80)
    arguments = models.JSONField()
    reason = models.CharField(max_length=300)
    run_again_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["institution", "-recorded_at"], name="failedjob_newest")]
