"""Payments, notices and failed jobs on the desk: what is unknown or disagrees is found and settled."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.apps.servicing import loans
from tests.web.staff.lending import AT, ON, Lender
from tests.web.staff.test_loans import text_of
from usance.apps.audit import selectors as trail
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.payments import receipts, services
from usance.apps.payments.models import InboundNotice, Instruction
from usance.apps.servicing import selectors as loan_view
from usance.apps.servicing.models import Loan
from usance.ports import clock
from usance.ports.actor import SYSTEM


def order(lender: Lender, loan: Any, amount_minor: int = 500_000, **facts: Any) -> Instruction:
    """An instruction as a worker has left it."""
    card = lender.card(loan.party_id, facts.pop("last4", "1111"))
    given = services.give(
        kind=facts.pop("kind", "debit"), key=f"k{Instruction.objects.count()}", amount_minor=amount_minor,
        party_id=loan.party_id, subject_type="servicing.loan", subject_id=loan.pk, card_id=card.pk,
        then="take_payment.settled", description="x", at=AT, actor=SYSTEM, org_path=loan.org_path,
    )  # fmt: skip
    facts.setdefault("state", "unknown")
    settled = {"settled_at": AT} if facts["state"] in ("mismatch", "failed", "succeeded") else {}
    Instruction.objects.filter(pk=given.pk).update(**({"provider": "fondy", "sent_at": AT} | settled | facts))
    return Instruction.objects.get(pk=given.pk)


def amounts(response: Any) -> list[int]:
    at = [column.key for column in response.context["table"].columns].index("amount")
    return [row.cells[at].minor for row in response.context["table"].rows]


def test_what_is_unknown_and_what_disagrees_are_views_of_their_own(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    order(lender, loan, 1, state="unknown")
    order(lender, loan, 2, state="mismatch", details={"told_minor": 3, "told_currency": "VND"})
    order(lender, loan, 4, state="failed", reason="insufficient_funds")
    order(lender, loan, 5, state="succeeded", reference="r5", returned_minor=5)
    everything = cashier.get("/staff/payments/")
    assert amounts(everything) == [5, 4, 2, 1]
    assert {tab.label: tab.count for tab in everything.context["views"]}["No answer yet"] == 1
    for view, expected in (("unknown", [1]), ("mismatch", [2]), ("failed", [4]), ("returned", [5]), ("open", [1])):
        assert amounts(cashier.get(f"/staff/payments/?view={view}")) == expected, view
    assert amounts(cashier.get("/staff/payments/?kind=payout")) == []


def test_i_paid_is_found_by_what_the_customer_knows(lender: Lender) -> None:
    loan, care = lender.loan(), lender.browser("customer_service")
    order(lender, loan, 412_000, last4="4242", state="succeeded", reference="800000077", value_at=AT)
    order(lender, loan, 413_000, last4="4343", state="succeeded", reference="800000078", value_at=AT)
    for asked in ("amount=412,000", "amount=412000&on=2026-03-02", "last4=4242", "reference=800000077"):
        assert amounts(care.get(f"/staff/payments/?{asked}")) == [412_000], asked
    assert "No payment fits" in text_of(care.get("/staff/payments/?amount=1"))
    receipts.note(
        how="bank", reference="FT-9", loan_id=loan.pk, party_id=loan.party_id, amount_minor=77_000, currency="VND",
        value_on=ON, source="staff:x", org_path="root", at=AT, actor=SYSTEM,
    )  # fmt: skip
    page = care.get("/staff/payments/?amount=77000")
    assert "FT-9" in text_of(page)
    assert "FT-9" in text_of(care.get("/staff/payments/received/"))


def test_nonsense_is_told_beside_the_field_and_breaks_nothing(lender: Lender) -> None:
    cashier = lender.browser("cashier")
    for asked in ("amount=x", "amount=" + "9" * 40, "on=yesterday", "last4=12", "last4=abcd", "kind=theft"):
        page = cashier.get(f"/staff/payments/?{asked}")
        assert (page.status_code, bool(page.context["form"].errors)) == (422, True), asked
    assert cashier.get("/staff/payments/?view=everything&page=99").status_code == 200


def test_a_branch_sees_its_own_payments_only(lender: Lender) -> None:
    root = institutions.units().get(path="root")
    agenda.add_unit(parent=root, code="hue", name="Hue", kind="branch")
    mine, other = lender.loan(org_path="root.hue"), lender.loan()
    seen, hidden = order(lender, mine, 11), order(lender, other, 22)
    cashier = lender.browser("cashier", org_path="root.hue")
    assert amounts(cashier.get("/staff/payments/")) == [11]
    assert cashier.get(f"/staff/payments/{seen.pk}/").status_code == 200
    for part in ("", "ask/", "settle/"):
        address = f"/staff/payments/{hidden.pk}/{part}"
        assert {cashier.get(address).status_code, cashier.post(address).status_code} <= {404, 405}


def test_rows_cost_no_queries(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")

    def count() -> int:
        cashier.get("/staff/payments/")
        with CaptureQueriesContext(connection) as seen:
            cashier.get("/staff/payments/")
        return len(seen)

    order(lender, loan)
    few = count()
    for _number in range(5):
        order(lender, lender.loan())
    assert count() == few


def test_an_instruction_tells_what_is_known_and_asks_again_without_sending(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    given = order(lender, loan, 512_000, reference="800000077")
    lender.jobs.waiting.clear()
    page = cashier.get(f"/staff/payments/{given.pk}/")
    text = text_of(page)
    assert "•••• 1111" in text
    assert "800000077" in text
    assert loan.number in text
    assert "never sent twice" in text
    assert cashier.post(f"/staff/payments/{given.pk}/ask/").status_code == 302
    assert [job.name for job in lender.jobs.waiting if job.name[:8] == "payments"] == ["payments.ask_status"]
    assert trail.trail(given).filter(action="payments.asked").get().actor_id == str(lender.staff("cashier").pk)
    service = lender.browser("customer_service")
    assert service.post(f"/staff/payments/{given.pk}/ask/").status_code == 403
    assert service.get(f"/staff/payments/{given.pk}/").context["may_ask"] is False


def test_after_an_outage_everything_in_doubt_is_asked_about_at_once(lender: Lender) -> None:
    cashier = lender.browser("cashier")
    assert "Ask about all" not in text_of(cashier.get("/staff/payments/"))
    long_ago = clock.now() - timedelta(minutes=5)
    old = order(lender, lender.loan(), sent_at=long_ago)
    settled = order(lender, lender.loan(), sent_at=long_ago, state="succeeded", reference="r")
    order(lender, lender.loan(), sent_at=clock.now())  # sent just now: an answer may come any moment
    lender.jobs.waiting.clear()
    page = text_of(cashier.get("/staff/payments/"))
    assert "1 order waits for the provider's word" in page
    service = lender.browser("customer_service")
    assert "Ask about all" not in text_of(service.get("/staff/payments/"))
    assert service.post("/staff/payments/ask/").status_code == 403
    assert cashier.get("/staff/payments/ask/").status_code == 405
    told = cashier.post("/staff/payments/ask/", follow=True)
    assert "The provider is being asked about 1 order." in text_of(told)
    asked = [job for job in lender.jobs.waiting if job.name.startswith("payments.")]
    assert [(job.name, job.arguments["instruction_id"]) for job in asked] == [("payments.ask_status", str(old.pk))]
    assert trail.trail(old).filter(action="payments.asked").exists()
    assert not trail.trail(settled).filter(action="payments.asked").exists()


def test_an_amount_that_disagrees_is_settled_once_by_whoever_looked(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    odd = order(lender, loan, 500_000, state="mismatch", reference="r",
                details={"told_minor": 499_999, "told_currency": "VND"})  # fmt: skip
    address = f"/staff/payments/{odd.pk}/settle/"
    assert "499,999" in text_of(cashier.get(address))
    assert cashier.post(address, {"truth": "499999"}).status_code == 422  # how do you know?
    assert cashier.post(address, {"truth": "7", "note": "x"}).status_code == 422
    assert cashier.post(address, {"truth": "499999", "note": "the statement of today"}).status_code == 302
    lender.jobs.run_pending()
    assert loan_view.loan(loan.pk).principal_minor == 2_500_001
    again = cashier.post(address, {"truth": "0", "note": "x"})
    assert again.status_code == 422
    assert "settled already" in text_of(again)
    entry = trail.trail(odd).filter(action="payments.reconciled").get()
    assert entry.details == {"amount_minor": 499_999, "note": "the statement of today"}


def test_notices_that_wait_are_listed_for_those_who_settle(lender: Lender) -> None:
    cashier = lender.browser("cashier")
    assert "Everything is taken in" in text_of(cashier.get("/staff/payments/notices/"))
    InboundNotice.objects.create(
        provider="fondy", event_id="vn-1:approved:9", order_id="vn-1", body=b"x", content_type="application/json",
        received_at=AT,
    )  # fmt: skip
    assert "vn-1" in text_of(cashier.get("/staff/payments/notices/"))
    assert lender.browser("auditor").get("/staff/payments/notices/").status_code == 403


# --- jobs and the close ------------------------------------------------------------------------------------------


def test_a_failed_job_is_run_again_once(lender: Lender) -> None:
    admin = lender.browser("administrator")
    assert "No job has failed" in text_of(admin.get("/staff/jobs/"))
    job = agenda.list_failed_job(task="payments.sweep", arguments={}, reason="TypeError in sweep (tasks.py:1)")
    page = text_of(admin.get("/staff/jobs/"))
    assert "Payment provider" in page
    assert "TypeError in sweep" in page
    assert admin.post(f"/staff/jobs/{job.pk}/run/").status_code == 302
    assert [one.name for one in lender.jobs.waiting if one.name == "payments.sweep"] == ["payments.sweep"]
    assert admin.post(f"/staff/jobs/{job.pk}/run/").status_code == 409
    assert lender.browser("accountant").post(f"/staff/jobs/{job.pk}/run/").status_code == 403


def test_a_loan_that_the_close_left_out_is_listed_and_run_again(lender: Lender) -> None:
    admin = lender.browser("administrator")
    assert "No loan was left out" in text_of(admin.get("/staff/jobs/left-out/"))
    loan = lender.loan()
    good = Loan.objects.get(pk=loan.pk).terms
    Loan.objects.filter(pk=loan.pk).update(terms={"version": 99})
    lender.live_until(date(2026, 3, 3))
    (problem,) = loan_view.problems_open()
    page = text_of(admin.get("/staff/jobs/left-out/"))
    assert loan.number in page
    address = f"/staff/jobs/left-out/{problem.pk}/run/"
    assert admin.post(address).status_code == 409  # still broken: the page says why
    Loan.objects.filter(pk=loan.pk).update(terms=good)
    assert admin.post(address).status_code == 302
    assert not loan_view.problems_open().exists()
    assert loans.pay(loan, 1000, lender.today).checkpoint_on == lender.today
    assert admin.post(address).status_code == 404
