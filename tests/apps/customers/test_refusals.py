"""Whatever is refused here has its sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from usance.apps.customers import refusals, vault
from usance.core.refusals import Refusal
from usance.web.refusals import sentence
from usance.workflows import one_time_codes

SOON = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
EXAMPLES: list[Refusal] = [
    *(refusals.PhoneNotValid(why=why) for why in ("format", "foreign", "not_mobile")),
    *(refusals.IdentityNumberNotValid(why=why) for why in ("format", "check_digit", "province", "birth_date", "sex")),
    refusals.EmailNotValid(),
    refusals.PhoneOfSomeoneElse(),
    refusals.PhoneIsYours(),
    refusals.PhoneChangeWaits(counts_from=SOON),
    refusals.PhoneNotYetYours(counts_from=SOON),
    refusals.ChangeOver(),
    refusals.PhoneInUse(),
    refusals.BirthDateNotPossible(),
    refusals.IdentityOfSomebodyElse(),
    refusals.ConsentMissing(purpose="credit_check"),
    refusals.ConsentTextOutdated(purpose="credit_check"),
    refusals.CodeTooSoon(seconds=30),
    refusals.TooManyCodes(minutes=7),
    refusals.CodeWrong(left=1),
    refusals.CodeExpired(),
    refusals.CodeUsedUp(),
    refusals.CodeForSomethingElse(),
    refusals.SecondFactWrong(left=2),
    refusals.SecondFactLocked(),
    refusals.ProtectedAlready(kind="deceased"),
    refusals.ProtectionOver(),
    refusals.PersonProtected(),
    vault.PersonErased(),
    one_time_codes.NoVerifiedPhone(),
]


@pytest.mark.parametrize("refusal", EXAMPLES, ids=str)
def test_a_refusal_says_what_is_the_matter(refusal: Refusal) -> None:
    said = sentence(refusal)
    assert said.endswith(".")
    assert "%" not in said


def test_none_is_missing() -> None:
    own = {kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    assert own - {Refusal} <= {type(refusal) for refusal in EXAMPLES}
