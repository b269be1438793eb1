from django.apps import AppConfig


class OriginationConfig(AppConfig):
    name = "usance.apps.origination"
    label = "origination"
