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
LEAST_WORD, LEAST_LEFT = 3, 4
FILLING = "0123456789!?.*#-_ "  # what people put around a word
# what stands around any of our staff: names of the product, of roles and of what they work on (see docs/security.md)
CONTEXT = (
    *("usance", "password", "passwort", "matkhau", "parol", "admin", "administrator", "staff", "desk", "lender"),
    *("loan", "loans", "credit", "money", "payment", "underwriter", "cashier", "accountant", "collector", "auditor"),
)


def check(password: str, *, has_second_factor: bool, about: tuple[str, ...] = ()) -> None:
    """Raises a refusal when the password will not do. `about`: words that say who it is for (name, address)."""
    least = LEAST_WITH_FACTOR if has_second_factor else LEAST_ALONE
    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < least:
        raise PasswordTooShort(least=least)
    folded = plain.casefold()
    core = folded.strip(FILLING)
    if folded in _common() or core in _common() or len(set(folded)) < LEAST_DIFFERENT or _only_of(core, _words(about)):
        raise PasswordTooCommon()


def _only_of(core: str, words: set[str]) -> bool:
    """Whether nothing worth guessing is left when the words that say whom or what it is for are taken out."""
    left = core
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= LEAST_WORD:
            left = left.replace(word, "")
    return core in words or len([sign for sign in left if sign not in FILLING]) < LEAST_LEFT


def _words(about: tuple[str, ...]) -> set[str]:
    parts = {part for text in about for part in text.casefold().replace("@", " ").replace(".", " ").split()}
    return {text.casefold() for text in about} | parts | {"", *CONTEXT}


@functools.cache
def _common() -> frozenset[str]:
    """The 20,000 most common passwords, as Django ships them."""
    packed = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    return frozenset(gzip.decompress(packed.read_bytes()).decode().split())
