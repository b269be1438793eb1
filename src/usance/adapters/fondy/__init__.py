"""Fondy (CloudIPSP; the same protocol as hutko and Flitt): hosted checkout, saved cards, debits, payouts to card."""

from usance.adapters.fondy.client import FondyRail, build

__all__ = ["FondyRail", "build"]
