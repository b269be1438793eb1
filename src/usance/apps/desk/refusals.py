"""What the desk may refuse."""

from __future__ import annotations

from datetime import date

from usance.core.refusals import Refusal


class CaseTaken(Refusal):
    """A colleague has the case."""

    code = "case_taken"


class CaseNotYours(Refusal):
    """Take the case before deciding it."""

    code = "case_not_yours"


class CaseFinished(Refusal):
    code = "case_finished"


class CaseOutOfReach(Refusal):
    """The person's roles do not reach the case's branch or team."""

    code = "case_out_of_reach"


class AlreadyProposed(Refusal):
    """A change of this kind waits already for a second person."""

    code = "already_proposed"


class OwnProposal(Refusal):
    """Whoever proposed a change may not decide it."""

    code = "own_proposal"


class NotYourProposal(Refusal):
    code = "not_your_proposal"


class MayNotDecide(Refusal):
    """The person's roles do not allow to decide changes of this kind."""

    code = "may_not_decide"


class AlreadyDecided(Refusal):
    code = "already_decided"
    state: str


class ApprovalExpired(Refusal):
    code = "approval_expired"
    expires_on: date
