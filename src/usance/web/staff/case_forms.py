"""The forms of applications: what to search for, what a person decides, whom to give a case."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.decisioning import reasons
from usance.apps.origination import states
from usance.web import forms as house
from usance.web import words
from usance.web.staff import queue
from usance.web.templatetags import formats

REASONS = {"approve": reasons.FOR_APPROVE, "decline": reasons.FOR_DECLINE, "ask": reasons.FOR_ASK}
LONGEST_QUESTION, LONGEST_NOTE = 500, 2000


class RegisterForm(house.FilterForm):
    """The register's filters; what is not valid filters nothing and says so."""

    q = forms.CharField(label=gettext_lazy("Number, phone or name"), max_length=100)
    state = forms.ChoiceField(label=gettext_lazy("State"))
    product = forms.ChoiceField(label=gettext_lazy("Product"))
    since = forms.DateField(label=gettext_lazy("Sent from"), widget=forms.DateInput)
    until = forms.DateField(label=gettext_lazy("Sent until"), widget=forms.DateInput)
    party = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ("q", "state", "product", "since", "until", "party")

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = [("", _("All"))]
        known = [(code, name) for code, (name, _tone) in words.APPLICATION_STATE.items() if code in SEARCHED]
        self.fields["state"].choices = everything + known  # type: ignore[attr-defined]
        self.fields["product"].choices = everything + queue.product_choices(language)  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


SEARCHED = [state for state in states.TRANSITIONS if state not in (states.DRAFT, states.DECIDING)]


class ReviewForm(house.Form):
    """What a person decides about a case. One form for the three verdicts, so that a refusal loses nothing typed."""

    amount_minor = house.MoneyField(label=gettext_lazy("Amount to offer"), required=False)
    approve_reasons = house.CardMultipleChoiceField(label=gettext_lazy("Why approve"), required=False)
    decline_reasons = house.CardMultipleChoiceField(label=gettext_lazy("Why decline"), required=False)
    question = forms.CharField(
        label=gettext_lazy("Question to the applicant"),
        required=False,
        max_length=LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The applicant reads it word by word. The clock stands still until they answer."),
    )
    ask_reasons = house.CardMultipleChoiceField(label=gettext_lazy("What is missing"), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note for colleagues"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept with the decision. The applicant never sees it."),
    )

    def __init__(self, *args: Any, row: Any, config: Any, verdict: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"amount_minor": row.amount_minor})
        super().__init__(*args, **kwargs)
        self.verdict = verdict
        amount: Any = self.fields["amount_minor"]
        amount.set_currency(row.currency)
        amount.help_text = _("Asked for %(asked)s. At least %(least)s, in steps of %(step)s.") % {
            "asked": formats.money(row.amount_minor, row.currency),
            "least": formats.money(config.amount.min_minor, row.currency),
            "step": formats.money(config.amount.step_minor, row.currency),
        }
        for name, codes in REASONS.items():
            field: Any = self.fields[f"{name}_reasons"]
            field.choices = [(code, reasons.staff_text(code)) for code in codes]
        self.fields["decline_reasons"].widget.notes = {code: told(code) for code in REASONS["decline"]}

    @property
    def reasons(self) -> list[str]:
        """What speaks for the verdict that was given."""
        return list(self.cleaned_data[f"{self.verdict}_reasons"])

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.verdict not in REASONS:
            self.add_error(None, _("Choose whether to approve, to decline or to ask."))
            return given
        mine = f"{self.verdict}_reasons"
        if mine not in self.errors and not given.get(mine):
            self.add_error(mine, _("Choose at least one reason."))
        for other in REASONS:
            if other != self.verdict and given.get(f"{other}_reasons"):
                self.add_error(f"{other}_reasons", _("These reasons are for something else. Take the ticks away."))
        if self.verdict == "approve" and "amount_minor" not in self.errors and given.get("amount_minor") is None:
            self.add_error("amount_minor", _("Say how much to offer."))
        if self.verdict == "ask" and "question" not in self.errors and not given.get("question", "").strip():
            self.add_error("question", _("Write what the applicant should answer."))
        return given


def told(code: str) -> str:
    """What the applicant will read for a reason."""
    sentence = reasons.text(code)
    if sentence is None:
        return _("Not told. The applicant reads: “%(words)s”") % {"words": reasons.GENERAL}
    return _("The applicant reads: “%(words)s”") % {"words": sentence}


class GiveForm(house.Form):
    """To whom a supervisor gives a case."""

    user_id = forms.ChoiceField(label=gettext_lazy("Give the case to"))

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Choose somebody")), *((str(one.pk), one.name) for one in people)]
        self.fields["user_id"].choices = choices  # type: ignore[attr-defined]
