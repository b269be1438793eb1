"""What a password must be: long, and not one that guessers try first. No rules on its signs; paste is welcome."""

from __future__ import annotations

import functools
import gzip
import unicodedata
from pathlib import Path

from django.contrib.auth import password_validation

from usance.apps.access.refusals import PasswordTooCommon, PasswordTooShort

LEAST_ALONE = 15
LEAST_WITH_FACTOR = 8
LEAST_DIFFERENT = 5


def check(password: str, *, has_second_factor: bool, about: tuple[str, ...] = ()) -> None:
    """Raises a refusal when the password will not do. `about`: words that say who it is for (name, address)."""
    least = LEAST_WITH_FACTOR if has_second_factor else LEAST_ALONE
    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < least:
        raise PasswordTooShort(least=least)
    folded = plain.casefold()
    core = folded.strip("0123456789!?.*#-_ ")
    if folded in _common() or core in _common() or len(set(folded)) < LEAST_DIFFERENT or core in _words(about):
        raise PasswordTooCommon()


def _words(about: tuple[str, ...]) -> set[str]:
    parts = {part for text in about for part in text.casefold().replace("@", " ").replace(".", " ").split()}
    return {text.casefold() for text in about} | parts | {"", "password", "usance"}


@functools.cache
def _common() -> frozenset[str]:
    """The 20,000 most common passwords, as Django ships them."""
    packed = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    return frozenset(gzip.decompress(packed.read_bytes()).decode().split())
