"""A line may pass a morning on which nothing but a bill comes, and have a penalty that begins later."""

from django.db import migrations, models

from usance.apps.servicing.migrations._sql import movement_lines

SINCE = ("penalty_since", models.IntegerField(default=0))
NAMES = "earning", "earned"


class Migration(migrations.Migration):
    dependencies = [("servicing", "0010_next_due_is_foretold")]

    operations = [
        *(migrations.AddField(name, *SINCE) for name in NAMES),
        migrations.AddField(
            "earning",
            "due_on",
            models.DateField(null=True, help_text="an instalment falls due on that morning, before the loan is folded"),
        ),
        migrations.AddField(
            "earning",
            "due_minor",
            models.BigIntegerField(default=0, help_text="what is payable from then on, beside what was"),
        ),
        migrations.RunSQL(movement_lines(penalty_waits=True), reverse_sql=movement_lines(penalty_waits=False)),
    ]
