import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0002_passkeys")]

    operations = [
        migrations.AddField(
            model_name="role",
            name="offered",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60),
                default=list,
                help_text="what the default role ever had: given once",
                size=None,
            ),
        ),
    ]
