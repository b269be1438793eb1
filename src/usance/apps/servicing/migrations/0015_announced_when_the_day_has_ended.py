from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("servicing", "0014_the_close_says_more")]

    operations = [
        migrations.AddField(
            "closechunk",
            "jobs",
            models.JSONField(default=dict, help_text="name -> loans for which it is named when the day has ended"),
        )
    ]
