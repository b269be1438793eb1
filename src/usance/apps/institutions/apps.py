from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    name = "usance.apps.institutions"
    label = "institutions"
