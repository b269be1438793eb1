from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "usance.apps.agreements"
    label = "agreements"
