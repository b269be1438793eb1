from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "usance.apps.desk"
    label = "desk"
