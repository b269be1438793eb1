"""A migration of its own: the references of the new table are made at the end of the one before, and while rows go in they
must be checked without row-level security."""

from django.db import migrations

from usance.apps.servicing.migrations._sql import EARNING_OF_LOANS


class Migration(migrations.Migration):
    dependencies = [("servicing", "0006_quiet_days")]

    operations = [migrations.RunSQL(EARNING_OF_LOANS, reverse_sql=migrations.RunSQL.noop)]
