"""Password, second factor, recovery, sessions; what guessing costs, and that it costs honest people nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.apps.access.conftest import AT, PASSWORD, SECRET
from usance.apps.access import limits, passwords, selectors, sign_in, totp
from usance.apps.access.models import Attempts, Invitation, SecondFactor, User
from usance.apps.access.refusals import (
    CodeRefused,
    InvitationExpired,
    PasswordTooCommon,
    PasswordTooShort,
    SignInRefused,
    TooManyAttempts,
)
from usance.apps.institutions import keyring

Hire = Callable[..., User]
HOME = sign_in.Visitor("10.0.0.1")
ATTACKER = sign_in.Visitor("10.6.6.6")


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B of the standard, its last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.code(secret, datetime.fromtimestamp(seconds, UTC)) == code


def test_a_code_fits_one_step_early_and_late_and_only_once() -> None:
    for drift in (-30, 0, 30):
        step = totp.matching_step(SECRET, totp.code(SECRET, AT + timedelta(seconds=drift)), AT, after=0)
        assert step == totp.step_at(AT + timedelta(seconds=drift))
    assert totp.matching_step(SECRET, totp.code(SECRET, AT + timedelta(seconds=90)), AT, after=0) is None
    assert totp.matching_step(SECRET, totp.code(SECRET, AT), AT, after=totp.step_at(AT)) is None


def test_the_right_password_and_code_let_in(enrolled: User) -> None:
    user = sign_in.check_password(email=" UNA@lender.example ", password=PASSWORD, visitor=HOME, at=AT)
    assert user == enrolled
    assert sign_in.check_code(user=user, given=totp.code(SECRET, AT), visitor=HOME, at=AT).kind == "totp"


def test_a_code_counts_once(enrolled: User) -> None:
    code = totp.code(SECRET, AT)
    sign_in.check_code(user=enrolled, given=code, visitor=HOME, at=AT)
    with pytest.raises(CodeRefused):
        sign_in.check_code(user=enrolled, given=code, visitor=HOME, at=AT + timedelta(seconds=5))


@pytest.mark.parametrize(("email", "password"), [("una@lender.example", "wrong"), ("nobody@x.example", PASSWORD)])
def test_wrong_and_unknown_are_the_same_to_the_visitor(enrolled: User, email: str, password: str) -> None:
    with pytest.raises(SignInRefused):
        sign_in.check_password(email=email, password=password, visitor=HOME, at=AT)


def test_the_inactive_cannot_sign_in(enrolled: User) -> None:
    User.objects.filter(pk=enrolled.pk).update(is_active=False)
    with pytest.raises(SignInRefused):
        sign_in.check_password(email=enrolled.email, password=PASSWORD, visitor=HOME, at=AT)


def guess(count: int, visitor: sign_in.Visitor = ATTACKER, email: str = "una@lender.example") -> int:
    """So many wrong guesses; gives how many were looked at before the door closed."""
    for number in range(count):
        try:
            sign_in.check_password(email=email, password=f"guess {number}", visitor=visitor, at=AT)
        except SignInRefused:
            continue
        except TooManyAttempts:
            return number
    return count


def test_guessing_is_stopped_and_the_door_opens_again(enrolled: User) -> None:
    assert guess(20) == limits.ACCOUNT_FROM.failures
    with pytest.raises(TooManyAttempts) as refused:
        sign_in.check_password(email=enrolled.email, password=PASSWORD, visitor=ATTACKER, at=AT)
    assert refused.value.minutes == 15
    later = AT + limits.ACCOUNT_FROM.window
    assert sign_in.check_password(email=enrolled.email, password=PASSWORD, visitor=ATTACKER, at=later) == enrolled


def test_guesses_from_one_address_do_not_close_the_door_to_another(enrolled: User) -> None:
    guess(20)
    assert sign_in.check_password(email=enrolled.email, password=PASSWORD, visitor=HOME, at=AT) == enrolled


def test_an_attack_does_not_lock_out_the_person_on_the_own_device(enrolled: User) -> None:
    known = sign_in.Visitor("10.0.0.1", sign_in.device_mark(enrolled))
    guess(20)
    assert sign_in.check_password(email=enrolled.email, password=PASSWORD, visitor=known, at=AT) == enrolled


def test_the_mark_of_a_device_is_no_key_to_another_account(enrolled: User, hire: Hire) -> None:
    other = hire("auditor")
    borrowed = sign_in.Visitor("10.6.6.6", sign_in.device_mark(other))
    assert guess(20, borrowed) == limits.ACCOUNT_FROM.failures


def test_one_address_cannot_try_many_accounts(enrolled: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADDRESS", limits.Limit("sign_in.address", 4, timedelta(minutes=15)))
    tried = sum(guess(1, email=f"u{number}@x.example") for number in range(9))
    assert tried == 4
    assert sign_in.check_password(email=enrolled.email, password=PASSWORD, visitor=HOME, at=AT) == enrolled


def test_codes_cannot_be_guessed(enrolled: User) -> None:
    for _ in range(limits.CODE.failures):
        with pytest.raises(CodeRefused):
            sign_in.check_code(user=enrolled, given="000000", visitor=ATTACKER, at=AT)
    with pytest.raises(TooManyAttempts):
        sign_in.check_code(user=enrolled, given=totp.code(SECRET, AT), visitor=ATTACKER, at=AT)
    with pytest.raises(TooManyAttempts):
        sign_in.check_recovery_code(user=enrolled, given="x", visitor=ATTACKER, at=AT)


def test_no_counter_names_whom_it_counts(enrolled: User) -> None:
    guess(1)
    for row in Attempts.objects.all():
        assert "una" not in row.source
        assert "10.6" not in row.source


def test_enrolling_needs_a_code_of_the_app_and_gives_recovery_codes_that_work_once(hire: Hire) -> None:
    user = hire("underwriter")
    secret = sign_in.begin_totp(user=user)
    assert sign_in.begin_totp(user=user) == secret  # a page opened twice shows one code
    with pytest.raises(CodeRefused):
        sign_in.confirm_totp(user=user, given="000000", visitor=HOME, at=AT)
    assert selectors.confirmed_factor(user) is None
    codes = sign_in.confirm_totp(user=user, given=totp.code(secret, AT), visitor=HOME, at=AT)
    assert len(set(codes)) == 10
    typed = codes[0].upper().replace("-", " ")
    assert sign_in.check_recovery_code(user=user, given=typed, visitor=HOME, at=AT) == 9
    with pytest.raises(CodeRefused):
        sign_in.check_recovery_code(user=user, given=codes[0], visitor=HOME, at=AT)


def test_the_secret_lies_sealed_and_cannot_be_moved_to_another_row(enrolled: User, hire: Hire) -> None:
    factor = selectors.confirmed_factor(enrolled)
    assert factor is not None
    assert SECRET.encode() not in bytes(factor.secret or b"")
    other = hire("auditor")
    SecondFactor.objects.create(user=other, secret=factor.secret, confirmed_at=AT)
    with pytest.raises(keyring.SealBroken):
        sign_in.check_code(user=other, given=totp.code(SECRET, AT), visitor=HOME, at=AT)


def test_sessions_end_by_idling_by_age_and_by_hand(enrolled: User) -> None:
    def opened(key: str) -> str:
        return str(sign_in.open_session(user=enrolled, session_key=key, device="", factor="totp", at=AT).pk)

    def alive(session_id: str, after: timedelta) -> bool:
        return sign_in.touch_session(session_id=session_id, user=enrolled, at=AT + after) is not None

    idle, busy, ended = opened("a"), opened("b"), opened("c")
    assert not alive(idle, sign_in.IDLE + timedelta(seconds=1))
    steps = [timedelta(minutes=50 * number) for number in range(1, 14)]
    assert all(alive(busy, step) for step in steps)
    assert not alive(busy, sign_in.LONGEST + timedelta(minutes=1))
    assert sign_in.end_session(user=enrolled, session_id=ended, at=AT)
    assert not alive(ended, timedelta(0))


def test_nobody_ends_the_session_of_another(enrolled: User, hire: Hire) -> None:
    session = sign_in.open_session(user=enrolled, session_key="a", device="", factor="totp", at=AT)
    assert not sign_in.end_session(user=hire("auditor"), session_id=session.pk, at=AT)
    assert sign_in.touch_session(session_id=str(session.pk), user=enrolled, at=AT)


def test_a_changed_password_ends_the_other_sessions(enrolled: User) -> None:
    here = sign_in.open_session(user=enrolled, session_key="a", device="", factor="totp", at=AT)
    sign_in.open_session(user=enrolled, session_key="b", device="", factor="totp", at=AT)
    with pytest.raises(SignInRefused):
        sign_in.change_password(user=enrolled, old="wrong", new="nine lions in a row", visitor=HOME, at=AT)
    sign_in.change_password(user=enrolled, old=PASSWORD, new="nine lions in a row", visitor=HOME, at=AT, keep=here.pk)
    assert list(selectors.open_sessions(enrolled)) == [here]


@pytest.mark.parametrize("password", ["password1234567", "aaaaaaaaaaaaaaaaaaaa", "qwertyuiop", "Olena Example 2024"])
def test_passwords_that_guessers_try_first(password: str) -> None:
    with pytest.raises((PasswordTooCommon, PasswordTooShort)):
        passwords.check(password, has_second_factor=False, about=("Olena Example", "olena@lender.example"))


def test_fifteen_alone_eight_with_a_second_factor() -> None:
    with pytest.raises(PasswordTooShort) as refused:
        passwords.check("kd93-xq7.wl2", has_second_factor=False)
    assert refused.value.least == 15
    passwords.check("kd93-xq7", has_second_factor=True)
    passwords.check("ось такий довгий пароль", has_second_factor=False)


def test_an_invitation_works_once_and_not_for_ever(hire: Hire) -> None:
    from usance.ports.actor import SYSTEM

    user = hire()
    old, token = (sign_in.invite(user=user, at=AT, actor=SYSTEM) for _ in range(2))
    with pytest.raises(InvitationExpired):
        sign_in.invited(token=old, visitor=HOME, at=AT)
    with pytest.raises(InvitationExpired):
        sign_in.invited(token=token, visitor=HOME, at=AT + timedelta(days=8))
    sign_in.accept_invitation(token=token, password="seven slow green boats", visitor=HOME, at=AT)
    with pytest.raises(InvitationExpired):
        sign_in.accept_invitation(token=token, password="seven slow green boats", visitor=HOME, at=AT)
    assert sign_in.check_password(email=user.email, password="seven slow green boats", visitor=HOME, at=AT) == user
    assert not Invitation.objects.filter(token_digest=token).exists()


def test_passwords_are_kept_by_argon2(enrolled: User) -> None:
    assert enrolled.password.startswith("argon2")
