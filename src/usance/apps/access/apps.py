from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "usance.apps.access"
    label = "access"
