from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "usance.apps.ledger"
    label = "ledger"
