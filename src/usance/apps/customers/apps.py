from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "usance.apps.customers"
    label = "customers"
