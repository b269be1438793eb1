"""What is asked before an act on a loan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.web import forms as house
from usance.web import words
from usance.web.templatetags import formats

money = formats.money
MOST = 10**14  # no single act moves more, in minor units
HOW = (
    ("bank", gettext_lazy("To our bank account")),
    ("cash", gettext_lazy("Over the counter")),
    ("other", gettext_lazy("Another way")),
)
UNDOABLE = frozenset(
    {"payment_received", "recovered", "waived", "fee_added", "extended", "rate_changed", "penalty_paused"}
    | {"penalty_resumed", "written_off", "refunded", "charged", "charged_back", "credited", "interest_paused"}
    | {"rescheduled", "respread", "terminated", "charged_off", "terms_corrected", "sold", "buyer_paid", "forwarded"}
    | {"put_on_non_accrual", "restored_to_accrual"}
    | {"income_deferred", "income_taken_back"}
)


def carrying(answers: Mapping[str, str]) -> house.Form:
    """The answers of a form in hidden fields, for the page that asks for confirmation."""
    fields = {
        name: forms.CharField(initial=value, required=False, widget=forms.HiddenInput)
        for name, value in answers.items()
    }
    made: house.Form = type("CarryingForm", (house.Form,), fields)()
    return made


class ReasonForm(house.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)


class AmountForm(house.Form):
    amount = house.MoneyField(label=gettext_lazy("Amount"), min_minor=1, max_minor=MOST)

    def __init__(self, *args: Any, loan: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].set_currency(loan.currency)  # type: ignore[attr-defined]


class ReceiveForm(AmountForm):
    how = house.CardChoiceField(label=gettext_lazy("How did it come?"), choices=HOW, inline=True)
    value_on = forms.DateField(
        label=gettext_lazy("Day on which we had the money"),
        help_text=gettext_lazy("Interest and penalties are counted as if it had been booked on that day."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference of the bank or the receipt"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("The same reference is booked only once."),
    )
    field_order = ("amount", "how", "value_on", "reference")

    def __init__(self, *args: Any, loan: Any, today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"value_on": today, "how": "bank"})
        super().__init__(*args, loan=loan, **kwargs)
        self.first, self.today = loan.disbursed_on, today

    def clean_value_on(self) -> date:
        day: date = self.cleaned_data["value_on"]
        if not self.first <= day <= self.today:
            bounds = {"first": formats.date_l(self.first, "medium"), "last": formats.date_l(self.today, "medium")}
            raise forms.ValidationError(_("Choose a day from %(first)s to %(last)s.") % bounds)
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("how") == "bank" and not cleaned.get("reference"):
            self.add_error("reference", _("Enter the bank's reference, so that the money is found again."))
        return cleaned


class DebitForm(AmountForm):
    def __init__(self, *args: Any, loan: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"amount": loan.past_due_minor or loan.due_now_minor})
        super().__init__(*args, loan=loan, **kwargs)
        self.most, self.currency = loan.due_now_minor, loan.currency

    def clean_amount(self) -> int:
        amount: int = self.cleaned_data["amount"]
        if amount > self.most:
            raise forms.ValidationError(
                _("Debit at most what is due: %(amount)s.") % {"amount": money(self.most, self.currency)}
            )
        return amount


class ExtendForm(house.Form):
    days = house.CardChoiceField(label=gettext_lazy("By how many days?"))

    def __init__(self, *args: Any, loan: Any, options: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["days"]
        field.choices = [(str(one.days), formats.days(one.days)) for one in options]  # type: ignore[attr-defined]
        field.widget.notes = {
            str(one.days): (
                _("new due date: %(day)s") % {"day": formats.date_l(one.new_due_on)},
                money(one.price_minor, loan.currency),
            )
            for one in options
        }


class WaiveForm(AmountForm):
    balance = house.CardChoiceField(label=gettext_lazy("What is forgiven?"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("balance", "amount", "reason")

    def __init__(self, *args: Any, loan: Any, balances: Mapping[str, int], alone_minor: int, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, **kwargs)
        field = self.fields["balance"]
        field.choices = [(name, words.full_balance_name(name)) for name in balances]  # type: ignore[attr-defined]
        field.widget.notes = {name: ("", money(minor, loan.currency)) for name, minor in balances.items()}
        self.fields["amount"].help_text = _("Above %(amount)s a second person must approve it.") % {
            "amount": money(alone_minor, loan.currency)
        }


class RateForm(house.Form):
    share = house.PercentField(label=gettext_lazy("New rate, in per cent"))
    value_on = forms.DateField(
        label=gettext_lazy("From which day"),
        help_text=gettext_lazy(
            "Of an earlier day, interest since then is counted anew and the difference booked today."
        ),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)

    def __init__(self, *args: Any, loan: Any, borne: str, today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"value_on": today})
        super().__init__(*args, **kwargs)
        self.first, self.today = loan.disbursed_on, today
        self.fields["share"].help_text = _("The loan bears %(rate)s today.") % {"rate": borne}

    def clean_share(self) -> Decimal:
        share: Decimal = self.cleaned_data["share"]
        if not 0 <= share <= 1:
            raise forms.ValidationError(_("Enter a rate from 0 to 100 per cent."))
        return share

    def clean_value_on(self) -> date:
        day: date = self.cleaned_data["value_on"]
        if self.first and not self.first <= day <= self.today:
            bounds = {"first": formats.date_l(self.first, "medium"), "last": formats.date_l(self.today, "medium")}
            raise forms.ValidationError(_("Choose a day from %(first)s to %(last)s.") % bounds)
        return day


class SendBackForm(AmountForm):
    payment = house.CardChoiceField(label=gettext_lazy("From which payment?"))
    field_order = ("payment", "amount")

    def __init__(self, *args: Any, loan: Any, payments: list[tuple[Any, int]], **kwargs: Any) -> None:
        most = max((left for _one, left in payments), default=0)
        kwargs.setdefault("initial", {"amount": most or None, "payment": str(payments[0][0].pk) if payments else None})
        super().__init__(*args, loan=loan, **kwargs)
        field = self.fields["payment"]
        field.choices = [(str(one.pk), _payment_words(one)) for one, _left in payments]  # type: ignore[attr-defined]
        field.widget.notes = {
            str(one.pk): (_("up to %(amount)s") % {"amount": money(left, loan.currency)}, "") for one, left in payments
        }


def _payment_words(one: Any) -> str:
    when = formats.date_l(one.value_at or one.settled_at, "medium")
    card = f" · {one.card}" if one.card else ""
    return f"{money(one.booked_minor, one.currency)} · {when}{card}"


class DrawForm(AmountForm):
    card = house.CardChoiceField(label=gettext_lazy("To which card?"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)
    field_order = ("amount", "card", "reason")

    def __init__(self, *args: Any, loan: Any, drawing: Any, cards: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, **kwargs)
        choices = [(str(card.pk), str(card)) for card in cards]
        self.fields["card"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["card"].initial = choices[0][0]
        if drawing is not None:
            self.fields["amount"].max_minor = min(MOST, drawing.left_minor)  # type: ignore[attr-defined]
            told = {"left": money(drawing.left_minor, loan.currency), "day": formats.date_l(drawing.until)}
            self.fields["amount"].help_text = _("Up to %(left)s, until %(day)s.") % told


class ReverseForm(house.Form):
    entry = house.CardChoiceField(label=gettext_lazy("What is undone?"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)

    def __init__(self, *args: Any, loan: Any, lines: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        undoable = [line for line in lines if line.kind in UNDOABLE and not line.is_undone and not line.is_fact]
        field = self.fields["entry"]
        field.choices = [(line.source, words.HAPPENED[line.kind][0]) for line in undoable]  # type: ignore[attr-defined]
        field.widget.notes = {
            line.source: (
                formats.date_l(line.on),
                money(line.amount_minor, loan.currency) if line.amount_minor else "",
            )
            for line in undoable
        }
