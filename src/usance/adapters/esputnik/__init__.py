"""eSputnik (also Yespo): SMS and e-mail."""

from usance.adapters.esputnik.client import ESputnikMessenger, build

__all__ = ["ESputnikMessenger", "build"]
