"""The next close, as it is prepared by day; `prepared` says what for."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from usance.apps.institutions.models import TenantModel, institution_key


class Prepared(TenantModel):
    """What the next close will write of a loan if nothing happens to it before. May be lost at any time; see
    prepared.py."""

    institution = institution_key(db_index=False)
    to_day = models.DateField(help_text="the morning to which the loan was carried")
    version = models.CharField(max_length=50, help_text="of the rows of loan and Earning that it was made from")
    made_by = models.CharField(max_length=64, help_text="a digest of the engine and the rules")
    loan = models.JSONField(help_text="the columns of its row")
    earning = models.JSONField(null=True, help_text="those of its Earning; none: it earns no more")
    passed = models.TextField(help_text="what follows of it, as JSON; see passing.py")


class PreparedCut(TenantModel):
    """How the next close will be cut into chunks, as the loans were then: where each begins, how many loans it has, and
    how many of them are to be folded."""

    business_date = models.DateField()
    starts = ArrayField(models.UUIDField())
    counts = ArrayField(models.IntegerField())
    folded = ArrayField(models.IntegerField())

    class Meta:
        constraints = [models.UniqueConstraint("institution", name="preparedcut_once")]
