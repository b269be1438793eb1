"""Anyone who holds a paper of ours can check it: by its code, and byte for byte by the file itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from usance.apps.agreements import selectors
from usance.apps.agreements.papers import grouped
from usance.web import forms, permits

LARGEST = 5_000_000
MAGIC = b"%PDF-"


class CheckForm(forms.Form):
    code = forms.forms.CharField(label=_("Code on the paper"), max_length=40, help_text=_("Twelve letters and digits."))


class FileForm(forms.Form):
    file = forms.forms.FileField(
        label=_("The PDF file"),
        help_text=_("We compare it and do not keep it."),
        widget=forms.forms.FileInput(attrs={"accept": "application/pdf", "class": "u-input"}),
    )


@permits.public
def ask(request: HttpRequest) -> HttpResponse:
    form = CheckForm(request.GET or None)
    if request.GET and form.is_valid():
        code = form.cleaned_data["code"].replace("/", "").strip()
        return redirect("public:verify_code", code) if code else redirect("public:verify")
    return render(request, "public/verify_ask.html", {"form": form})


@permits.public
def show(request: HttpRequest, code: str) -> HttpResponse:
    """What we issued under this code: nothing about the person, so that a code tells a stranger little."""
    facts = selectors.public_facts(code)
    form, verdict = FileForm(request.POST or None, request.FILES or None), None
    if facts and request.method == "POST" and form.is_valid():
        uploaded = form.cleaned_data["file"]
        if uploaded.size > LARGEST:
            form.add_error("file", _("This file is larger than any paper of ours."))
        else:
            content = uploaded.read()
            if content.startswith(MAGIC):
                verdict = selectors.is_the_file(code=code, content=content)
            else:
                form.add_error("file", _("This is not a PDF. Choose the file as you received it."))
    context = {
        "facts": facts,
        "code": code,
        "shown_code": grouped(facts.code) if facts else "",
        "form": form,
        "ask": CheckForm(initial={"code": code}),
        "verdict": verdict,
    }
    return render(request, "public/verify.html", context, status=200 if facts else 404)
