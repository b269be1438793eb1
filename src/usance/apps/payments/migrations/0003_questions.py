from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_receipts")]

    operations = [
        migrations.AddField(
            model_name="instruction",
            name="ask_at",
            field=models.DateTimeField(blank=True, help_text="when the rail is to be asked next", null=True),
        ),
    ]
