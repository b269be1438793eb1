"""Signing in by e-mail and password within the institution whose site it is (row-level security sees to that)."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend


class InstitutionBackend(ModelBackend):
    """Permissions are asked of `access.selectors`, so Django's own permission tables stay unused."""

    def get_all_permissions(self, user_obj: object, obj: object = None) -> set[str]:
        return set()

    def has_perm(self, user_obj: object, perm: str, obj: object = None) -> bool:
        return False
