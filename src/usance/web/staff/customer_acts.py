"""What staff do to a customer: another phone or address, a block and its end, a withdrawn consent, erasure."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from usance.apps.customers import authenticator, consents, selectors
from usance.apps.institutions import selectors as institutions
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import permits, visitors
from usance.web.staff import masks, vocabulary
from usance.web.staff.customers import party_of
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.workflows import changed_channels, customer_care, one_time_codes

PENDING = "staff_contact_code"
PHONE_EFFECTS = [
    ui.Effect(gettext_lazy("A code goes to the new number. The customer reads it to you.")),
    ui.Effect(gettext_lazy("A colleague must confirm the change; then it waits a day."), "warn"),
    ui.Effect(gettext_lazy("The number and address of before are told, and can stop it until then.")),
]
EMAIL_EFFECTS = [
    ui.Effect(gettext_lazy("A code goes to the new one. The customer reads it to you.")),
    ui.Effect(gettext_lazy("With the right code the new one counts at once, for messages."), "warn"),
    ui.Effect(gettext_lazy("The old one ends, and is told that it was replaced.")),
]


class PhoneForm(house.Form):
    value = house.PhoneField(label=gettext_lazy("New phone number"))


class EmailForm(house.Form):
    value = forms.EmailField(label=gettext_lazy("New e-mail address"), widget=forms.EmailInput)


class CodeForm(house.Form):
    code = house.CodeField(label=gettext_lazy("Code that the customer reads to you"))


class PhoneCodeForm(CodeForm):
    reason = forms.CharField(
        label=gettext_lazy("Why, and how you know that it is the customer"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class BlockForm(house.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Why"))
    ends_on = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput,
        help_text=gettext_lazy("The first day on which they may borrow again. Empty: until somebody ends it."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["reason"].choices = _choices(vocabulary.BLOCK_REASON)  # type: ignore[attr-defined]

    def clean_ends_on(self) -> date | None:
        found: date | None = self.cleaned_data["ends_on"]
        if found is not None and found <= self.today:
            raise forms.ValidationError(_("Choose a day after today's business date."))
        return found


class ReasonForm(house.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Why"))

    def __init__(self, *args: Any, reasons: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = _choices(reasons)  # type: ignore[attr-defined]


class EraseForm(ReasonForm):
    reference = forms.CharField(
        label=gettext_lazy("Customer number, to be sure"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_reference(self) -> str:
        typed = str(self.cleaned_data["reference"]).strip().upper()
        if typed != self.expected:
            raise forms.ValidationError(_("This is not the number of this customer."))
        return typed


def _choices(reasons: Any) -> list[tuple[str, Any]]:
    return [("", _("Choose")), *reasons.items()]


# --- contacts ----------------------------------------------------------------------------------------------------


@permits.staff("customer.edit")
@require_http_methods(["GET", "POST"])
def change_contact(request: StaffRequest, party_id: UUID, kind: str) -> HttpResponse:
    """A code goes to the new phone or address; the customer reads it out. An address counts at once, and the old one is
    told; a phone number needs a second person, and waits."""
    party = party_of(request, party_id, "customer.edit")

    def submit(form: Any) -> HttpResponse:
        who: dict[str, Any] = {"party_id": party.pk, "address": visitors.address(request), "at": clock.now()}
        value = form.cleaned_data["value"]
        if kind == "phone":
            made = changed_channels.send_phone_code(phone=value, **who)
        else:
            made = one_time_codes.send_contact_code(channel=kind, value=value, **who)
        pending = {"party": str(party.pk), "kind": kind, "code": str(made.code_id), "to": made.masked_to}
        request.session[PENDING] = pending
        return redirect("staff:contact_code", party_id=party.pk)

    form: Any = (PhoneForm if kind == "phone" else EmailForm)(sent(request))
    if kind == "phone":
        form.fields["value"].set_country(request.institution.country)
    title = _("Another phone number") if kind == "phone" else _("Another e-mail address")
    effects = PHONE_EFFECTS if kind == "phone" else EMAIL_EFFECTS
    context = confirming(party, title, effects, label=_("Send the code"))
    return answer(request, "staff/customers/confirm.html", form, submit, field="value", **context)


@permits.staff("customer.edit")
@require_http_methods(["GET", "POST"])
def contact_code(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """The code from the new phone or address. A wrong one is counted."""
    party = party_of(request, party_id, "customer.edit")
    pending = request.session.get(PENDING) or {}
    if pending.get("party") != str(party.pk):
        return redirect("staff:customer", party_id=party.pk)

    waits = pending["kind"] == "phone" and selectors.current_contact(party.pk, "phone") is not None
    given: dict[str, Any] = {"party_id": party.pk, "code_id": UUID(pending["code"]), "at": clock.now()}

    def submit(form: Any) -> HttpResponse:
        with transaction.atomic():
            code = form.cleaned_data["code"]
            if waits:
                reason = form.cleaned_data["reason"]
                said = changed_channels.propose_phone(code=code, maker=request.user, reason=reason, **given)
            else:
                said = one_time_codes.confirm_contact(code=code, actor=request.actor, **given)
        if isinstance(said, Refusal):
            raise said  # a wrong code is counted: nothing is undone
        del request.session[PENDING]
        if waits:
            return _back(request, party, _("Proposed: a colleague must confirm it. Then it waits a day."))
        return _back(request, party, _("Changed. The old one was told."))

    effects = [ui.Effect(_("The code was sent to %(to)s.") % {"to": pending["to"]}, "brand", "send")]
    label = _("Propose") if waits else _("Change")
    context = confirming(party, _("Code from the new contact"), effects, label=label)
    form = (PhoneCodeForm if waits else CodeForm)(sent(request))
    return answer(request, "staff/customers/confirm.html", form, submit, field="code", **context)


@permits.staff("customer.edit")
@require_http_methods(["GET", "POST"])
def unlink_app(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """For a customer who lost the phone with the app, and proved who they are."""
    party = party_of(request, party_id, "customer.edit")

    def submit(form: Any) -> HttpResponse:
        authenticator.unlink(party_id=party.pk, actor=request.actor, at=clock.now())
        return _back(request, party, _("The app is no longer linked."))

    effects = [
        ui.Effect(_("Only for a customer who showed you who they are: a document, or in person."), "warn"),
        ui.Effect(_("On a new device they are asked what they told us, as before they linked an app.")),
    ]
    context = confirming(party, _("Take the authenticator app off"), effects, label=_("Take the app off"), danger=True)
    form = ReasonForm(sent(request), reasons=vocabulary.WITHDRAW_REASON)
    return answer(request, "staff/customers/confirm.html", form, submit, **context)


# --- serving or not ----------------------------------------------------------------------------------------------


@permits.staff("customer.block")
@require_http_methods(["GET", "POST"])
def block(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """Puts everything by which the customer is known on the list of those we do not serve."""
    party = party_of(request, party_id, "customer.block")

    def submit(form: Any) -> HttpResponse:
        made = customer_care.block(party_id=party.pk, actor=request.actor, **form.cleaned_data)
        words = ngettext("Blocked: %(count)s entry was made.", "Blocked: %(count)s entries were made.", made)
        return _back(request, party, words % {"count": made})

    effects = [
        ui.Effect(
            _("The next application by the same phone, address, identity number, name or card is declined."), "bad"
        ),
        ui.Effect(_("Other people who share one of these are declined too."), "warn"),
        ui.Effect(_("Loans that run, and what is owed on them, stay as they are.")),
    ]
    context = confirming(party, _("No longer serve this customer"), effects, label=_("Block"), danger=True)
    form = BlockForm(sent(request), today=request.institution.business_date)
    return answer(request, "staff/customers/confirm.html", form, submit, **context)


@permits.staff("customer.block")
@require_http_methods(["GET", "POST"])
def unblock(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """Ends every entry that the customer meets."""
    party = party_of(request, party_id, "customer.block")

    def submit(form: Any) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        ended = customer_care.unblock(party_id=party.pk, because=reason, actor=request.actor, at=clock.now())
        words = ngettext("%(count)s entry has ended.", "%(count)s entries have ended.", ended)
        return _back(request, party, words % {"count": ended})

    count = len(customer_care.blocks_of(party_id=party.pk))
    words = ngettext(
        "%(count)s entry that this customer meets ends.", "%(count)s entries that this customer meets end.", count
    )
    effects = [
        ui.Effect(words % {"count": count}),
        ui.Effect(_("The rules decide on the next application as on anybody's."), "warn"),
        ui.Effect(_("Whoever shares such a phone, address or card is served again too."), "warn"),
    ]
    context = confirming(party, _("Serve this customer again"), effects, label=_("Unblock"))
    form = ReasonForm(sent(request), reasons=vocabulary.UNBLOCK_REASON)
    return answer(request, "staff/customers/confirm.html", form, submit, **context)


@permits.staff("customer.erase")
@require_http_methods(["GET", "POST"])
def erase(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """Proposes to destroy the key of one person. There is no way back, so a second person must agree."""
    party = party_of(request, party_id, "customer.erase")

    def submit(form: Any) -> HttpResponse:
        at = institutions.moment(request.institution, clock.now())
        customer_care.propose_erasure(party_id=party.pk, reason=form.cleaned_data["reason"], maker=request.user, at=at)
        return _back(request, party, _("Proposed. The data is erased when a second person agrees."))

    effects = [
        ui.Effect(_("A second person must agree; until then nothing happens."), "brand"),
        ui.Effect(
            _("Name, numbers, contacts, answers, documents and messages become unreadable, for everyone, for ever."),
            "bad",
        ),
        ui.Effect(_("The customer can no longer be found by anything but their number, nor sign in."), "bad"),
        ui.Effect(_("Amounts and dates of loans stay in the books, without a name.")),
    ]
    context = confirming(party, _("Erase this person's data"), effects, label=_("Propose to erase"), danger=True)
    form = EraseForm(sent(request), reasons=vocabulary.ERASE_REASON, expected=party.reference)
    return answer(request, "staff/customers/confirm.html", form, submit, **context)


# --- consents ----------------------------------------------------------------------------------------------------


@permits.staff("customer.edit")
@require_http_methods(["GET", "POST"])
def withdraw_consent(request: StaffRequest, consent_id: UUID) -> HttpResponse:
    """The customer takes back a consent or a mandate, by phone or letter."""
    given = consents.consent(consent_id)
    if given is None:
        raise Http404
    party = party_of(request, given.party_id, "customer.edit")

    def submit(form: Any) -> HttpResponse:
        consents.withdraw(
            party_id=party.pk,
            purpose=given.purpose,
            subject_id=given.subject_id,
            because=form.cleaned_data["reason"],
            actor=request.actor,
            at=clock.now(),
            on=request.institution.business_date,
        )
        return _back(request, party, _("The consent is withdrawn from today."))

    if given.withdrawn_at:
        messages.info(request, _("This consent was withdrawn already."))
        return redirect("staff:customer", party_id=party.pk)
    purpose = consents.PURPOSES[given.purpose]
    effects = [ui.Effect(_("From today we may no longer rely on: %(purpose)s.") % {"purpose": purpose.label}, "warn")]
    if purpose.about_one_thing:
        effects.append(ui.Effect(_("The card is not charged by us any more; the customer pays by themselves."), "warn"))
    elif purpose.required:
        effects.append(ui.Effect(_("Without it no new loan is possible. A running loan goes on."), "warn"))
    effects.append(ui.Effect(_("What was done under it before stays as it is.")))
    form = ReasonForm(sent(request), reasons=vocabulary.WITHDRAW_REASON)
    context = confirming(party, _("Withdraw a consent"), effects, label=_("Withdraw"), danger=True)
    return answer(request, "staff/customers/confirm.html", form, submit, **context)


# --- inside ------------------------------------------------------------------------------------------------------


def confirming(party: Any, title: str, effects: list[ui.Effect], *, label: str, danger: bool = False) -> dict[str, Any]:
    name = masks.shown("family_name", selectors.profile(party.pk).display_name, in_full=False)
    return {
        "party": party,
        "confirm_title": title,
        "who": f"{name} ({party.reference})" if name else party.reference,
        "confirm_label": label,
        "effects": effects,
        "danger": danger,
        "parent": "layouts/staff.html",
        "cancel_url": reverse("staff:customer", args=[party.pk]),
    }


def _back(request: StaffRequest, party: Any, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("staff:customer", party_id=party.pk)
