"""Staff of an institution: who may sign in, and the sessions of everyone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now

from usance.apps.institutions import tenancy
from usance.apps.institutions.models import TenantModel, new_id


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A member of staff. What they may do follows from their roles, never from a flag here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    institution = models.ForeignKey(
        "institutions.Institution", models.PROTECT, default=tenancy.id_or_none, editable=False, related_name="+"
    )
    email = models.EmailField()
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "email", name="user_email_once")]

    def __str__(self) -> str:
        return self.name


class Session(AbstractBaseSession):
    """A visit of anyone to one institution's site: it is not valid on another's."""

    institution = models.ForeignKey(
        "institutions.Institution", models.CASCADE, default=tenancy.id_or_none, editable=False, related_name="+"
    )

    @classmethod
    def get_session_store_class(cls) -> Any:
        from usance.apps.access.sessions import SessionStore

        return SessionStore
