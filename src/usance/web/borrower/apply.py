"""The application: one tight group of questions a page, saved as it is answered, resumed on any device."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from usance.apps.customers import consents
from usance.apps.customers.refusals import ConsentTextOutdated
from usance.apps.origination import questions, selectors
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import forms, permits, refusals, visitors
from usance.web.borrower import identity, typed
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
    """Each permission in its own box, with its words; `texts` says which wordings the page showed."""

    texts = forms.forms.CharField(widget=forms.forms.HiddenInput, required=False)

    def __init__(self, asked: list[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.words = " ".join(sorted(str(one.text_id) for one in asked))
        self.fields["texts"].initial = self.words
        for one in asked:
            self.fields[one.purpose] = forms.ConsentField(label=one.title, hint=one.body, required=one.required)

    @property
    def words_changed(self) -> bool:
        """The boxes were ticked beside other words than those in force now."""
        return self.is_bound and self.data.get("texts", "") != self.words

    def clean(self) -> dict[str, Any]:
        if self.words_changed:
            raise forms.forms.ValidationError("")  # the page shows the new words instead
        return super().clean() or self.cleaned_data


def draft(request: HttpRequest) -> Any | None:
    found = selectors.open_application(party_id=request.party_id)  # type: ignore[attr-defined]
    return found if found is not None and found.state == "draft" else None


def unfinished(request: HttpRequest) -> HttpResponse:
    """The draft that a page belonged to has ended or was sent, perhaps in another tab: to where it stands now."""
    if request.method == "POST":
        typed.keep(request)
        messages.warning(request, _("This application is no longer open for changes. Here is where it stands."))
    return redirect("borrower:application")


@permits.borrower
def begin(request: HttpRequest) -> HttpResponse:
    """Starts the application that the calculator asked for, or goes on with the open one."""
    found = selectors.open_application(party_id=request.party_id)  # type: ignore[attr-defined]
    wish = request.session.get(identity.WISH)
    if found is not None and found.state != "draft":
        if request.session.pop(identity.WISH, None):
            messages.info(request, _("You have an application under way. Finish or withdraw it before you ask anew."))
        return redirect("borrower:application")
    try:
        if found is None:
            if not wish:
                return redirect("borrower:application")
            found = _start(request, wish)
        elif wish:
            take_application.change_request(
                application_id=found.pk,
                amount_minor=wish["amount_minor"],
                term=wish["term"],
                product_code=wish["product"],
            )
    except Refusal as refusal:
        request.session.pop(identity.WISH, None)
        return render(request, "borrower/apply/refused.html", {"problem": refusals.sentence(refusal)})
    request.session.pop(identity.WISH, None)
    return to(open_page(found))


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


def open_page(application: Any) -> str:
    """Where to go on: the page after the last one that was answered, unless an earlier one is still open."""
    states = take_application.page_states(application_id=application.pk)
    code: str = next(state.page.code for state in states if not state.is_done)
    return code


def to(code: str) -> HttpResponse:
    names = {CHECK: "borrower:check", "card": "borrower:link_card"}
    return redirect(names[code]) if code in names else redirect("borrower:question", code)


@permits.borrower
def question(request: HttpRequest, page: str) -> HttpResponse:
    """One page of questions: saved when it is sent, whatever comes after."""
    application = draft(request)
    if application is None:
        return unfinished(request)
    pages = selectors.pages(application)
    number = next((n for n, found in enumerate(pages) if found.code == page), None)
    if number is None:
        raise Http404
    if number and not take_application.is_known(party_id=application.party_id):
        return to(pages[0].code)  # who it is comes first: before that nothing is kept
    shown = pages[number]
    if shown.kind == "consents":
        return _consents(request, application, pages, number)
    context = frame(request, pages, number) | {"application": application}
    form = _saved(request, application, shown) if request.method == "POST" else _opened(request, application, shown)
    if form is None:
        typed.forget(request)
        return to(CHECK if request.GET.get("change") else _after(application, number))
    return render(request, "borrower/apply/question.html", context | {"form": form})


def _saved(request: HttpRequest, application: Any, shown: questions.Page) -> PageForm | None:
    """Saves what was sent; the form with what is wrong, or None when all was right."""
    form = PageForm(shown, request.institution, request.POST)  # type: ignore[attr-defined]
    saved = take_application.save_page(
        application_id=application.pk,
        page=shown.code,
        data=form.raw(),
        at=clock.now(),
        actor=identity.actor_of(request),
    )
    if not saved.errors:
        return None
    form.full_clean()
    form.errors.clear()
    for code, wrong in saved.errors.items():
        form.add_error(code, refusals.sentence(wrong) if isinstance(wrong, Refusal) else wrong)
    return form


def _opened(request: HttpRequest, application: Any, shown: questions.Page) -> PageForm:
    """The page with what is known; or with what was typed into it when the draft before had ended."""
    institution = request.institution  # type: ignore[attr-defined]
    kept = typed.give_back(request, party_id=application.party_id)
    if kept is not None:
        messages.info(request, _("What you typed is still here, but not saved yet: send it now."))
        return PageForm(shown, institution, kept)
    known = selectors.answers(application)
    initial = {
        asked.question.code: _shown(asked.question, known[asked.question.code], institution.currency_digits)
        for asked in shown.questions
        if known.get(asked.question.code)
    }
    return PageForm(shown, institution, initial=initial)


def frame(request: HttpRequest, pages: list[questions.Page], number: int) -> dict[str, Any]:
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
        return to(_after(application, number))
    if form.words_changed:
        form = ConsentForm(asked)  # nobody has agreed to these words yet
        messages.warning(request, refusals.sentence(ConsentTextOutdated(purpose="")))
    context = frame(request, pages, number) | {"application": application, "form": form}
    return render(request, "borrower/apply/question.html", context)


def _after(application: Any, number: int) -> str:
    """The next page that still has something open; what was told before is not asked again."""
    states = take_application.page_states(application_id=application.pk)
    for state in states[number + 1 :]:
        if not state.is_done or not all(state.values.values()):
            return state.page.code
    return CHECK


@permits.public
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """The link from the message: it says which site to go on at; who may go on is proved by the phone's code."""
    if selectors.application_of_token(token=token) is None:
        return render(request, "borrower/apply/old_link.html", status=404)
    return redirect("borrower:apply")
