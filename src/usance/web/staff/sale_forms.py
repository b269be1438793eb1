"""What is asked before a loan is sold, and when money passes between its buyer and us."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from usance.apps.servicing import selectors
from usance.core.loan.movements import FROM_BUYER, TO_BUYER
from usance.web import forms as house
from usance.web.staff.course_forms import day, within
from usance.web.staff.loan_forms import MOST, AmountForm


class _DayForm(AmountForm):
    """An amount, and the day from which it counts."""

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        kwargs["initial"] = {"value_on": today, **kwargs.get("initial", {})}
        super().__init__(*args, loan=loan, **kwargs)
        self.first, self.today = loan.disbursed_on or today, today

    def clean_value_on(self) -> date | None:
        return within(self.cleaned_data["value_on"], self.first, self.today)


class SellForm(_DayForm):
    amount = house.MoneyField(label=gettext_lazy("Price"), min_minor=1, max_minor=MOST)
    buyer = forms.CharField(label=gettext_lazy("Buyer"), max_length=120)
    contact = forms.CharField(
        label=gettext_lazy("Where the borrower reaches the buyer"),
        max_length=200,
        help_text=gettext_lazy("The borrower is told: an address, a phone number, an account."),
    )
    value_on = day(
        gettext_lazy("Last day of ours"),
        gettext_lazy("What was paid until then, on this day too, is ours; what is paid later is the buyer's."),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("buyer", "contact", "amount", "value_on", "reason")


class _SettleForm(_DayForm):
    """All of a balance between the buyer and us, unless less is said."""

    balance: ClassVar[str]
    value_on = day(gettext_lazy("Day on which the money moved"))
    reason = forms.CharField(label=gettext_lazy("Reference of the bank or the receipt"), max_length=80)
    field_order = ("amount", "value_on", "reason")

    def __init__(self, *args: Any, loan: Any, **kwargs: Any) -> None:
        there = selectors.state_on(loan).balances.get(self.balance)
        super().__init__(*args, loan=loan, initial={"amount": there}, **kwargs)


class BuyerPaidForm(_SettleForm):
    balance = FROM_BUYER


class ForwardForm(_SettleForm):
    balance = TO_BUYER
