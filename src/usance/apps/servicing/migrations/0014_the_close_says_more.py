from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from usance.apps.institutions.models import institution_key


class Migration(migrations.Migration):
    dependencies = [("institutions", "0002_items_handed_out"), ("servicing", "0013_prepared_cut")]

    operations = [
        # other indexes of these tables begin with the institution, too; what is prepared is found by its loan
        *(
            migrations.AlterField(model, "institution", institution_key(db_index=False))
            for model in ("loan", "loanevent", "statuschange", "earning", "earned", "prepared")
        ),
        migrations.AddField(
            "closechunk", "to_fold", models.IntegerField(default=0, help_text="of these, as far as was known")
        ),
        migrations.RenameField("prepared", "told", "passed"),
        migrations.AlterField(
            "prepared", "passed", models.TextField(help_text="what follows of it, as JSON; see passing.py")
        ),
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    "ALTER TABLE servicing_preparedcut ALTER COLUMN folded TYPE integer[] "
                    "USING array_fill(0, ARRAY[cardinality(counts)])"
                )
            ],
            [migrations.AlterField("preparedcut", "folded", ArrayField(models.IntegerField()))],
        ),
    ]
