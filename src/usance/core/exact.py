"""Exact fractions: the class of the standard library, in its compiled twin, which is several times as fast. Both mix,
compare and hash alike, so that a fraction of either kind may be handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction
else:
    from quicktions import Fraction

__all__ = ["Fraction"]
