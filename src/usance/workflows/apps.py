from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """No tables: an app so that Django finds the management commands."""

    name = "usance.workflows"
    label = "workflows"
