"""What people, banks and machines do in the storm. Each act is drawn from the seed and its own number alone, gives its
orders a forecast, and says what it did not expect."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist

from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.payments.refusals import RefundTooLarge
from usance.apps.servicing import selectors as loans
from usance.config.faults.lenders import Lender
from usance.config.faults.site import Site
from usance.config.faults.storm import Forecast
from usance.core.loan import quote
from usance.core.loan.refused import MoreThanUnapplied
from usance.ports import clock
from usance.ports.actor import SYSTEM, borrower, staff
from usance.workflows import close_day, take_payment

REQUESTS = (
    "reply_lost", "reply_halved", "reply_late", "nonsense", "never_sent", "never_answered", "busy", "sent_late",
    "request_doubled",
)  # fmt: skip
CALLBACKS = ("callback_doubled", "callback_shuffled", "callback_lost", "callback_forged", "callback_replayed")
# a payer may hear these two; anything else, a lock that did not come for instance, is a defect
TOLD_TO_PAYERS = ("payment_under_way", "nothing_to_pay")
WAIT_S = 20.0


@dataclass
class Act:
    """One act: its number, its fault, and where it happens."""

    number: int
    kind: str
    lender: Lender
    site: Site
    chance: Random
    point: str = ""  # of a killing

    @property
    def key(self) -> str:
        return f"faults:{self.number}"

    def wrong(self, story: str, kinds: Iterable[str] = ()) -> None:
        self.site.storm.tally.trouble("wrong", [self.kind, *kinds], f"act {self.number} ({self.lender.code}): {story}")

    def inject(self, point: str) -> None:
        self.site.storm.tally.inject(self.kind, point)

    def forecast(self, given: rails.Instruction, request: str = "", callback: str = "") -> None:
        """Called before the order's transaction commits, so that nothing of it is outside yet."""
        chance = Random(f"{self.number}:{self.chance.random()}")
        strikes = 1 if request in ("request_doubled", "sent_late") else chance.choice((1, 1, 2, 3))
        plan = Forecast(request=request, strikes=strikes, callback=callback, chance=chance)
        self.site.storm.forecast(given.order_id, plan)

    def join(self, given: rails.Instruction) -> None:
        """This order belongs to the act without a fault on the wire: what goes wrong with it is put down to the act."""
        plan = Forecast(chance=self.chance)
        plan.struck.add(self.kind)
        self.site.storm.forecast(given.order_id, plan)


# --- orders of money --------------------------------------------------------------------------------------------


def pay(
    act: Act, loan_id: UUID, *, key: str = "", amount_minor: int = 0, page: bool = False, extend_days: int = 0,
    then: Callable[[rails.Instruction], None] | None = None,
) -> rails.Instruction:  # fmt: skip
    """As the loan's page does it. The forecast is made inside the transaction, before a worker can see the order."""
    lender = act.lender
    with lender.bound():
        row = loans.loan(loan_id)
        if extend_days:
            amount_minor = loans.extension_quote(loan_id=loan_id, days=extend_days).price_minor
        given = take_payment.pay(
            loan_id=loan_id,
            amount_minor=amount_minor or act.chance.randint(1, max(1, row.outstanding_minor // 20)),
            key=key or act.key,
            at=clock.now(),
            actor=borrower(row.party_id),
            card_id=None if page else lender.card_of(row.party_id),
            extend_days=extend_days,
        )
        if then:
            then(given)
    return given


def pay_out(act: Act, loan_id: UUID, then: Callable[[rails.Instruction], None]) -> rails.Instruction:
    """As a signed agreement does it."""
    lender = act.lender
    with lender.bound():
        row = loans.loan(loan_id)
        given = rails.give(
            kind="payout",
            key=f"payout:{loan_id}:1",
            amount_minor=quote.net_disbursement(loans.terms_of(row)),
            party_id=row.party_id,
            subject_type="servicing.loan",
            subject_id=loan_id,
            card_id=lender.card_of(row.party_id),
            then="fund_loan.payout_settled",
            description=f"Loan {row.number}",
            at=clock.now(),
            actor=SYSTEM,
        )
        then(given)
    return given


def send_back(act: Act, then: Callable[[rails.Instruction], None]) -> rails.Instruction | None:
    """Some of what was paid too much goes back to the card; None where there is nothing to send."""
    if not act.lender.overpaid:
        return None
    original_id, _ = act.chance.choice(act.lender.overpaid)
    try:
        with act.lender.bound():
            given = take_payment.send_back(
                instruction_id=original_id,
                amount_minor=act.chance.randint(1, max(1, act.lender.unit // 50)),
                key=act.key,
                at=clock.now(),
                actor=staff(act.lender.staff["cashier"]),
            )
            then(given)
    except (MoreThanUnapplied, RefundTooLarge, ObjectDoesNotExist):  # spent, or that payment never came
        return None
    return given


def on_the_wire(act: Act) -> None:
    """An order of money with a fault between us and the provider, or between the provider and us."""
    on_request = act.kind in REQUESTS
    request = act.kind if on_request else ""
    callback = "" if on_request else act.kind
    if act.chance.random() < 0.2:  # troubles seldom come alone
        request, callback = request or act.chance.choice(REQUESTS[:4]), callback or act.chance.choice(CALLBACKS)
    draw = act.chance.random()

    def plan(given: rails.Instruction) -> None:
        act.forecast(given, request, callback)

    if draw < 0.2:
        loan_id = act.lender.book()
        pay_out(act, loan_id, plan)
        act.lender.give_back(loan_id)
    elif draw < 0.3 and on_request and send_back(act, plan):
        return
    elif draw < 0.5 and request not in ("sent_late", "never_answered"):
        loan_id = act.lender.take()
        given = pay(act, loan_id, page=True, then=plan)
        fill_page(act, given)
    else:
        pay(act, act.lender.take(), then=plan)


def fill_page(act: Act, given: rails.Instruction) -> None:
    """The borrower on the provider's page, once it is there. In a storm it may never open; then nobody pays."""
    deadline = time.monotonic() + WAIT_S / 2
    while time.monotonic() < deadline:
        with act.lender.bound():
            now = payments.instruction(given.pk)
        if now.page_url:
            post(now.page_url, {"test_card": act.chance.choice(("fresh", "fresh", "fresh", "4444111155556666"))})
            return
        if not now.is_open:
            return
        time.sleep(0.25)


def post(url: str, form: dict[str, str]) -> None:
    where = urlsplit(url)
    browser = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=10)
    try:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        browser.request("POST", where.path, body=urlencode(form), headers=kind)
        browser.getresponse().read()
    finally:
        browser.close()


# --- a worker dies ----------------------------------------------------------------------------------------------


def killed(act: Act) -> None:
    """The tripwire is laid, the operation is begun, and a worker dies in the middle of it."""
    operation, _, where = act.point.partition("-")
    act.site.lay(act.point)
    if operation == "payout":
        pay_out(act, act.lender.book(), act.join)
    elif operation == "close":
        advance(act)
    elif operation == "notice":
        fill_page(act, pay(act, act.lender.take(), page=True, then=act.join))
    elif operation != "refund" or send_back(act, act.join) is None:
        pay(act, act.lender.take(), then=act.join)
    deadline = time.monotonic() + WAIT_S / 2
    while act.site.lies(act.point) and time.monotonic() < deadline:
        time.sleep(0.05)
    if act.site.lies(act.point):
        (act.site.tripwires / act.point).unlink(missing_ok=True)
    else:
        act.inject(act.point)


# --- time -------------------------------------------------------------------------------------------------------


def advance(act: Act, days: int = 1) -> Any:
    """Somebody presses "End the day"."""
    with act.lender.bound():
        return close_day.advance(days=days, actor=staff(act.lender.staff["administrator"]), at=clock.now())
