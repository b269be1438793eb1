from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "usance.web"
    label = "web"
