from django.db import migrations

from usance.apps.institutions.models import institution_key


def without_index(model: str) -> migrations.AlterField:
    """Other indexes of the table begin with the institution, too."""
    return migrations.AlterField(model, "institution", institution_key(db_index=False))


class Migration(migrations.Migration):
    dependencies = [("institutions", "0002_items_handed_out"), ("ledger", "0002_line_tally")]

    operations = [without_index("journalentry")]
