from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "usance.apps.reporting"
    label = "reporting"
