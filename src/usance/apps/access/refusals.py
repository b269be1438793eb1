"""What this app may refuse, each with its reason."""

from __future__ import annotations

from usance.core.refusals import Refusal


class SignInRefused(Refusal):
    """Unknown e-mail address, wrong password or inactive person: which one is not told."""

    code = "sign_in_refused"


class TooManyAttempts(Refusal):
    """Wait: `minutes` until the next try counts."""

    code = "too_many_attempts"
    minutes: int


class CodeRefused(Refusal):
    """The one-time or recovery code is wrong, too old, or was used before."""

    code = "code_refused"


class PasskeyRefused(Refusal):
    """What the browser sent is not the answer of a passkey that is known here: which part is wrong is not told."""

    code = "passkey_refused"


class PasskeyExpired(Refusal):
    """The challenge was answered before, is too old, or was never asked for in this browser."""

    code = "passkey_expired"


class PasskeySuspended(Refusal):
    """The passkey's counter went back, as a copy's would: it opens nothing any more."""

    code = "passkey_suspended"


class PasskeyKnown(Refusal):
    """This passkey is registered already."""

    code = "passkey_known"


class LastFactor(Refusal):
    """It is the only second factor that the person has."""

    code = "last_factor"


class PasswordTooShort(Refusal):
    code = "password_too_short"
    least: int


class PasswordTooCommon(Refusal):
    """It is on the list of common passwords, says who the person is, or is one sign repeated."""

    code = "password_too_common"


class InvitationExpired(Refusal):
    """The link was used, replaced, or is too old."""

    code = "invitation_expired"


class EmailTaken(Refusal):
    code = "email_taken"


class UnknownRole(Refusal):
    code = "unknown_role"
    role: str


class UnknownPermission(Refusal):
    code = "unknown_permission"
    permission: str


class UnknownUnit(Refusal):
    code = "unknown_unit"
    path: str


class RolesMayNotMeet(Refusal):
    """One person would hold both hands of a maker-checker pair."""

    code = "roles_may_not_meet"
    first: str
    second: str


class OwnRights(Refusal):
    """Nobody changes the own rights, confirms them, or resets or deactivates themselves."""

    code = "own_rights"


class LastAdministrator(Refusal):
    """Fewer than two people could confirm rights afterwards, so nobody could ever be given rights again."""

    code = "last_administrator"
