from django.db import migrations

from usance.apps.institutions.models import institution_key


class Migration(migrations.Migration):
    dependencies = [("institutions", "0002_items_handed_out"), ("ledger", "0002_line_tally")]

    # other indexes of the table begin with the institution, too
    operations = [migrations.AlterField("journalentry", "institution", institution_key(db_index=False))]
