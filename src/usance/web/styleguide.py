"""All components in their states, for those who build pages: /styleguide/ and its other frames by `?frame=`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from usance.web import components as ui
from usance.web import forms as house
from usance.web import permits

TODAY = date(2026, 11, 20)
FRAMES = ("borrower", "staff", "question", "refused", "calculator", "waiting", "confirm", "signin")
VND = "VND"


class Everything(house.Form):
    """One of each field."""

    name = forms.CharField(label="Full name", help_text="As in your passport.")
    phone = house.PhoneField(country="VN", help_text="We send a code to it.")
    birthday = house.DateBoxesField(label="Date of birth", birthday=True, help_text="For example, 27 3 1994.")
    income = house.MoneyField(label="Income a month", currency=VND, min_minor=1)
    city = forms.ChoiceField(
        label="City", choices=[("", ""), ("hn", "Hà Nội"), ("hcm", "Hồ Chí Minh"), ("dn", "Đà Nẵng")]
    )
    code = house.CodeField(label="Code from the message")
    job = house.CardChoiceField(
        label="What do you do?",
        choices=[("work", "I work for somebody"), ("own", "I work for myself"), ("study", "I study")],
        notes={"own": "With or without a registered business"},
    )
    told = house.CardMultipleChoiceField(
        label="How may we remind you?",
        choices=[("sms", "SMS"), ("mail", "E-mail"), ("call", "A call")],
        inline=True,
        required=False,
    )
    note = forms.CharField(label="Anything else", widget=forms.Textarea, required=False)
    agree = house.ConsentField(
        label="You may ask the credit bureau about me.", hint="Once, for this application. You can take this back."
    )


class Question(house.Form):
    birthday = house.DateBoxesField(label="When were you born?", birthday=True, help_text="For example, 27 3 1994.")


class Wishes(house.Form):
    """The calculator."""

    amount = house.MoneySliderField(
        label="How much", currency=VND, min_minor=1_000_000, max_minor=15_000_000, step_minor=500_000, initial=5_000_000
    )
    days = house.CountSliderField(label="For how long", low=7, high=30, unit="days", initial=21)


class Filters(house.FilterForm):
    status = forms.ChoiceField(label="Status", choices=[("", "All"), ("due", "Past due")])
    due = forms.DateField(label="Due until")


LINES = [
    ui.Line("Principal", 5_000_000),
    ui.Line("Interest", 350_000, note="21 days at 0.333 % a day"),
    ui.Line("Fee for extension", 50_000),
    ui.Line("Paid on 12 November", -1_000_000),
    ui.Line("You owe today", 4_400_000, total=True),
]


def _rows() -> list[ui.Row]:
    states = [
        ui.Tag("Past due", "bad"),
        ui.Tag("Running", "good"),
        ui.Tag("In review", "warn"),
        ui.Tag("Closed", "neutral"),
    ]
    return [
        ui.Row(
            [
                f"L-10{n:02}",
                ui.Tag("Instalments", "brand", "calendar"),
                ui.Money(1_000_000 * (n + 3), VND),
                TODAY + timedelta(days=n * 3 - 4),
                states[n % 4],
            ],
            href=f"#loan-{n}",
            id=str(n),
        )
        for n in range(6)
    ]


def _table() -> ui.DataTable:
    columns = [
        ui.Column("number", "Loan", sort="number"),
        ui.Column("product", "Product"),
        ui.Column("owed", "Outstanding", numeric=True, sort="owed"),
        ui.Column("due", "Due", sort="due_on"),
        ui.Column("status", "Status"),
    ]
    page = Paginator(range(128), 6).page(2)
    return ui.DataTable(
        caption="Loans",
        columns=columns,
        rows=_rows(),
        empty=NOTHING,
        page=page,
        order="-owed",
        query={"status": "due"},
        bulk=[ui.BulkAction("export", "Export"), ui.BulkAction("remind", "Send a reminder")],
        totals=["Total", "", ui.Money(33_000_000, VND), "", ""],
    )


NOTHING = ui.Empty("No loans are past due", "When one is, it stands here the same morning.", "#", "See all loans")


def _schedule() -> dict[str, Any]:
    tags = [ui.Tag("Paid", "good"), ui.Tag("Due in 3 days", "warn"), None, None]
    states: list[Literal["", "now", "done"]] = ["done", "now", "", ""]
    rows = [
        ui.Instalment(
            n + 1,
            TODAY + timedelta(days=30 * n - 27),
            1_412_500,
            1_250_000,
            162_500 - n * 30_000,
            n * 30_000,
            tags[n],
            states[n],
        )
        for n in range(4)
    ]
    totals = ui.Instalment(0, TODAY, 5_650_000, 5_000_000, 470_000, 180_000)
    return {"rows": rows, "totals": totals}


def _timeline() -> list[ui.TimelineItem]:
    at = datetime(2026, 11, 12, 9, 14, tzinfo=UTC)
    return [
        ui.TimelineItem(
            "You pay the next instalment",
            date(2026, 11, 23),
            icon="calendar",
            is_next=True,
            amount=ui.Money(1_412_500, VND),
        ),
        ui.TimelineItem(
            "Payment received",
            at,
            "Spread over interest first, then principal.",
            "Card •••• 4242",
            ui.Money(1_000_000, VND),
            "good",
            "check",
        ),
        ui.TimelineItem(
            "The bank declined the debit",
            at - timedelta(days=1),
            "Not enough money on the card. Nothing was charged for trying.",
            "",
            None,
            "bad",
            "alert",
        ),
        ui.TimelineItem(
            "Money sent",
            at - timedelta(days=20),
            "Arrived after 41 seconds.",
            "",
            ui.Money(5_000_000, VND),
            "brand",
            "send",
        ),
    ]


def _charts() -> list[ui.Chart]:
    months = ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    money_in = [82_000_000, 91_500_000, 88_000_000, 104_000_000, 121_000_000, 97_300_000]
    money_out = [101_000_000, 97_000_000, 112_000_000, 109_500_000, 140_000_000, 88_000_000]
    return [
        ui.Chart(
            "cash",
            "Cash in and out",
            "bars",
            months,
            [ui.Series("In", money_in), ui.Series("Out", money_out)],
            VND,
            "last six months",
            "Month",
        ),
        ui.Chart(
            "apps",
            "Applications",
            "line",
            months,
            [ui.Series("Sent", [120, 141, 138, 160, 188, 149]), ui.Series("Approved", [71, 80, 84, 92, 110, 90])],
            head="Month",
        ),
        ui.Chart(
            "dpd",
            "Past due by bucket",
            "bars-sideways",
            ["1–30", "31–60", "61–90", "90+"],
            [ui.Series("Loans", [41, 17, 9, 12])],
            head="Days",
        ),
        ui.Chart(
            "mix",
            "Portfolio by product",
            "pie",
            ["Until payday", "Instalments"],
            [ui.Series("Outstanding", [310_000_000, 720_000_000])],
            VND,
            head="Product",
        ),
    ]


def _nav() -> list[ui.NavSection]:
    return [
        ui.NavSection(
            "Today",
            [
                ui.NavItem("Dashboard", "/styleguide/", "chart", True),
                ui.NavItem("Queue", "#q", "tray", count=14),
                ui.NavItem("Approvals", "#a", "scales", count=2),
            ],
        ),
        ui.NavSection(
            "Registers",
            [
                ui.NavItem("Customers", "#c", "people"),
                ui.NavItem("Loans", "#l", "book"),
                ui.NavItem("Past due", "#p", "clock", count=79),
                ui.NavItem("Payments", "#m", "card"),
            ],
        ),
        ui.NavSection(
            "House",
            [
                ui.NavItem("Products", "#pr", "rule"),
                ui.NavItem("Ledger", "#le", "bank"),
                ui.NavItem("Users and roles", "#u", "key"),
                ui.NavItem("Audit", "#au", "eye"),
            ],
        ),
    ]


def _marks() -> dict[str, Any]:
    """What says how something stands."""
    return {
        "tags": [
            ui.Tag("Draft"),
            ui.Tag("Running", "good"),
            ui.Tag("In review", "warn"),
            ui.Tag("Past due", "bad"),
            ui.Tag("Offer sent", "info", "send"),
            ui.Tag("Published", "brand", "flag"),
        ],
        "clocks": [
            ui.ClockBadge("Late", "by 12 min", "bad"),
            ui.ClockBadge("Soon", "25 min left", "warn"),
            ui.ClockBadge("In time", "3 h 10 min left", "good"),
            ui.ClockBadge("Paused", "applicant answers", paused=True),
        ],
        "summary": [
            ui.SummaryRow("Phone", "+84 ••• ••• 678", "#phone"),
            ui.SummaryRow("Date of birth", date(1994, 3, 27), "#birthday"),
            ui.SummaryRow("Income a month", ui.Money(18_000_000, VND), "#income", note="told by you"),
        ],
        "facts": [
            ui.KeyFact("You repay", ui.Money(5_350_000, VND)),
            ui.KeyFact("Cost of credit", ui.Money(350_000, VND), "interest only, no fees"),
            ui.KeyFact("Yearly cost (APR)", "223.4 %"),
            ui.KeyFact("Last day", date(2026, 12, 11)),
            ui.KeyFact("All you pay", ui.Money(5_350_000, VND), total=True),
        ],
        "received": ui.Money(5_000_000, VND),
        "tasks": [
            ui.Task("About you", ui.Tag("Done", "good"), "#1"),
            ui.Task("Your card", ui.Tag("Not started"), "#2", "You will need the card in your hand"),
            ui.Task("Sign", ui.Tag("Cannot start yet", icon="lock")),
        ],
    }


def _acts() -> dict[str, Any]:
    """What is asked before an act, and the ways around a page."""
    return {
        "diff": [
            ui.DiffRow("Daily rate", "0.30 %", "0.33 %"),
            ui.DiffRow("Grace days", 3, 3),
            ui.DiffRow("Fee for extension", ui.Money(40_000, VND), ui.Money(50_000, VND)),
        ],
        "effects": [
            ui.Effect("4,400,000 ₫ is taken from the card •••• 4242 now."),
            ui.Effect("The loan is closed and the letter is ready at once.", "good", "check"),
            ui.Effect("This cannot be taken back.", "warn", "alert"),
        ],
        "confirm_label": "Pay 4,400,000 ₫",
        "cancel_url": "?frame=borrower",
        "views": [
            ui.Tab("All", "#", count=128),
            ui.Tab("Past due", "#due", True, 41),
            ui.Tab("Mine", "#mine", count=6),
        ],
        "tabs": [
            ui.Tab("Overview", "#o", True),
            ui.Tab("Schedule", "#s"),
            ui.Tab("Ledger", "#l"),
            ui.Tab("Messages", "#m", count=3),
            ui.Tab("Who looked", "#w"),
        ],
    }


def samples(frame: str) -> dict[str, Any]:
    """Invented values for each component."""
    refused = frame == "refused"
    blank: dict[str, str] = {
        "phone": "12",
        "birthday_day": "31",
        "birthday_month": "2",
        "birthday_year": "2001",
        "income": "many",
    }
    return {
        "frame": frame,
        "frames": [ui.Tab(name, f"?frame={name}", name == frame) for name in FRAMES],
        "form": Question({"birthday_day": "31", "birthday_month": "2", "birthday_year": "2001"} if refused else None)
        if frame in ("question", "refused")
        else None,
        "everything": Everything(),
        "refused": Everything(blank),
        "wishes": Wishes(),
        "filters_form": Filters(),
        "lines": LINES,
        "table": _table(),
        "nothing": NOTHING,
        "schedule": _schedule(),
        "timeline": _timeline(),
        "charts": _charts(),
        "currency": VND,
        "owed": 4_400_000,
        **_marks(),
        **_acts(),
        "crumbs": [ui.Crumb("Loans", "#"), ui.Crumb("L-1003")],
        "nav": _nav(),
        "search_url": "/styleguide/",
        "staff_user": {"name": "Underwriter", "role": "Underwriter"},
        "logout_url": "",
        "step_now": 2,
        "step_total": 6,
        "back_url": "?frame=borrower",
        "poll_url": "/styleguide/?frame=waiting",
    }


@permits.public
def show(request: HttpRequest) -> HttpResponse:
    frame = request.GET.get("frame", "borrower")
    frame = frame if frame in FRAMES else "borrower"
    name = {"borrower": "styleguide", "refused": "styleguide_question"}.get(frame, f"styleguide_{frame}")
    return render(request, f"components/{name}.html", samples(frame))
