"""The register, what is past due, and the page of one loan."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.apps.servicing import loans
from tests.web.staff.lending import ON, Lender
from usance.apps.audit import selectors as trail
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import Institution
from usance.apps.servicing import selectors, services
from usance.ports.actor import SYSTEM

LATER = date(2026, 4, 20)


def text_of(response: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", plain.replace("\u00a0", " "))


def numbers(response: Any) -> list[str]:
    return [row.cells[0] for row in response.context["table"].rows]


def queries(client: Any, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


# --- the register ------------------------------------------------------------------------------------------------


def test_the_register_filters_searches_and_sorts(lender: Lender) -> None:
    auditor = lender.browser("auditor")
    first = lender.loan()
    second = lender.loan(agreed=loans.instalments(), product="long")
    loans.pay(first, 3_000_000, ON)
    assert numbers(auditor.get("/staff/loans/")) == [second.number, first.number]
    assert numbers(auditor.get("/staff/loans/?status=closed")) == [first.number]
    assert numbers(auditor.get("/staff/loans/?status=live")) == [second.number]
    assert numbers(auditor.get("/staff/loans/?product=long")) == [second.number]
    assert numbers(auditor.get("/staff/loans/?q=1")) == [first.number]
    assert numbers(auditor.get("/staff/loans/?q=l-00")) == [second.number, first.number]
    assert numbers(auditor.get("/staff/loans/?order=outstanding")) == [first.number, second.number]
    assert numbers(auditor.get("/staff/loans/?order=-outstanding")) == [second.number, first.number]
    assert numbers(auditor.get("/staff/loans/?due=week")) == []
    page = auditor.get("/staff/loans/?q=nothing")
    assert "No loan fits" in text_of(page)
    totals = auditor.get("/staff/loans/").context["table"].totals
    assert totals[5].minor == 12_000_000


def test_nonsense_in_the_address_narrows_nothing_and_breaks_nothing(lender: Lender) -> None:
    auditor, loan = lender.browser("auditor"), lender.loan()
    for nonsense in ("status=x", "order=password", "page=-3", "page=x", "branch=' OR 1=1", "due=never"):
        response = auditor.get(f"/staff/loans/?{nonsense}")
        assert response.status_code == 200, nonsense
        assert numbers(response) == [loan.number], nonsense
    assert auditor.get("/staff/loans/?product=%00x").status_code == 400  # what no keyboard writes


def test_a_branch_sees_its_own_loans_only(lender: Lender) -> None:
    root = next(iter(_units()))
    institutions.add_unit(parent=root, code="hue", name="Hue", kind="branch")
    here, elsewhere = lender.loan(org_path="root.hue"), lender.loan()
    cashier = lender.browser("cashier", org_path="root.hue")
    assert numbers(cashier.get("/staff/loans/")) == [here.number]
    assert cashier.get(f"/staff/loans/{here.pk}/").status_code == 200
    assert cashier.get(f"/staff/loans/{elsewhere.pk}/").status_code == 404
    assert cashier.get(f"/staff/loans/{elsewhere.pk}/receive/").status_code == 404
    assert numbers(lender.browser("auditor").get("/staff/loans/?branch=root.hue")) == [here.number]


def _units() -> Any:
    from usance.apps.institutions import selectors as view

    return view.units()


def test_rows_cost_no_queries(lender: Lender) -> None:
    auditor = lender.browser("auditor")
    lender.loan()
    few = queries(auditor, "/staff/loans/")
    for _number in range(4):
        lender.loan()
    assert queries(auditor, "/staff/loans/") == few


def test_what_is_past_due_stands_in_its_bucket(lender: Lender) -> None:
    lender.loan(agreed=loans.single_payment(days=7))
    lender.loan(agreed=loans.single_payment(days=30))
    lender.loan(agreed=loans.single_payment(days=60))
    lender.live_until(LATER)
    collector = lender.browser("collector")
    page = collector.get("/staff/loans/past-due/")
    assert numbers(page) == ["L-000001", "L-000002"]
    assert {tab.label: tab.count for tab in page.context["tabs"]} == {
        "All": 2, "1\u201330 days": 1, "31\u201360 days": 1, "61\u201390 days": 0, "90+ days": 0,
    }  # fmt: skip
    narrowed = collector.get("/staff/loans/past-due/?bucket=31-60")
    assert numbers(narrowed) == ["L-000001"]
    assert narrowed.context["count"] == 1
    assert narrowed.context["late"] == selectors.loan_by_number("L-000001").past_due_minor
    assert "Nothing is past due here" in text_of(collector.get("/staff/loans/past-due/?bucket=90%2B"))
    assert lender.browser("cashier").get("/staff/loans/past-due/").status_code == 403


def test_loans_are_seen_by_the_class_of_their_country_and_each_tells_its_history(lender: Lender) -> None:
    loan, other = lender.loan(agreed=loans.single_payment(days=5)), lender.loan()
    auditor = lender.browser("auditor")
    assert "No loan is of this class" in text_of(auditor.get("/staff/loans/classes/"))  # no day was ended yet
    lender.live_until(ON + timedelta(days=18))
    page = auditor.get("/staff/loans/classes/?class=special_mention")
    assert numbers(page) == [loan.number]
    rows = [row.cells for row in page.context["sums"].rows]
    assert [(str(row[0].text), row[1]) for row in rows[:2]] == [("Standard", 1), ("Special mention", 1)]
    assert rows[1][2].minor == 3_000_000
    assert rows[1][3] == "50%"
    assert page.context["sums"].totals[2].minor == 6_000_000
    assert set(numbers(auditor.get("/staff/loans/classes/?class=nonsense"))) == {loan.number, other.number}
    summary = auditor.get(f"/staff/loans/{loan.pk}/")
    assert str(summary.context["loan_class"].text) == "Special mention"
    assert [(row.cells[0], row.cells[2]) for row in summary.context["class_changes"].rows] == [
        (ON + timedelta(days=14), 10)
    ]
    before = auditor.get(f"/staff/loans/{loan.pk}/?on={ON + timedelta(days=10)}")
    assert str(before.context["loan_class"].text) == "Standard"
    assert before.context["class_changes"].rows == []
    assert "By class" in text_of(lender.browser("auditor").get("/staff/loans/past-due/"))


def test_where_the_law_knows_no_classes_the_page_says_so(lender: Lender) -> None:
    Institution.objects.update(country="UA")
    tenancy.forget_row()
    assert "ask for no classes" in text_of(lender.browser("auditor").get("/staff/loans/classes/"))


# --- one loan ----------------------------------------------------------------------------------------------------

TABS = ("summary", "schedule", "timeline", "books", "movements", "messages", "documents", "money", "parties", "looked")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_on_any_day(lender: Lender, tab: str) -> None:
    loan = lender.loan(agreed=loans.instalments())
    lender.live_until(ON + timedelta(days=40))
    loans.pay(loan, 500_000, lender.today)
    auditor = lender.browser("auditor")
    for more in ("", "&on=2026-03-20", "&on=2027-03-20", "&on=2026-04-01&known=2026-03-20", "&known=2026-03-02"):
        assert auditor.get(f"/staff/loans/{loan.pk}/?tab={tab}{more}").status_code == 200, more


def test_a_loan_without_money_opens_too(lender: Lender) -> None:
    booked = services.book_loan(
        party_id=lender.customer(), product="short", terms=loans.single_payment(), source="application:x", actor=SYSTEM
    )
    for tab in TABS:
        assert lender.browser("auditor").get(f"/staff/loans/{booked.pk}/?tab={tab}").status_code == 200


@pytest.mark.parametrize(
    ("on", "known"), [("", ""), ("2026-03-15", ""), ("2026-09-01", ""), ("2026-04-10", "2026-04-10")]
)
def test_the_page_shows_what_explain_says(lender: Lender, on: str, known: str) -> None:
    """Every balance of the page is the sum of the lines under it, and of `usance explain`'s lines."""
    loan = lender.loan()
    lender.live_until(date(2026, 4, 15))
    loans.pay(loan, 400_000, date(2026, 3, 12))  # back-dated: the days since are folded anew
    page = lender.browser("auditor").get(f"/staff/loans/{loan.pk}/?on={on}&known={known}")
    day = date.fromisoformat(on) if on else lender.today
    known_on = date.fromisoformat(known) if known else None
    sums: dict[str, int] = {}
    for line in selectors.explain(loan_id=loan.pk, on=day, known_on=known_on):
        sums[line.balance] = sums.get(line.balance, 0) + line.amount_minor
    shown = {one["code"]: one["minor"] for one in page.context["balances"]}
    assert shown == sums
    for one in page.context["balances"]:
        assert one["lines"][-1].total
        assert one["lines"][-1].amount == one["minor"]
    owed = sum(minor for code, minor in shown.items() if code != "unapplied")
    assert page.context["figures"][0]["minor"] == owed


def test_as_known_on_an_earlier_day_a_later_correction_is_not_there(lender: Lender) -> None:
    loan = lender.loan()
    lender.live_until(ON + timedelta(days=20))
    loans.pay(loan, 400_000, ON + timedelta(days=5))
    auditor = lender.browser("auditor")
    address = f"/staff/loans/{loan.pk}/?on={ON + timedelta(days=10)}"
    now = auditor.get(address).context["view"].standing.outstanding_minor
    then = auditor.get(f"{address}&known={ON + timedelta(days=10)}").context["view"].standing.outstanding_minor
    assert then > now


def test_the_future_is_a_projection_and_says_so(lender: Lender) -> None:
    loan, auditor = lender.loan(), lender.browser("auditor")
    page = auditor.get(f"/staff/loans/{loan.pk}/?on=2026-05-01")
    assert "if nothing else happens until then" in text_of(page)
    assert page.context["view"].standing.past_due_minor > 3_000_000
    assert "ahead=as_agreed" in page.content.decode()  # one step to the other supposition
    paid = auditor.get(f"/staff/loans/{loan.pk}/?on=2026-05-01&ahead=as_agreed&tab=timeline")
    assert "each later payment on its day" in text_of(paid)
    assert "Payment expected" in text_of(paid)
    assert (paid.context["view"].standing.status, paid.context["view"].standing.outstanding_minor) == ("closed", 0)


def test_both_days_are_said_in_plain_words_and_kept_from_tab_to_tab(lender: Lender) -> None:
    loan, auditor = lender.loan(), lender.browser("auditor")
    lender.live_until(ON + timedelta(days=20))
    loans.pay(loan, 400_000, ON + timedelta(days=5))
    page = auditor.get(f"/staff/loans/{loan.pk}/?on=2026-03-12&known=2026-03-14")
    assert "As it was on 12 March 2026, as we knew it on 14 March 2026" in text_of(page)
    assert all("on=2026-03-12&known=2026-03-14" in tab.href for tab in page.context["tabs"])
    assert {"Back to today", "As we know it today"} == {str(words) for words, _to in page.context["other_looks"]}
    assert page.context["acts"] == []  # one acts on what is
    for one in page.context["figures"]:
        if one["minor"]:
            assert one["lines"][-1].amount == one["minor"], one["label"]
    ahead = auditor.get(f"/staff/loans/{loan.pk}/?on=2026-03-20&known=2026-03-14&ahead=nothing_paid")
    assert "A look ahead to 20 March 2026, as we saw it on 14 March 2026" in text_of(ahead)
    for tab in ("books", "movements"):
        rows = auditor.get(f"/staff/loans/{loan.pk}/?tab={tab}&known=2026-03-14").context["table"].rows
        assert rows
        assert all(row.cells[0] <= date(2026, 3, 14) for row in rows)


def test_days_that_make_no_sense_are_refused_in_words(lender: Lender) -> None:
    loan = lender.loan()
    auditor = lender.browser("auditor")
    for asked in ("on=2020-01-01", "on=2999-01-01", "on=31.31.31", "known=2027-01-01"):
        page = auditor.get(f"/staff/loans/{loan.pk}/?{asked}")
        assert page.status_code == 422, asked
        assert page.context["view"].on == ON


def test_the_name_is_masked_and_every_look_is_noted(lender: Lender) -> None:
    loan = lender.loan()
    auditor = lender.browser("auditor")
    page = auditor.get(f"/staff/loans/{loan.pk}/?tab=schedule")
    assert "Tran Binh" not in text_of(page)
    looked = trail.who_looked(("servicing.loan", loan.pk)).get()
    assert (looked.actor_id, looked.details) == (str(lender.staff("auditor").pk), {"fields": ["loan.schedule"]})
    assert "Auditor" in text_of(auditor.get(f"/staff/loans/{loan.pk}/?tab=looked"))


def test_the_timeline_names_who_did_it_and_can_be_narrowed(lender: Lender) -> None:
    loan = lender.loan()
    cashier = lender.staff("cashier")
    from usance.ports.actor import staff

    services.receive_payment(
        loan_id=loan.pk, source="staff:x", amount_minor=100_000, value_on=ON, actor=staff(cashier.pk)
    )
    auditor = lender.browser("auditor")
    everything = auditor.get(f"/staff/loans/{loan.pk}/?tab=timeline").context["timeline"]
    money = auditor.get(f"/staff/loans/{loan.pk}/?tab=timeline&show=money").context["timeline"]
    assert [item.who for item in money][0] == "Cashier"
    assert [str(item.title) for item in money] == ["Payment received", "Money sent"]
    assert len(everything) > len(money)


def test_tabs_cost_no_queries_by_row(lender: Lender) -> None:
    loan = lender.loan()
    auditor = lender.browser("auditor")
    loans.pay(loan, 10_000, ON)
    before = {tab: queries(auditor, f"/staff/loans/{loan.pk}/?tab={tab}") for tab in TABS}
    for _number in range(5):
        loans.pay(loan, 10_000, ON)
    assert {tab: queries(auditor, f"/staff/loans/{loan.pk}/?tab={tab}") for tab in TABS} == before


def test_tabs_that_a_role_may_not_open_are_not_there(lender: Lender) -> None:
    from usance.apps.access import selectors as access

    loan = lender.loan()
    cashier = lender.browser("cashier")
    role = access.role_of_code("cashier")
    role.permissions = [code for code in role.permissions if code not in ("message.view", "payment.view")]
    role.save()
    page = cashier.get(f"/staff/loans/{loan.pk}/?tab=messages")
    assert page.context["tab"].code == "summary"
    assert "Messages" not in [str(tab.label) for tab in page.context["tabs"]]
