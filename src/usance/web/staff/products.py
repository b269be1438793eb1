"""Products and the versions of their prices: drafted, looked at through the calculator, published by two people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors as access
from usance.apps.decisioning import selectors as decisioning
from usance.apps.desk import selectors as desk
from usance.apps.origination import selectors as applications
from usance.apps.products import selectors
from usance.apps.products import services as products
from usance.apps.servicing import selectors as servicing
from usance.core.refusals import Refusal
from usance.web import components as ui
from usance.web import forms as house
from usance.web import permits, refusals
from usance.web.staff import clocks, previews, product_reading
from usance.web.staff import product_words as words
from usance.web.staff.links import link
from usance.web.staff.product_form import ConfigForm
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.web.templatetags import formats

ONE_DAY = timedelta(days=1)
STATES = {
    "draft": ui.Tag(gettext_lazy("Draft"), "neutral"),
    "proposed": ui.Tag(gettext_lazy("Waits for a second person"), "warn"),
    "published": ui.Tag(gettext_lazy("Published"), "good"),
    "retired": ui.Tag(gettext_lazy("Never began"), "neutral"),
}


class ProposeForm(house.Form):
    starts_on = forms.DateField(label=gettext_lazy("In force from"))
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, widget=forms.Textarea)


class RetireForm(house.Form):
    from_on = forms.DateField(label=gettext_lazy("Not offered from"))


@permits.staff("product.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Every product with its versions, the newest first."""
    on: date = request.institution.business_date
    versions: dict[UUID, list[Any]] = {}
    for row in selectors.all_versions():
        versions.setdefault(row.product_id, []).append(row)
    names = access.names_of({row.made_by for rows in versions.values() for row in rows if row.made_by})
    cards = []
    for product in selectors.products():
        mine = versions.get(product.pk, [])
        cards.append(
            {
                "product": product,
                "name": product.name(request.LANGUAGE_CODE),
                "summary": product.summary(request.LANGUAGE_CODE),
                "kind": words.VALUES[product.kind],
                "is_offered": any(state_of(row, on)[0] == "now" for row in mine),
                "table": _versions(request, mine, names, on),
            }
        )
    return render(request, "staff/products/index.html", {"cards": cards})


def state_of(row: Any, on: date) -> tuple[str, ui.Tag]:
    """("now" for what rules new requests, else "", and the state in words)."""
    if row.state != "published":
        return "", STATES[row.state]
    if row.starts_on > on:
        return "", ui.Tag(_("Planned"), "info")
    if row.ends_on and row.ends_on <= on:
        return "", ui.Tag(_("Ended"), "neutral")
    return "now", ui.Tag(_("In force"), "good")


def _versions(request: StaffRequest, rows: list[Any], names: dict[str, str], on: date) -> ui.DataTable:
    columns = [
        ui.Column("number", _("Version")),
        ui.Column("state", _("State")),
        ui.Column("since", _("From")),
        ui.Column("until", _("Until")),
        ui.Column("by", _("Drafted by")),
        ui.Column("note", _("Note")),
    ]
    shown = []
    for row in rows:
        now, tag = state_of(row, on)
        until = row.ends_on - ONE_DAY if row.ends_on else None
        by = names.get(str(row.made_by), "")
        title = _("Version %(number)s") % {"number": row.number}
        address = reverse("staff:product_version", args=[row.pk])
        shown.append(ui.Row([title, tag, row.starts_on, until, by, row.note], href=address, state=now))  # type: ignore[arg-type]
    return ui.DataTable(_("Versions"), columns, shown, ui.Empty(_("No version yet"), _("Nobody can ask for it.")))


def _version(version_id: UUID) -> Any:
    try:
        return selectors.version(version_id=version_id)
    except ObjectDoesNotExist:
        raise Http404 from None


@permits.staff("product.view")
@require_GET
def version(request: StaffRequest, version_id: UUID) -> HttpResponse:
    """One version: what it says, what it would change, what loans by it cost beside those of today."""
    row = _version(version_id)
    on: date = request.institution.business_date
    now = selectors.published_before(row, on)
    waiting = desk.open_approval(products.APPROVAL, row.pk)
    is_draft = row.state == "draft" or (row.state == "proposed" and waiting is None)
    _is_now, tag = state_of(row, on)
    changes = words.difference(now.config, row.config, request.institution) if now and row.state != "published" else []
    may_edit = is_draft and "product.edit" in request.permissions
    context = {
        "version": row,
        "name": row.product.name(request.LANGUAGE_CODE),
        "state": STATES["draft"] if is_draft else tag,
        "now": now,
        "is_draft": is_draft,
        "may_edit": may_edit,
        "may_draft": row.state == "published" and "product.edit" in request.permissions,
        "may_retire": _is_now == "now" and "product.publish" in request.permissions,
        "waiting": waiting,
        "waiting_url": link(request, "approval.view", "staff:approval", waiting.pk) if waiting else "",
        "changes": changes,
        "is_compared": bool(now) and row.state != "published",
        "touched": _touched(row) if row.state != "published" else [],
        "sections": product_reading.described(row.config, request.institution, rule_sets=_rule_sets()),
        "facts": _facts(row),
        **previews.context(request, row, now if row.state != "published" else None),
        "crumbs": [ui.Crumb(_("Products"), reverse("staff:products"))],
    }
    return render(request, "staff/products/version.html", context)


def _rule_sets() -> dict[str, str]:
    return {row.code: row.name for row in decisioning.rule_sets()}


def _facts(row: Any) -> list[ui.SummaryRow]:
    names = access.names_of({row.made_by, row.published_by} - {None})
    until = row.ends_on - ONE_DAY if row.ends_on else None
    facts = [
        ui.SummaryRow(_("In force from"), row.starts_on),
        ui.SummaryRow(_("In force until"), until),
        ui.SummaryRow(_("Drafted by"), names.get(str(row.made_by), "")),
        ui.SummaryRow(_("Published by"), names.get(str(row.published_by), "")),
        ui.SummaryRow(_("Note"), row.note),
    ]
    return [fact for fact in facts if fact.value]


def _touched(row: Any) -> list[ui.Effect]:
    """Whom a new version meets, and who keeps what they have."""
    running = servicing.loan_register(status="live", product=row.product.code).count()
    asked = applications.touched_by_product(product_id=row.product_id)
    drafts = asked.get("draft", 0)
    submitted = sum(asked.values()) - drafts
    return [
        ui.Effect(
            ngettext("%(count)s running loan keeps its terms.", "%(count)s running loans keep their terms.", running)
            % {"count": formats.number(running)},
            "good",
            "check",
        ),
        ui.Effect(
            ngettext(
                "%(count)s submitted request keeps its terms.",
                "%(count)s submitted requests keep their terms.",
                submitted,
            )
            % {"count": formats.number(submitted)},
            "good",
            "check",
        ),
        ui.Effect(
            ngettext(
                "%(count)s request that is not sent yet takes the new terms.",
                "%(count)s requests that are not sent yet take the new terms.",
                drafts,
            )
            % {"count": formats.number(drafts)},
            "warn",
        ),
    ]


# --- drafting ------------------------------------------------------------------------------------------------


@permits.staff("product.edit")
@require_POST
def draft(request: StaffRequest, version_id: UUID) -> HttpResponse:
    """A new draft that says what this version says."""
    row = _version(version_id)
    made = products.draft_version(
        product_id=row.product_id, config=row.config, actor=request.actor, made_by=request.user.pk
    )
    return redirect("staff:edit_version", version_id=made.pk)


@permits.staff("product.edit")
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, version_id: UUID) -> HttpResponse:
    """The whole configuration as a form. What cannot be or is not lawful is refused beside its field."""
    row = _version(version_id)
    form = ConfigForm(sent(request), config=row.config, institution=request.institution, note=row.note)
    status = 200
    if form.is_bound:
        status = 422
        config = form.check(request.institution.business_date) if form.is_valid() else None
        if config is not None:
            try:
                note = form.cleaned_data["note"]
                products.change_draft(version_id=row.pk, config=config.to_json(), note=note, actor=request.actor)
            except Refusal as refusal:
                form.add_error(None, refusals.sentence(refusal))
            else:
                messages.success(request, _("The draft is saved. See below what it costs and changes."))
                return redirect("staff:product_version", version_id=row.pk)
    context = {
        "form": form,
        "version": row,
        "name": row.product.name(request.LANGUAGE_CODE),
        "back": reverse("staff:product_version", args=[row.pk]),
        "crumbs": [ui.Crumb(_("Products"), reverse("staff:products"))],
    }
    return render(request, "staff/products/edit.html", context, status=status)


@permits.staff("product.edit")
@require_http_methods(["GET", "POST"])
def propose(request: StaffRequest, version_id: UUID) -> HttpResponse:
    """Asks a second person to put a draft in force from a day on."""
    row = _version(version_id)

    def submit(form: ProposeForm) -> HttpResponse:
        products.propose(
            version_id=row.pk,
            starts_on=form.cleaned_data["starts_on"],
            reason=form.cleaned_data["reason"],
            maker=request.user,
            at=clocks.moment(request),
        )
        messages.success(request, _("Proposed: it is published when a second person agrees."))
        return redirect("staff:product_version", version_id=row.pk)

    on: date = request.institution.business_date
    now = selectors.published_before(row, on)
    return answer(
        request,
        "staff/products/propose.html",
        ProposeForm(sent(request), initial={"starts_on": on + ONE_DAY}),
        submit,
        field="starts_on",
        version=row,
        name=row.product.name(request.LANGUAGE_CODE),
        changes=words.difference(now.config if now else {}, row.config, request.institution),
        touched=_touched(row),
        back=reverse("staff:product_version", args=[row.pk]),
    )


@permits.staff("product.edit")
@require_http_methods(["GET", "POST"])
def discard(request: StaffRequest, version_id: UUID) -> HttpResponse:
    """Throws a draft away."""
    row = _version(version_id)

    def submit(_form: Any) -> HttpResponse:
        products.discard_draft(version_id=row.pk, actor=request.actor)
        messages.success(request, _("The draft is gone."))
        return redirect("staff:products")

    title = _("Throw version %(number)s away") % {"number": row.number}
    effects = [ui.Effect(_("The draft cannot be brought back. Nothing that is in force changes."), "bad")]
    return answer(
        request, "staff/products/confirm.html", house.Form(sent(request)), submit, **_confirm(title, row, effects)
    )


@permits.staff("product.publish")
@require_http_methods(["GET", "POST"])
def retire(request: StaffRequest, product_id: UUID) -> HttpResponse:
    """No longer offers a product, from a day on."""
    try:
        product = selectors.product(product_id=product_id)
    except ObjectDoesNotExist:
        raise Http404 from None

    def submit(form: RetireForm) -> HttpResponse:
        products.retire(product_id=product.pk, from_on=form.cleaned_data["from_on"], actor=request.actor)
        messages.success(request, _("Done: from that day on nobody can ask for it."))
        return redirect("staff:products")

    running = servicing.loan_register(status="live", product=product.code).count()
    effects = [
        ui.Effect(
            _("From that day on nobody can ask for this product; versions planned for later never begin."), "bad"
        ),
        ui.Effect(
            ngettext("%(count)s running loan goes on as agreed.", "%(count)s running loans go on as agreed.", running)
            % {"count": formats.number(running)},
            "good",
            "check",
        ),
    ]
    title = _("No longer offer “%(name)s”") % {"name": product.name(request.LANGUAGE_CODE)}
    form = RetireForm(sent(request), initial={"from_on": request.institution.business_date + ONE_DAY})
    context = _confirm(title, None, effects)
    return answer(request, "staff/products/confirm.html", form, submit, field="from_on", **context)


def _confirm(title: str, row: Any, effects: list[ui.Effect]) -> Mapping[str, Any]:
    back = reverse("staff:product_version", args=[row.pk]) if row else reverse("staff:products")
    return {
        "title": title,
        "effects": effects,
        "confirm_label": title,
        "danger": True,
        "cancel_url": back,
        "parent": "layouts/staff.html",
    }
