"""What the next close will write, folded beforehand: a table that the server does not log, whose rows stay whole."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import usance.apps.institutions.models
import usance.apps.institutions.tenancy

NOT_LOGGED = """
ALTER TABLE servicing_prepared SET UNLOGGED;
ALTER TABLE servicing_prepared SET (toast_tuple_target = 8160);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("institutions", "0002_items_handed_out"),
        ("servicing", "0011_still_mornings"),
    ]

    operations = [
        migrations.CreateModel(
            name="Prepared",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=usance.apps.institutions.models.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("to_day", models.DateField(help_text="the morning to which the loan was carried")),
                (
                    "version",
                    models.CharField(help_text="of the rows of loan and Earning that it was made from", max_length=50),
                ),
                ("made_by", models.CharField(help_text="a digest of the engine and the rules", max_length=64)),
                ("loan", models.JSONField(help_text="the columns of its row")),
                ("earning", models.JSONField(null=True, help_text="those of its Earning; none: it earns no more")),
                ("told", models.TextField(help_text="movements, changes of status and class, jobs")),
                (
                    "institution",
                    models.ForeignKey(
                        default=usance.apps.institutions.tenancy.id_or_none,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="institutions.institution",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.RunSQL(NOT_LOGGED, reverse_sql=migrations.RunSQL.noop),
    ]
