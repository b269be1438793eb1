from django.apps import AppConfig


class ServicingConfig(AppConfig):
    name = "usance.apps.servicing"
    label = "servicing"
