"""What is asked before an act that changes the course of a loan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.servicing import selectors
from usance.web import forms as house
from usance.web import reckoning, words
from usance.web.staff.loan_forms import AmountForm, ReasonForm, money
from usance.web.staff.product_words import VALUES
from usance.web.templatetags import formats
from usance.workflows import loan_course

FURTHEST = timedelta(days=3660)  # no date by hand lies further ahead
MOST_INSTALMENTS = 360
SPREADS: Mapping[str, tuple[Any, Any]] = {
    "levelled": (
        gettext_lazy("As equal instalments"),
        gettext_lazy("Unpaid interest is asked for first; interest goes on."),
    ),
    "equal_past": (
        gettext_lazy("As equal instalments, unpaid interest in shares"),
        gettext_lazy("The same, but unpaid interest is shared equally among them."),
    ),
    "equal_payable": (
        gettext_lazy("In equal parts, without further interest"),
        gettext_lazy("What is owed today is shared equally; no more interest is earned."),
    ),
    "equal_full": (
        gettext_lazy("In equal parts, with all the interest agreed"),
        gettext_lazy("The interest of the days to come is owed at once and shared equally."),
    ),
}
UNITS = ("days", "weeks", "half_months", "months")


def day(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=required, widget=forms.DateInput(attrs={"type": "date"})
    )


def within(on: date | None, first: date, last: date) -> date | None:
    if on is not None and not first <= on <= last:
        bounds = {"first": formats.date_l(first, "medium"), "last": formats.date_l(last, "medium")}
        raise forms.ValidationError(_("Choose a day from %(first)s to %(last)s.") % bounds)
    return on


class ChargeForm(AmountForm):
    balance = house.CardChoiceField(label=gettext_lazy("What is charged?"))
    due_on = day(
        gettext_lazy("Due with the instalment of"),
        gettext_lazy("Empty: today. Of an instalment that is past, it is past due at once."),
        required=False,
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("balance", "amount", "due_on", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, **kwargs)
        self.loan, self.today = loan, today
        terms = selectors.terms_of(loan)
        kinds = [f"fee:{fee.kind}" for fee in terms.fees if fee.when == "on_request"]
        kinds += ["penalty"] if terms.penalty else []
        self.fields["balance"].choices = [(kind, words.full_balance_name(kind)) for kind in kinds]  # type: ignore[attr-defined]

    def clean_due_on(self) -> date:
        day = self.cleaned_data["due_on"] or self.today
        within(day, self.loan.disbursed_on, self.today + FURTHEST)
        return day


class CreditForm(AmountForm):
    credit = house.CardChoiceField(label=gettext_lazy("Which credit is it?"))
    interest_too = forms.BooleanField(
        label=gettext_lazy("Give back the interest on it too"),
        help_text=gettext_lazy("What as much has borne since the money was paid out."),
        required=False,
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("credit", "amount", "interest_too", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, **kwargs)
        self.most, self.currency = loan.outstanding_minor, loan.currency
        house.cards(self, "credit").choices = [(code, capfirst(name)) for code, name in reckoning.CREDITS.items()]

    def clean_amount(self) -> int:
        amount: int = self.cleaned_data["amount"]
        if amount > self.most:
            raise forms.ValidationError(
                _("Credit at most what is owed: %(amount)s.") % {"amount": money(self.most, self.currency)}
            )
        return amount


class RestForm(ReasonForm):
    since = day(gettext_lazy("From the night of"), gettext_lazy("Also a day that is past."))
    until = day(gettext_lazy("Until the morning of"))
    field_order = ("since", "until", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"since": today})
        super().__init__(*args, **kwargs)
        self.loan, self.today = loan, today

    def clean_since(self) -> date | None:
        return within(self.cleaned_data["since"], self.loan.disbursed_on, self.today + FURTHEST)

    def clean_until(self) -> date | None:
        since = self.cleaned_data.get("since") or self.today
        return within(self.cleaned_data["until"], since + timedelta(days=1), self.today + FURTHEST)


class DatesForm(ReasonForm):
    moved_from = forms.ChoiceField(label=gettext_lazy("Which due date moves?"), required=False)
    moved_to = day(gettext_lazy("To which day?"), gettext_lazy("Those after it move with it."), required=False)
    more = forms.IntegerField(
        label=gettext_lazy("More instalments at the end"),
        help_text=gettext_lazy("What is left is then levelled over all of them. 0: none."),
        min_value=0, max_value=MOST_INSTALMENTS, initial=0,
    )  # fmt: skip
    field_order = ("moved_from", "moved_to", "more", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        dates = selectors.state_on(loan).due_dates
        self.fields["moved_from"].choices = [("", _("none")), *((str(day), formats.date_l(day)) for day in dates)]  # type: ignore[attr-defined]

    def clean_moved_to(self) -> date | None:
        return within(self.cleaned_data["moved_to"], self.today + timedelta(days=1), self.today + FURTHEST)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "moved_to" in cleaned and bool(cleaned.get("moved_from")) != bool(cleaned["moved_to"]):
            at = "moved_to" if cleaned.get("moved_from") else "moved_from"
            self.add_error(at, _("A date that moves needs both: which one, and where to."))
        elif "more" in cleaned and "moved_to" in cleaned and not cleaned["more"] and not cleaned["moved_to"]:
            self.add_error("moved_from", _("Choose a due date to move, or give more instalments."))
        return cleaned


class SpreadForm(ReasonForm):
    how = house.CardChoiceField(
        label=gettext_lazy("How is the debt spread?"),
        choices=[(name, title) for name, (title, _note) in SPREADS.items()],
        notes={name: note for name, (_title, note) in SPREADS.items()},
        initial="levelled",
    )
    start_on = day(
        gettext_lazy("First due date"),
        gettext_lazy("Empty: over the due dates that are still to come."),
        required=False,
    )
    count = forms.IntegerField(
        label=gettext_lazy("Number of instalments"), min_value=1, max_value=MOST_INSTALMENTS, required=False
    )
    every = forms.IntegerField(
        label=gettext_lazy("One payment every so many units"), min_value=1, max_value=366, initial=1
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Counted in"), choices=[(unit, VALUES[unit]) for unit in UNITS], initial="months"
    )
    field_order = ("how", "start_on", "count", "every", "unit", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.dates = today, selectors.state_on(loan).due_dates

    def clean_start_on(self) -> date | None:
        return within(self.cleaned_data["start_on"], self.today + timedelta(days=1), self.today + FURTHEST)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "start_on" not in cleaned or "count" not in cleaned:
            return cleaned
        start_on, count = cleaned["start_on"], cleaned["count"]
        if start_on and not count:
            self.add_error("count", _("Say how many instalments there are from the first due date on."))
        elif count and not start_on:
            self.add_error("start_on", _("Say when the first of these instalments is due."))
        elif not start_on and not self.dates:
            self.add_error("start_on", _("No due date is still to come: say when the first one shall be."))
        return cleaned


class IncomeForm(AmountForm):
    owed_by = house.CardChoiceField(label=gettext_lazy("Who owes it?"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("owed_by", "amount", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, **kwargs)
        house.cards(self, "owed_by").choices = [(code, capfirst(name)) for code, name in words.OWED_BY.items()]


class IncomeBackForm(AmountForm):
    income = house.CardChoiceField(label=gettext_lazy("Which income was too much?"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("income", "amount", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, **kwargs)
        self.currency = loan.currency
        self.left = {income.source: (income, left) for income, left in loan_course.incomes(loan.pk)}
        field = house.cards(self, "income")
        field.choices = [(source, money(left, self.currency)) for source, (_income, left) in self.left.items()]
        field.widget.notes = {
            source: f"{formats.date_l(income.effective_on)}: {words.OWED_BY[income.owed_by]}"
            for source, (income, _left) in self.left.items()
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        income, left = self.left.get(cleaned.get("income", ""), (None, 0))
        if income is None:
            return cleaned
        if "amount" in cleaned and cleaned["amount"] > left:
            most = {"amount": money(left, self.currency)}
            self.add_error("amount", _("Of this at most %(amount)s can be taken back.") % most)
        return cleaned | {"owed_by": income.owed_by}


class DisputeForm(AmountForm):
    payment = house.CardChoiceField(label=gettext_lazy("Which payment was disputed?"))
    balance = house.CardChoiceField(
        label=gettext_lazy("As what is it owed again?"),
        help_text=gettext_lazy("A payment that paid several balances takes one chargeback for each."),
        initial="principal",
    )
    value_on = day(
        gettext_lazy("Day on which the money was taken from us"),
        gettext_lazy("Interest is counted as if it had been booked on that day."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("The reason that the card scheme gave, and the number of its case."),
    )
    field_order = ("payment", "amount", "balance", "value_on", "reason")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"value_on": today})
        super().__init__(*args, loan=loan, **kwargs)
        self.currency, self.today = loan.currency, today
        self.left = {payment.source: (payment, left) for payment, left in loan_course.disputable(loan.pk)}
        field = house.cards(self, "payment")
        field.choices = [(source, money(left, self.currency)) for source, (_payment, left) in self.left.items()]
        field.widget.notes = {
            source: formats.date_l(payment.effective_on) for source, (payment, _left) in self.left.items()
        }
        terms = selectors.terms_of(loan)
        kinds = ["principal", "interest", *(f"fee:{fee.kind}" for fee in terms.fees)]
        kinds += ["penalty"] if terms.penalty else []
        kinds += [f"tax:{tax.kind}" for tax in terms.taxes]
        house.cards(self, "balance").choices = [(kind, words.full_balance_name(kind)) for kind in dict.fromkeys(kinds)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        payment, left = self.left.get(cleaned.get("payment", ""), (None, 0))
        if payment is None:
            return cleaned
        if "amount" in cleaned and cleaned["amount"] > left:
            most = {"amount": money(left, self.currency)}
            self.add_error("amount", _("Of this payment at most %(amount)s can be taken back.") % most)
        try:
            within(cleaned.get("value_on"), payment.effective_on, self.today)
        except forms.ValidationError as error:
            self.add_error("value_on", error)
        return cleaned


class WhyForm(ReasonForm):
    """Where nothing but the reason is asked."""

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
