from django.apps import AppConfig


class DecisioningConfig(AppConfig):
    name = "usance.apps.decisioning"
    label = "decisioning"
