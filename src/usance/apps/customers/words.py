"""Phone numbers, e-mail addresses and names in the one form in which they are stored, compared and searched. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from usance.apps.customers.refusals import EmailNotValid, PhoneNotValid

_MOBILE = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
_email = EmailValidator()


def phone(text: str, country: str) -> str:
    """E.164 of a mobile phone of that country, also when it is typed without the country's code. Foreign numbers are
    refused: sending codes abroad is how others are made to pay for SMS."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise PhoneNotValid(why="format") from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneNotValid(why="format")
    if phonenumbers.region_code_for_number(number) != country:
        raise PhoneNotValid(why="foreign")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise PhoneNotValid(why="not_mobile")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def email(text: str) -> str:
    """The address in lower case. (Local parts may differ by case in theory; no provider lets two people do so.)"""
    address = text.strip().lower()
    try:
        _email(address)
    except ValidationError:
        raise EmailNotValid() from None
    if len(address) > 254:
        raise EmailNotValid()
    return address


def plain(text: str) -> str:
    """A name without what people type differently: case, accents, apostrophes, repeated spaces."""
    for _ in range(2):  # taking a sign apart may bring out a capital ("𝕊"), and folding one a sign to take apart
        text = unicodedata.normalize("NFKD", text).casefold()
    decomposed = re.sub(r"['’ʼ`\u02bc]", "", unicodedata.normalize("NFKD", text).replace("đ", "d"))
    # й and ї are letters of their own: their marks are kept by recomposing before the loose marks are dropped
    kept = "".join(
        unicodedata.normalize("NFC", base + marks) if base in "иі" else base
        for base, marks in re.findall(r"([^\u0300-\u036f])([\u0300-\u036f]*)", decomposed)
    )
    return " ".join(re.sub(r"[^\w]+", " ", kept).split())


def name_parts(*names: str) -> list[str]:
    """The words of some names, each once, in plain form; single letters (initials) are left out."""
    return sorted({part for name in names for part in plain(name).split() if len(part) > 1})


def name_and_birth(names: list[str], birth_date: date) -> str:
    """One value for the same person however the order of the names was typed."""
    return f"{' '.join(name_parts(*names))}|{birth_date.isoformat()}"


def last_four(digits: str) -> str:
    return re.sub(r"\D", "", digits)[-4:]
