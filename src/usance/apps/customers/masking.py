"""What may be shown of a value to someone who need not know it: enough to recognise, too little to use. Pure."""

from __future__ import annotations

import json
from datetime import date
from urllib.parse import urlsplit

DOT = "•"


def phone(value: str) -> str:
    """+380 •••• 4567"""
    return f"{value[:-9]} {DOT * 4} {value[-4:]}" if len(value) > 9 else DOT * 4


def email(value: str) -> str:
    """a••••@example.com"""
    name, _, domain = value.partition("@")
    return f"{name[:1]}{DOT * 4}@{domain}" if domain else DOT * 4


def push(value: str) -> str:
    """fcm.googleapis.com: the push service of a browser; the rest of its address is a key to it."""
    try:
        return urlsplit(json.loads(value)["endpoint"]).hostname or DOT * 4
    except (ValueError, KeyError, TypeError):
        return DOT * 4


def number(value: str) -> str:
    """••••••4567"""
    return DOT * max(len(value) - 4, 4) + value[-4:] if len(value) > 4 else DOT * 4


def name(value: str) -> str:
    """N••• V••• A•••"""
    return " ".join(f"{part[:1]}{DOT * 3}" for part in value.split())


def birth_date(value: date) -> str:
    """••.••.1984"""
    return f"{DOT * 2}.{DOT * 2}.{value.year}"


def code(text: str) -> str:
    """Digits that could be a code are hidden."""
    return "".join(DOT if sign.isdigit() else sign for sign in text)
