"""Why an order about a customer is refused. The sentences are in web/refusals.py."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from usance.core.refusals import Refusal


class PhoneNotValid(Refusal):
    """`why`: `format`, `foreign` (another country than the institution's), `not_mobile` (no SMS goes there)."""

    code = "phone_not_valid"
    why: Literal["format", "foreign", "not_mobile"]


class EmailNotValid(Refusal):
    code = "email_not_valid"


class PhoneOfSomeoneElse(Refusal):
    """Another customer has proved that this phone is theirs."""

    code = "phone_of_someone_else"


class PhoneIsYours(Refusal):
    """The number is the customer's own already."""

    code = "phone_is_yours"


class PhoneChangeWaits(Refusal):
    """Another number of the same customer waits until `counts_from`: that must be stopped first."""

    code = "phone_change_waits"
    counts_from: datetime


class PhoneNotYetYours(Refusal):
    """Who signs in with a new number has to wait until `counts_from`; until then the number before signs in."""

    code = "phone_not_yet_yours"
    counts_from: datetime


class ChangeOver(Refusal):
    """The change of a channel was looked into before, or nobody complained about it."""

    code = "change_over"


class PhoneInUse(Refusal):
    """The customer who has this phone still uses it, or something of theirs is under way: nobody else begins with it
    before a person has looked."""

    code = "phone_in_use"


class BirthDateNotPossible(Refusal):
    """Nobody alive was born on this day."""

    code = "birth_date_not_possible"


class IdentityOfSomebodyElse(Refusal):
    """The customer who borrowed under this phone has another identity number."""

    code = "identity_of_somebody_else"


class IdentityNumberNotValid(Refusal):
    """`why`: `format`, `check_digit`, `province`, `birth_date`, `sex` (the last two: it contradicts what was said)."""

    code = "identity_number_not_valid"
    why: Literal["format", "check_digit", "province", "birth_date", "sex"]


class ConsentMissing(Refusal):
    code = "consent_missing"
    purpose: str


class ConsentTextOutdated(Refusal):
    """The text that was shown is not the one in force: show the new one."""

    code = "consent_text_outdated"
    purpose: str


class CodeTooSoon(Refusal):
    """A code was just sent; the next one may be asked for in `seconds`."""

    code = "code_too_soon"
    seconds: int


class TooManyCodes(Refusal):
    """The limit of codes for this phone or this network address; free again after `minutes`."""

    code = "too_many_codes"
    minutes: int


class CodeWrong(Refusal):
    code = "code_wrong"
    left: int


class CodeExpired(Refusal):
    """Too old, used before, or replaced by a newer one."""

    code = "code_expired"


class CodeUsedUp(Refusal):
    """Too many wrong answers."""

    code = "code_used_up"


class CodeForSomethingElse(Refusal):
    """The code was sent for another document, amount or purpose."""

    code = "code_for_something_else"


class SecondFactWrong(Refusal):
    code = "second_fact_wrong"
    left: int


class SecondFactLocked(Refusal):
    """Too many wrong answers to the second question today."""

    code = "second_fact_locked"


class ProtectedAlready(Refusal):
    """The person has this very status already."""

    code = "protected_already"
    kind: str


class ProtectionOver(Refusal):
    """The status has ended, or was taken back as a mistake."""

    code = "protection_over"


class PersonProtected(Refusal):
    """A status of the person stops this."""

    code = "person_protected"
