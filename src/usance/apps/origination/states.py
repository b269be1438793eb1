"""The states of an application, and which may follow which."""

from __future__ import annotations

DRAFT, SUBMITTED, DECIDING, REFERRED, ASKED = "draft", "submitted", "deciding", "referred", "asked"
APPROVED, SIGNED, FUNDING, FUNDED = "approved", "signed", "funding", "funded"
DECLINED, EXPIRED, WITHDRAWN = "declined", "expired", "withdrawn"
# from state -> states that may follow
TRANSITIONS: dict[str, frozenset[str]] = {
    DRAFT: frozenset({SUBMITTED, EXPIRED, WITHDRAWN}),
    SUBMITTED: frozenset({DECIDING, WITHDRAWN}),
    DECIDING: frozenset({APPROVED, DECLINED, REFERRED, WITHDRAWN}),
    REFERRED: frozenset({APPROVED, DECLINED, ASKED, WITHDRAWN}),
    ASKED: frozenset({REFERRED, DECLINED, EXPIRED, WITHDRAWN}),
    APPROVED: frozenset({SIGNED, DECLINED, EXPIRED, WITHDRAWN}),  # declined: blocked after the decision
    SIGNED: frozenset({FUNDING, DECLINED, WITHDRAWN}),
    FUNDING: frozenset({FUNDED, SIGNED, WITHDRAWN}),
    FUNDED: frozenset({SIGNED}),  # the rail took the payout back
    DECLINED: frozenset(),
    EXPIRED: frozenset(),
    WITHDRAWN: frozenset(),
}
ENDED = frozenset({FUNDED, DECLINED, EXPIRED, WITHDRAWN})
OPEN = frozenset(TRANSITIONS) - ENDED
UNSIGNED = OPEN - {SIGNED, FUNDING}  # one at a time per customer; a payout may come back later than the next request
SUBJECT = "origination.application"  # how other rows name an application
