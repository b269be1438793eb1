"""The application: one tight group of questions a page, saved as it is answered, resumed on any device."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from usance.apps.customers import consents
from usance.apps.origination import questions, selectors
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms, permits, refusals, visitors
from usance.web.borrower import changes, identity
from usance.web.templatetags import formats
from usance.web.widgets import DateBoxes, EmailInput, MoneyInput, TextInput
from usance.workflows import take_application

CHECK = "check"


class PageForm(forms.Form):
    """The questions of a page. What is wrong is said by the workflow, which is the one judge of answers."""

    def __init__(self, page: questions.Page, institution: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for asked in page.questions:
            field = _field(asked, institution)
            field.must_answer = asked.required
            forms.dress(asked.question.code, field)
            self.fields[asked.question.code] = field

    def raw(self) -> dict[str, str]:
        """What was typed, as text; the three boxes of a date as one."""
        typed = {}
        for name, field in self.fields.items():
            if isinstance(field.widget, DateBoxes):
                parts = [str(self.data.get(f"{name}_{part}", "")).strip() for part in ("day", "month", "year")]
                typed[name] = " ".join(parts) if any(parts) else ""
            else:
                typed[name] = str(self.data.get(name, ""))
        return typed


def _field(asked: questions.Asked, institution: Any) -> Any:
    question = asked.question
    options: dict[str, Any] = {"label": question.label, "help_text": question.hint, "required": False}
    if question.kind == "date":
        return forms.DateBoxesField(birthday=question.code == "birth_date", **options)
    if question.kind == "choice":
        return forms.CardChoiceField(choices=list((question.choices or {}).items()), **options)
    plain = forms.forms.CharField
    if question.kind == "money":
        widget = MoneyInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        widget.sign = formats.SIGNS.get(institution.currency, institution.currency)
        return plain(widget=widget, **options)
    if question.kind == "email":
        return plain(widget=EmailInput(attrs={"autocomplete": "email"}), **options)
    attrs = {"autocomplete": question.autocomplete} if question.autocomplete else {"autocomplete": "off"}
    if question.kind in ("whole", "identity"):
        attrs["inputmode"] = "numeric"
    return plain(widget=TextInput(attrs=attrs), **options)


def _shown(question: questions.Question, text: str, digits: int) -> Any:
    """A stored answer as its field shows it."""
    if question.kind == "date":
        return date.fromisoformat(text)
    if question.kind == "money":
        return formats.number(formats.as_decimal(int(text), digits))
    return text


class ConsentForm(forms.Form):
    """Each permission in its own box, with its words."""

    def __init__(self, asked: list[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in asked:
            self.fields[one.purpose] = forms.ConsentField(label=one.title, hint=one.body, required=one.required)


def _draft(request: HttpRequest) -> Any | None:
    found = selectors.open_application(party_id=request.party_id)  # type: ignore[attr-defined]
    return found if found is not None and found.state == "draft" else None


@permits.borrower
def begin(request: HttpRequest) -> HttpResponse:
    """Starts the application that the calculator asked for, or goes on with the open one."""
    found = selectors.open_application(party_id=request.party_id)  # type: ignore[attr-defined]
    wish = request.session.get(identity.WISH)
    if found is not None and found.state != "draft":
        return redirect("borrower:application")
    try:
        if found is None:
            if not wish:
                return redirect("/")
            found = _start(request, wish)
        elif wish:
            take_application.change_request(
                application_id=found.pk,
                amount_minor=wish["amount_minor"],
                term=wish["term"],
                product_code=wish["product"],
            )
    except Refusal as refusal:
        return render(request, "borrower/apply/refused.html", {"problem": refusals.sentence(refusal)})
    request.session.pop(identity.WISH, None)
    return _to(_open_page(found))


def _start(request: HttpRequest, wish: dict[str, Any]) -> Any:
    started = take_application.start(
        party_id=request.party_id,  # type: ignore[attr-defined]
        product_code=wish["product"],
        amount_minor=wish["amount_minor"],
        term=wish["term"],
        channel="web",
        language=request.LANGUAGE_CODE,
        source=identity.source_of(request),
        at=clock.now(),
        actor=identity.actor_of(request),
    )
    return started.application


def _open_page(application: Any) -> str:
    """Where to go on: the page after the last one that was answered, unless an earlier one is still open."""
    states = take_application.page_states(application_id=application.pk)
    code: str = next(state.page.code for state in states if not state.is_done)
    return code


def _pages(application: Any) -> list[questions.Page]:
    return selectors.pages(application)


def _to(code: str) -> HttpResponse:
    names = {CHECK: "borrower:check", "card": "borrower:link_card"}
    return redirect(names[code]) if code in names else redirect("borrower:question", code)


@permits.borrower
def question(request: HttpRequest, page: str) -> HttpResponse:
    """One page of questions: saved when it is sent, whatever comes after."""
    application = _draft(request)
    if application is None:
        return redirect("borrower:apply")
    pages = _pages(application)
    number = next((n for n, found in enumerate(pages) if found.code == page), None)
    if number is None:
        raise Http404
    shown = pages[number]
    if shown.kind == "consents":
        return _consents(request, application, pages, number)
    institution = request.institution  # type: ignore[attr-defined]
    if request.method == "POST":
        form = PageForm(shown, institution, request.POST)
        saved = take_application.save_page(
            application_id=application.pk,
            page=page,
            data=form.raw(),
            at=clock.now(),
            actor=identity.actor_of(request),
        )
        if not saved.errors:
            return _to(CHECK if request.GET.get("change") else _after(application, number))
        form.full_clean()
        form.errors.clear()
        for code, wrong in saved.errors.items():
            form.add_error(code, refusals.sentence(wrong) if isinstance(wrong, Refusal) else wrong)
    else:
        known = selectors.answers(application)
        initial = {
            asked.question.code: _shown(asked.question, known[asked.question.code], institution.currency_digits)
            for asked in shown.questions
            if known.get(asked.question.code)
        }
        form = PageForm(shown, institution, initial=initial)
    return render(request, "borrower/apply/question.html", _frame(request, pages, number) | {"form": form})


def _frame(request: HttpRequest, pages: list[questions.Page], number: int) -> dict[str, Any]:
    changing = request.GET.get("change")
    back = "/apply/check/" if changing else f"/apply/{pages[number - 1].code}/" if number else "/"
    return {"page": pages[number], "step_now": number + 1, "step_total": len(pages), "back_url": back}


def _consents(request: HttpRequest, application: Any, pages: list[questions.Page], number: int) -> HttpResponse:
    asked = take_application.consents_asked(application_id=application.pk, language=request.LANGUAGE_CODE)
    form = ConsentForm(asked, request.POST or None, initial={one.purpose: one.is_given for one in asked})
    if request.method == "POST" and form.is_valid():
        news = {one.purpose: one.text_id for one in asked if form.cleaned_data[one.purpose] and not one.is_given}
        take_application.save_consents(
            application_id=application.pk,
            given=news,
            evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
            at=clock.now(),
            actor=identity.actor_of(request),
        )
        return _to(_after(application, number))
    return render(request, "borrower/apply/question.html", _frame(request, pages, number) | {"form": form})


def _after(application: Any, number: int) -> str:
    """The next page that still has something open; what was told before is not asked again."""
    states = take_application.page_states(application_id=application.pk)
    for state in states[number + 1 :]:
        if not state.is_done or not all(state.values.values()):
            return state.page.code
    return CHECK


@permits.borrower
def link_card(request: HttpRequest) -> HttpResponse:
    """Links the card that the money goes to, on the provider's page; a card that is linked needs no second link."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    application = selectors.open_application(party_id=party_id)
    if application is None:
        return redirect("borrower:settings")
    pages = _pages(application)
    number = next((n for n, found in enumerate(pages) if found.code == "card"), len(pages) - 1)
    cards = list(payments.cards_of(party_id))
    if request.method == "POST":
        if "go_on" in request.POST and cards:
            return _to(CHECK) if application.state == "draft" else redirect("borrower:application")
        given = rails.give(
            kind="card_link",
            key=f"link:{request.POST.get('key', '')[:64]}",
            amount_minor=_small_amount(request.institution.currency_digits),  # type: ignore[attr-defined]
            party_id=party_id,
            subject_type="origination.application",
            subject_id=application.pk,
            then="changed_channels.card_linked",
            description=_("Card check, given back at once"),
            language=request.LANGUAGE_CODE,
            org_path=application.org_path,
            at=clock.now(),
            actor=identity.actor_of(request),
        )
        return redirect("borrower:payment", given.pk)
    context = {
        "cards": cards,
        "waiting": payments.waiting_cards(party_id, changes.moment(request)),
        "had_card": payments.had_card_before(party_id, but_for=application.pk),
        "key": secrets.token_hex(16),
        "application": application,
        **_frame(request, pages, number),
    }
    return render(request, "borrower/apply/card.html", context)


def _small_amount(digits: int) -> int:
    """A random small amount, which the holder reads in their bank's app: that shows the card is theirs."""
    return (100 + secrets.randbelow(100)) * 10 ** max(0, 2 - digits)


@permits.borrower
def check(request: HttpRequest) -> HttpResponse:
    """All answers with their Change links; sending them freezes the terms."""
    application = _draft(request)
    if application is None:
        return redirect("borrower:application")
    problem = ""
    if request.method == "POST":
        try:
            take_application.submit(
                application_id=application.pk,
                key=request.POST.get("key", "")[:64],
                at=clock.now(),
                actor=identity.actor_of(request),
            )
        except Refusal as refusal:
            problem = refusals.sentence(refusal)
        else:
            return redirect("borrower:application")
    lines = take_application.check_answers(application_id=application.pk)
    context = {
        "application": application,
        "rows": [_row(request, line) for line in lines],
        "amount": formats.money(application.amount_minor, request.institution),  # type: ignore[attr-defined]
        "cards": payments.cards_of(application.party_id),
        "key": secrets.token_hex(16),
        "problem": problem,
        "back_url": f"/apply/{_pages(application)[-2].code}/",
    }
    return render(request, "borrower/apply/check.html", context)


def _row(request: HttpRequest, line: Any) -> ui.SummaryRow:
    value = line.value
    if line.kind == "money" and isinstance(value, int):
        value = formats.money(value, request.institution)  # type: ignore[attr-defined]
    elif isinstance(value, date):
        value = formats.date_l(value)
    return ui.SummaryRow(
        label=line.label, value=value if value not in ("", None) else "–", href=f"/apply/{line.page}/?change=1"
    )


@permits.public
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """The link from the message: it says which site to go on at; who may go on is proved by the phone's code."""
    if selectors.application_of_token(token=token) is None:
        raise Http404
    return redirect("borrower:apply")
