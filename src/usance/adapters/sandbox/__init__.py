"""Sandbox twins: they speak the providers' real HTTP protocols over a book of their own, so that the whole product can
be tried and tested without an account anywhere. See README.md."""

from usance.adapters.sandbox.app import create_app, deliver_due, new_card, transport, twin_of

__all__ = ["create_app", "deliver_due", "new_card", "transport", "twin_of"]
