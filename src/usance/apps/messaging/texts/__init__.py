"""The words of our messages, a module for each language. See `messaging.catalogue`."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """`sms` stands alone; an e-mail has `subject` and `body` (the SMS text where `body` is empty)."""

    sms: str
    subject: str
    body: str = ""
