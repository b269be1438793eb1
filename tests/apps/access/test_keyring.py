"""The key ring: what it seals opens only here, only for this row, and survives a turn of the keys."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support import institutions
from usance.apps.institutions import keyring, tenancy


def key(sign: str) -> str:
    return base64.urlsafe_b64encode(sign.encode() * 32).decode()


def test_what_is_sealed_opens_again_and_does_not_show_the_plain(institution: Any) -> None:
    sealed = keyring.seal(b"secret", "row 1")
    assert b"secret" not in sealed
    assert keyring.unseal(sealed, "row 1") == b"secret"
    assert keyring.seal(b"secret", "row 1") != sealed


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s[:-1] + bytes([s[-1] ^ 1]), lambda s: b"9" + s[1:]])
def test_an_altered_seal_breaks(institution: Any, spoil: Any) -> None:
    with pytest.raises(keyring.SealBroken):
        keyring.unseal(spoil(keyring.seal(b"secret", "row 1")), "row 1")


def test_a_seal_belongs_to_its_row_and_its_institution(fresh_db: str) -> None:
    here, there = institutions.found("vn").pk, institutions.found("ua").pk
    with tenancy.bound(here):
        sealed, digest = keyring.seal(b"secret", "row 1"), keyring.digest("+380", "phone")
        with pytest.raises(keyring.SealBroken):
            keyring.unseal(sealed, "row 2")
        assert keyring.digest("+380", "phone") == digest
        assert keyring.digest("+380", "email") != digest
    with tenancy.bound(there):
        with pytest.raises(keyring.SealBroken):
            keyring.unseal(sealed, "row 1")
        assert keyring.digest("+380", "phone") != digest


def test_the_ring_turns(institution: Any, settings: Any) -> None:
    """A new key in front: old seals open and are re-wrapped, blind indexes stay, a key that left opens nothing."""
    settings.USANCE_KEYS = f"1:{key('a')}"
    old, digest = keyring.seal(b"secret", "x"), keyring.digest("v", "p")
    settings.USANCE_KEYS = f"2:{key('b')},1:{key('a')}"
    assert keyring.unseal(old, "x") == b"secret"
    assert keyring.needs_rewrap(old)
    assert keyring.digest("v", "p") == digest
    new = keyring.rewrap(old, "x")
    assert not keyring.needs_rewrap(new)
    settings.USANCE_KEYS = f"2:{key('b')}"
    assert keyring.unseal(new, "x") == b"secret"
    with pytest.raises(keyring.SealBroken):
        keyring.unseal(old, "x")


def test_a_key_of_the_wrong_length_is_a_loud_mistake(institution: Any, settings: Any) -> None:
    settings.USANCE_KEYS = "1:" + base64.urlsafe_b64encode(b"short").decode()
    with pytest.raises(ValueError, match="USANCE_KEYS"):
        keyring.seal(b"x", "x")
