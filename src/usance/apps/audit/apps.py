from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "usance.apps.audit"
    label = "audit"
