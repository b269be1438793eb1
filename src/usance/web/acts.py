"""What the audit trail's acts are called in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "personal.viewed": _("Personal data was looked at"),
    "access.hired": _("Taken on"),
    "access.invited": _("Invitation link made"),
    "access.person_changed": _("Details changed"),
    "access.role_granted": _("Role given"),
    "access.role_revoked": _("Role taken away"),
    "access.role_created": _("Role made"),
    "access.role_changed": _("Role changed"),
    "access.deactivated": _("Deactivated"),
    "access.reactivated": _("Activated again"),
    "access.reset": _("Sign-in reset"),
    "access.factor_enrolled": _("Authenticator app linked"),
    "access.recovery_codes_made": _("Recovery codes made"),
    "access.recovery_code_used": _("Recovery code used"),
    "access.password_set": _("Password set"),
    "access.password_changed": _("Password changed"),
    "access.password_refused": _("Wrong password"),
    "access.code_refused": _("Wrong code"),
    "access.signed_in": _("Signed in"),
    "access.session_ended": _("Session ended"),
    "desk.proposed": _("Change proposed"),
    "desk.approved": _("Change approved"),
    "desk.rejected": _("Change rejected"),
    "desk.withdrawn": _("Proposal withdrawn"),
    "desk.expired": _("Proposal ran out"),
}


def words(action: str) -> str:
    """The act in the active language; its code where nobody has put it into words."""
    return str(WORDS.get(action, action))
