from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "usance.apps.imports"
    label = "imports"
