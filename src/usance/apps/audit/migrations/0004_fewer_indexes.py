from django.db import migrations

from usance.apps.institutions.models import institution_key


class Migration(migrations.Migration):
    dependencies = [("institutions", "0002_items_handed_out"), ("audit", "0003_chain_search")]

    # other indexes of these tables begin with the institution, too
    operations = [
        migrations.AlterField(model, "institution", institution_key(db_index=False))
        for model in ("auditentry", "auditlink")
    ]
