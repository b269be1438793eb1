"""Staff of an institution: who may sign in, what they may do, how they prove who they are, and the sessions of
everyone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext

from usance.apps.institutions import tenancy
from usance.apps.institutions.models import TenantForeignKey, TenantModel, new_id


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
    org_path = models.CharField(max_length=200, default="root")
    is_active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint("institution", Lower("email"), name="user_email_once")]

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


class Role(TenantModel):
    """A named set of permissions (`area.action`, the table is in permissions.py)."""

    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    permissions = ArrayField(models.CharField(max_length=60), default=list)
    offered = ArrayField(
        models.CharField(max_length=60), default=list, help_text="what the default role ever had: given once"
    )

    class Meta:
        constraints = [models.UniqueConstraint("institution", "code", name="role_code_once")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The name in the active language, as far as it is one of the default roles'; else as it was given."""
        return gettext(self.name)


class RoleGrant(TenantModel):
    """A role that a person holds, and how far it reaches: own rows, or all rows under `reach` (a path of units)."""

    SCOPES = [("own", "own"), ("team", "team"), ("branch", "branch"), ("institution", "institution")]

    user = TenantForeignKey(User, related_name="grants")
    role = TenantForeignKey(Role, related_name="grants")
    org_path = models.CharField(max_length=200, default="root", help_text="the unit the person holds it in")
    scope = models.CharField(max_length=12, choices=SCOPES, default="institution")
    reach = models.CharField(max_length=200, blank=True, help_text="worked out from unit and scope; empty for own")

    class Meta:
        constraints = [
            models.UniqueConstraint("institution", "user", "role", "org_path", "scope", name="rolegrant_once"),
            models.CheckConstraint(condition=Q(scope="own") | ~Q(reach=""), name="rolegrant_has_reach"),
        ]
        indexes = [models.Index("institution", "user", name="rolegrant_user")]


class SecondFactor(TenantModel):
    """A thing a person has: an authenticator app (`secret`, sealed under the key ring) or a passkey (`credential` and
    the fields after it). A factor counts once it is confirmed."""

    KINDS = [("totp", "totp"), ("webauthn", "webauthn")]

    user = TenantForeignKey(User, related_name="factors")
    kind = models.CharField(max_length=10, choices=KINDS, default="totp")
    name = models.CharField(max_length=60, blank=True)
    secret = models.BinaryField(null=True)
    data = models.JSONField(default=dict)
    last_step = models.BigIntegerField(default=0, help_text="time step of the last code taken: a code counts once")
    credential = models.CharField(max_length=1400, null=True, blank=True, help_text="a passkey's id, base64url")
    public_key = models.BinaryField(null=True)
    sign_count = models.BigIntegerField(default=0, db_default=0, help_text="the passkey's own counter, as last seen")
    host = models.CharField(max_length=253, blank=True, db_default="", help_text="the host name that it is bound to")
    suspended_at = models.DateTimeField(null=True, blank=True, help_text="its counter went back, as a copy's would")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "institution",
                "user",
                condition=Q(kind="totp", confirmed_at__isnull=False),
                name="secondfactor_totp_once",
            ),
            models.UniqueConstraint("institution", "credential", name="secondfactor_credential_once"),
            models.CheckConstraint(
                condition=~Q(kind="webauthn") | Q(credential__isnull=False, public_key__isnull=False),
                name="secondfactor_passkey_whole",
            ),
        ]


class PasskeyChallenge(TenantModel):
    """What a browser must sign with a passkey: for one purpose, one host name and, but for the sign-in of somebody
    not known yet, one person; good once, for minutes of real time."""

    PURPOSES = [("register", "register"), ("second", "second"), ("single", "single")]

    purpose = models.CharField(max_length=10, choices=PURPOSES)
    user = TenantForeignKey(User, null=True, related_name="+")
    host = models.CharField(max_length=253)
    challenge = models.BinaryField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index("institution", "expires_at", name="passkeychallenge_expires")]


class RecoveryCode(TenantModel):
    """One of the codes on paper: only its keyed hash, good once."""

    user = TenantForeignKey(User, related_name="recovery_codes")
    code_digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "user", "code_digest", name="recoverycode_once")]


class StaffSession(TenantModel):
    """A signed-in visit of a member of staff, so that they can see and end it from elsewhere."""

    user = TenantForeignKey(User, related_name="staff_sessions")
    session_key = models.CharField(max_length=40)
    device = models.CharField(max_length=120, blank=True)
    factor = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [
            models.Index("institution", "user", models.F("started_at").desc(), name="staffsession_user"),
            models.Index("institution", "session_key", name="staffsession_key"),
        ]


class Invitation(TenantModel):
    """A link by which a person sets a first or a new password: keyed hash of its token, one use, real time."""

    user = TenantForeignKey(User, related_name="invitations")
    token_digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("institution", "token_digest", name="invitation_token_once")]


class Attempts(TenantModel):
    """Failed tries of one kind from one source (a keyed hash: no address or name is kept), in the present window."""

    kind = models.CharField(max_length=30)
    source = models.CharField(max_length=64)
    failures = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("institution", "kind", "source", name="attempts_source_once")]
        indexes = [models.Index("institution", "window_ends_at", name="attempts_window")]
