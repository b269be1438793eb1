"""How numbers, addresses and papers are written where a person may press them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from usance.web import words

register = template.Library()


@register.filter
def paper(kind: str) -> str:
    """What a kind of paper is called."""
    return str(words.DOCUMENT.get(kind, kind))


@register.filter
def whole(value: Any) -> SafeString:
    """A number of a loan, a paper or a phone: it stays on one line."""
    return format_html('<span class="u-num">{}</span>', value)


@register.filter
def to_call(phone: str) -> SafeString:
    """A phone number that a phone calls when it is pressed."""
    digits = "".join(sign for sign in phone if sign.isdigit() or sign == "+")
    return format_html('<a class="u-num" href="tel:{}">{}</a>', digits, phone)


@register.filter
def to_write(address: str) -> SafeString:
    """An e-mail address that opens a letter to it."""
    return format_html('<a href="mailto:{}">{}</a>', address, address)
