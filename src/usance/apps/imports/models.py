"""Portfolios from other systems: the files that were handed in, and what became of each thing in them."""

from __future__ import annotations

from django.db import models

from usance.apps.institutions.models import TenantForeignKey, TenantModel

CHECKING, BAD, CHECKED, TAKING, TAKEN, STOPPED = ("checking", "bad", "checked", "taking", "taken", "stopped")
STATES = [(state, state) for state in (CHECKING, BAD, CHECKED, TAKING, TAKEN, STOPPED)]
FILE_KINDS = ("customers", "loans", "schedule", "events")
CUSTOMER, LOAN = "customer", "loan"


class Import(TenantModel):
    """One portfolio. `summary` holds counts and sums; `problems` and `differences` are plain JSON, the first so many of
    `problem_count` and `difference_count`; none of it identifies anybody."""

    state = models.CharField(max_length=10, choices=STATES, default=CHECKING)
    asked_by = models.CharField(max_length=60, help_text="a member of staff's id, or the command")
    digest = models.CharField(max_length=64, help_text="over the files")
    line_count = models.IntegerField(default=0)
    done_count = models.IntegerField(default=0, help_text="so many loans are checked")
    total_count = models.IntegerField(default=0, help_text="loans to check")
    checked_on = models.DateField(null=True, help_text="the business date of the check")
    summary = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    problem_count = models.IntegerField(default=0)
    differences = models.JSONField(default=list)
    difference_count = models.IntegerField(default=0)
    taken_at = models.DateTimeField(null=True)
    taken_on = models.DateField(null=True, help_text="the business date on which the books took it in")

    class Meta:
        indexes = [models.Index(fields=["institution", "-recorded_at", "-id"], name="import_newest")]


class ImportFile(TenantModel):
    """One file as it was handed in, sealed under the institution's shared key; emptied when it is no longer needed."""

    of = TenantForeignKey(Import, related_name="files", db_index=False)
    name = models.CharField(max_length=120)
    sealed = models.BinaryField()
    size = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "of", "name", name="importfile_name_once")]


class Imported(TenantModel):
    """Something that came in: by the keyed hash of its name in the other system, so that it never comes in twice;
    `content` is the keyed hash of all that was said of it."""

    append_only = True

    of = TenantForeignKey(Import, related_name="imported", db_index=False)
    kind = models.CharField(max_length=8, choices=[(CUSTOMER, CUSTOMER), (LOAN, LOAN)])
    external = models.BinaryField(max_length=32)
    content = models.BinaryField(max_length=32)
    subject_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "kind", "external", name="imported_once")]
        indexes = [models.Index("institution", "of", "kind", "id", name="imported_of_import")]
