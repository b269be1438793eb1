from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "usance.apps.messaging"
    label = "messaging"
