"""The portfolio on any past day at the desk: the figures, their file, and the loans and movements behind them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

from tests.apps.servicing import loans
from tests.web.staff.lending import ON, Lender
from usance.apps.servicing import selectors

PAGE = "/staff/books/portfolio/"
DAYS = "on=2026-03-06&known=2026-03-10"


def lived(lender: Lender) -> list[Any]:
    """Eight days of three loans; on the sixth a payment of the second comes to light."""
    made = [lender.loan(), lender.loan(agreed=loans.single_payment(days=3)), lender.loan(org_path="root.north")]
    lender.live_until(ON + timedelta(days=6))
    loans.pay(made[0], 500_000, ON + timedelta(days=2))
    lender.live_until(ON + timedelta(days=8))
    return made


def test_a_past_day_its_file_and_what_is_behind_each_figure(lender: Lender) -> None:
    lived(lender)
    accountant = lender.browser("accountant")
    what_was_known_then_what_was_learned_and_what_is_known_now(accountant)
    each_figure_opens_the_loans_and_movements_that_make_it(accountant)
    the_file_adds_up_to_the_page(accountant)
    nonsense_is_told(accountant)
    for address in (PAGE, f"{PAGE}loans/", f"{PAGE}learned/", "/staff/books/portfolio.csv"):
        assert lender.browser("cashier").get(address).status_code == 403
        for role in ("auditor", "compliance"):
            assert lender.browser(role).get(address).status_code == 200


def what_was_known_then_what_was_learned_and_what_is_known_now(accountant: Any) -> None:
    page = accountant.get(f"{PAGE}?{DAYS}")
    rows = {str(row.cells[0]): [cell.minor for cell in row.cells[1:]] for row in page.context["money"].rows}
    assert rows["Principal"] == [9_000_000, -440_000, 8_560_000]  # two days' interest was paid first
    assert page.context["off_by"] == 0
    text = page.content.decode()
    assert "All loans at the end of 6 March 2026, as we knew it on 10 March 2026" in text
    assert "agree with the trial balance" in text
    statuses = {(str(row.cells[0]), row.cells[1]): row.cells[2:] for row in page.context["statuses"].rows}
    assert statuses == {("Running", ""): [2, 0, 2], ("Past due", "1\u201330 days"): [1, 0, 1]}
    one = accountant.get(f"{PAGE}?on=2026-03-06&known=2026-03-06").context["money"].rows[0].cells
    assert [cell.minor for cell in one[1:]] == [9_000_000]


def each_figure_opens_the_loans_and_movements_that_make_it(accountant: Any) -> None:
    page = accountant.get(f"{PAGE}?{DAYS}")
    behind = accountant.get(page.context["money"].rows[1].href)
    assert behind.status_code == 200
    shown = [row.cells[4].minor for row in behind.context["table"].rows]
    assert sum(shown) == behind.context["whole"] == page.context["money"].rows[1].cells[-1].minor
    assert accountant.get(behind.context["table"].rows[0].href).context["view"].on == ON + timedelta(days=4)
    late = accountant.get(page.context["statuses"].rows[1].href)
    assert [row.cells[2] for row in late.context["table"].rows] == [1]
    learned = accountant.get(page.context["learned_url"] + "&measure=principal")
    assert sum(row.cells[-1].minor for row in learned.context["table"].rows) == -440_000
    entry = accountant.get(learned.context["table"].rows[0].href)
    assert "What was true on 4 March 2026" in entry.content.decode()


def the_file_adds_up_to_the_page(accountant: Any) -> None:
    response = accountant.get(f"/staff/books/portfolio.csv?{DAYS}")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert sum(int(row["known"]) for row in rows if row["measure"] == "principal") == 8_560_000
    assert sum(int(row["known"]) for row in rows if row["measure"] == "loans") == 3
    assert {row["branch"] for row in rows} == {"root", "root.north"}


def nonsense_is_told(accountant: Any) -> None:
    for asked in ("on=x", "on=2027-01-01", "on=2026-03-06&known=2026-03-05", "branch=nowhere", "product=none"):
        assert accountant.get(f"{PAGE}?{asked}").status_code == 422, asked
    for asked in ("measure=gold", "status=lost", "status=past_due&bucket=7"):
        assert accountant.get(f"{PAGE}loans/?{asked}").status_code == 404, asked
    assert accountant.get(f"{PAGE}loans/?measure=interest&after=x").status_code == 200


def test_a_branch_sees_its_own_figures_only(lender: Lender) -> None:
    from usance.apps.institutions import selectors as institutions
    from usance.apps.institutions import services as founding

    founding.add_unit(parent=institutions.units().get(path="root"), code="north", name="North", kind="branch")
    lived(lender)
    northern = lender.browser("accountant", "northern", "root.north")
    page = northern.get(f"{PAGE}?{DAYS}")
    assert page.context["money"].rows[0].cells[-1].minor == 3_000_000
    assert page.context["off_by"] == 0
    assert len(list(northern.get(page.context["money"].rows[0].href).context["table"].rows)) == 1
    assert northern.get(f"{PAGE}?branch=root").status_code == 422


def test_no_loans_yet_is_said(lender: Lender) -> None:
    page = lender.browser("accountant").get(PAGE)
    assert "There were no loans on this day" in page.content.decode()
    assert selectors.portfolio()["count"] == 0
