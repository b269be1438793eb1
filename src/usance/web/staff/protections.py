"""Protected statuses of a customer: recorded with their day and evidence, ended, or taken back as a mistake."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from usance.apps.customers import protections
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import permits
from usance.web.staff import protection_words, vocabulary
from usance.web.staff.customer_acts import confirming
from usance.web.staff.customers import party_of
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.web.templatetags import formats
from usance.workflows import protect_customer

OVER, MISTAKE = "over", "mistake"


class BeginForm(house.Form):
    kind = house.CardChoiceField(label=gettext_lazy("What is so?"))
    starts_on = forms.DateField(
        label=gettext_lazy("From which day"),
        widget=forms.DateInput,
        help_text=gettext_lazy(
            "Of an earlier day, penalties since then are taken back today, and interest where it is stopped."
        ),
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Until which day, if that is known"),
        required=False,
        widget=forms.DateInput,
        help_text=gettext_lazy("The first day on which it is no longer so. Empty: until somebody ends it."),
    )
    evidence = forms.CharField(
        label=gettext_lazy("How we know"),
        max_length=300,
        help_text=gettext_lazy("The paper, who issued it, its number and day. It is kept sealed."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = house.cards(self, "kind")
        field.choices = list(vocabulary.PROTECTION.items())
        field.widget.notes = {kind: protection_words.stopped(kind, today) for kind in vocabulary.PROTECTION}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and not date(1990, 1, 1) <= starts_on <= date(2200, 1, 1):
            self.add_error("starts_on", _("Enter a day of these years."))
        elif starts_on and ends_on and ends_on <= starts_on:
            self.add_error("ends_on", _("Choose a day after the first one."))
        return cleaned


class EndForm(house.Form):
    how = house.CardChoiceField(
        label=gettext_lazy("What happened?"),
        choices=[
            (OVER, gettext_lazy("It is over")),
            (MISTAKE, gettext_lazy("It was recorded by mistake and never was so")),
        ],
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Since which day is it over?"),
        required=False,
        widget=forms.DateInput,
        help_text=gettext_lazy("From this day on penalties and interest count again. Not needed for a mistake."),
    )

    def __init__(self, *args: Any, starts_on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.starts_on = starts_on

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        ends_on = cleaned.get("ends_on")
        if cleaned.get("how") == OVER and "ends_on" not in self.errors:
            if ends_on is None:
                self.add_error("ends_on", _("Enter the day, or say that it was a mistake."))
            elif ends_on <= self.starts_on:
                self.add_error("ends_on", _("Choose a day after the first one."))
        return cleaned


@permits.staff("customer.protect")
@require_http_methods(["GET", "POST"])
def begin(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """Records that the law protects the customer: what it stops is told before."""
    party = party_of(request, party_id, "customer.protect")

    def submit(form: Any) -> HttpResponse:
        protect_customer.begin(party_id=party.pk, actor=request.actor, **form.cleaned_data)
        messages.success(request, _("Recorded. What it stops is stopped."))
        return redirect("staff:customer", party_id=party.pk)

    form = BeginForm(sent(request), today=request.institution.business_date)
    effects = [
        ui.Effect(_("What the status stops is stopped at once, for all loans of this customer."), "warn"),
        ui.Effect(_("Where new loans are stopped, what was asked for and not received is declined."), "warn"),
        ui.Effect(_("What was said, debited or booked before stays history; penalties of protected days go back.")),
    ]
    context = confirming(party, _("The law protects this customer"), effects, label=_("Record"))
    return answer(request, "staff/customers/confirm.html", form, submit, **context)


@permits.staff("customer.protect")
@require_http_methods(["GET", "POST"])
def end(request: StaffRequest, protection_id: UUID) -> HttpResponse:
    """The status is over, or never was."""
    row = protections.protection(protection_id)
    if row is None:
        raise Http404
    party = party_of(request, row.party_id, "customer.protect")

    def submit(form: Any) -> HttpResponse:
        if form.cleaned_data["how"] == MISTAKE:
            protect_customer.withdraw(protection_id=row.pk, actor=request.actor, at=clock.now())
        else:
            protect_customer.end(protection_id=row.pk, ends_on=form.cleaned_data["ends_on"], actor=request.actor)
        messages.success(request, _("It is recorded."))
        return redirect("staff:customer", party_id=party.pk)

    form = EndForm(sent(request), starts_on=row.starts_on)
    since = formats.date_l(row.starts_on)
    effects = [
        ui.Effect(_("%(status)s since %(day)s.") % {"status": vocabulary.PROTECTION[row.kind], "day": since}),
        ui.Effect(_("From its end on, reminders, debits, penalties and interest go on as agreed."), "warn"),
        ui.Effect(_("If it was a mistake, penalties and interest count as if it had never been recorded."), "warn"),
    ]
    context = confirming(party, _("End a protected status"), effects, label=_("Record"))
    return answer(request, "staff/customers/confirm.html", form, submit, **context)
