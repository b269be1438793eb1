from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "usance.apps.payments"
    label = "payments"
