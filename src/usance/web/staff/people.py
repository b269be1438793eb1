"""Users and roles of the institution: who works here, what they may do, and how that changes."""

from __future__ import annotations

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

from usance.apps.access import selectors, sign_in
from usance.apps.access import services as people
from usance.apps.audit import selectors as trail
from usance.apps.audit import services as audit
from usance.apps.desk import selectors as desk
from usance.apps.institutions import selectors as institutions
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits
from usance.web.acts import words
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.workflows import staff_rights

SCOPES = [
    ("institution", gettext_lazy("The whole institution")),
    ("branch", gettext_lazy("The branch")),
    ("team", gettext_lazy("The team")),
    ("own", gettext_lazy("Own cases only")),
]


def _units() -> list[tuple[str, str]]:
    return [(unit.path, f"{'· ' * unit.path.count('.')}{unit.name}") for unit in institutions.units()]


class PersonForm(house.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    language = forms.ChoiceField(label=gettext_lazy("Language"))
    org_path = forms.ChoiceField(label=gettext_lazy("Unit"))

    def __init__(self, *args: Any, languages: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = languages  # type: ignore[attr-defined]
        self.fields["org_path"].choices = _units()  # type: ignore[attr-defined]


class InviteForm(PersonForm):
    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    field_order = ("name", "email", "language", "org_path")


class GrantForm(house.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    org_path = forms.ChoiceField(label=gettext_lazy("Unit"))
    scope = forms.ChoiceField(label=gettext_lazy("Reaches"), choices=SCOPES)
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.code, role.title) for role in selectors.roles()]  # type: ignore[attr-defined]
        self.fields["org_path"].choices = _units()  # type: ignore[attr-defined]


class ReasonForm(house.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500)


@permits.staff("user.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Everyone with their roles."""
    page = pages.of(request, selectors.users())
    audit.viewed(subject=("access.user", "register"), actor=request.actor, fields=["email", "name"])
    columns = [
        ui.Column("name", _("Name")),
        ui.Column("email", _("E-mail address")),
        ui.Column("roles", _("Roles")),
        ui.Column("unit", _("Unit")),
        ui.Column("seen", _("Last sign-in")),
        ui.Column("state", _("State")),
    ]
    names = dict(institutions.units().values_list("path", "name"))
    rows = [
        ui.Row(
            [
                one.name,
                one.email,
                ", ".join(grant.role.title for grant in one.grants.all()),
                names.get(one.org_path, one.org_path),
                one.last_login,
                state_of(one),
            ],
            href=reverse("staff:person", args=[one.pk]),
        )
        for one in page.object_list
    ]
    table = ui.DataTable(_("People"), columns, rows, ui.Empty(_("Nobody works here yet")), page=page)
    return render(request, "staff/people/index.html", {"table": table})


def state_of(user: Any) -> ui.Tag:
    if not user.is_active:
        return ui.Tag(_("Deactivated"), "neutral")
    if not user.has_usable_password():
        return ui.Tag(_("Invited"), "info")
    return ui.Tag(_("Active"), "good")


def factors_in_words(user: Any) -> str:
    """The second factors that a person has, by kind; their names are the person's own business."""
    kinds = [factor.kind for factor in selectors.factors_of(user)]
    keys = kinds.count("webauthn")
    told = [_("authenticator app")] if "totp" in kinds else []
    if keys:
        told.append(ngettext("%(count)s passkey", "%(count)s passkeys", keys) % {"count": keys})
    return ", ".join(told) or _("not yet")


@permits.staff("user.view")
@require_GET
def person(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """One person: roles, second factor, sessions, what they did and what was done about them."""
    user = _person(user_id)
    audit.viewed(subject=user, actor=request.actor, fields=["email", "name"])
    acts = list(trail.of_actor(user.pk)[:20])
    about = list(trail.trail(user)[:20])
    names = selectors.names_of({one.actor_id for one in about})
    units, scopes = dict(institutions.units().values_list("path", "name")), dict(SCOPES)
    context = {
        "person": user,
        "state": state_of(user),
        "is_self": user.pk == request.user.pk,
        "facts": [
            ui.SummaryRow(_("E-mail address"), user.email),
            ui.SummaryRow(_("Language"), ui.NAMES.get(user.language, (user.language, ""))[0]),
            ui.SummaryRow(_("Unit"), units.get(user.org_path, user.org_path)),
            ui.SummaryRow(_("Second factor"), factors_in_words(user)),
            ui.SummaryRow(_("Last sign-in"), user.last_login),
        ],
        "grants": [
            (grant, scopes[grant.scope], units.get(grant.reach, grant.reach)) for grant in selectors.grants_of(user)
        ],
        "waiting": [one for kind in (staff_rights.RESET,) if (one := desk.open_approval(kind, user.pk))],
        "sessions": selectors.open_sessions(user),
        "acts": [ui.TimelineItem(words(one.action), one.recorded_at) for one in acts],
        "about": [
            ui.TimelineItem(words(one.action), one.recorded_at, who=names.get(one.actor_id, "")) for one in about
        ],
    }
    return render(request, "staff/people/person.html", context)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def invite(request: StaffRequest) -> HttpResponse:
    """A new person, without rights; the link to set a password is shown once, to be handed over."""

    def submit(form: Any) -> HttpResponse:
        user = people.hire(**form.cleaned_data, actor=request.actor)
        return _show_link(request, user)

    form = InviteForm(sent(request), languages=_languages(request), initial={"org_path": "root"})
    return answer(request, "staff/people/invite.html", form, submit, field="email")


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def change(request: StaffRequest, user_id: UUID) -> HttpResponse:
    user = _person(user_id)

    def submit(form: Any) -> HttpResponse:
        people.change_person(user_id=user.pk, **form.cleaned_data, actor=request.actor)
        return _back(request, user, _("Saved."))

    initial = {"name": user.name, "language": user.language, "org_path": user.org_path}
    form = PersonForm(sent(request), languages=_languages(request), initial=initial)
    return answer(request, "staff/people/change.html", form, submit, person=user)


@permits.staff("user.manage")
@require_POST
def new_link(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Another link for someone who has no password; whoever has one needs a reset, which two people decide."""
    user = _person(user_id)
    if user.has_usable_password() or not user.is_active:
        return _back(request, user, _("This person has a password. If it is lost, propose a reset."), good=False)
    return _show_link(request, user)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def grant(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Gives a role, or proposes it where a second administrator must confirm."""
    user = _person(user_id)

    def submit(form: Any) -> HttpResponse:
        waits = staff_rights.give_role(user_id=user.pk, maker=request.user, at=_moment(request), **form.cleaned_data)
        words = _("Proposed: another administrator must confirm it.") if waits else _("The role is given.")
        return _back(request, user, words)

    form = GrantForm(sent(request), initial={"org_path": user.org_path})
    return answer(request, "staff/people/grant.html", form, submit, person=user)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def revoke(request: StaffRequest, grant_id: UUID) -> HttpResponse:
    """Takes a role away, at once: less is always safe."""
    try:
        row = selectors.grant(grant_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    user = row.user

    def submit(form: Any) -> HttpResponse:
        people.revoke_grant(grant_id=row.pk, actor=request.actor)
        return _back(request, user, _("The role is taken away."))

    effects = [ui.Effect(_("%(name)s loses the role %(role)s at once.") % {"name": user.name, "role": row.role.title})]
    return _confirm(request, user, submit, title=_("Take the role away"), effects=effects)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def deactivate(request: StaffRequest, user_id: UUID) -> HttpResponse:
    user = _person(user_id)

    def submit(form: Any) -> HttpResponse:
        people.deactivate(user_id=user.pk, actor=request.actor, at=clock.now())
        return _back(request, user, _("Deactivated and signed out everywhere."))

    effects = [
        ui.Effect(_("%(name)s is signed out everywhere and may not sign in any more.") % {"name": user.name}, "bad"),
        ui.Effect(_("What they did stays in the books and in the audit trail.")),
    ]
    return _confirm(request, user, submit, title=_("Deactivate"), effects=effects)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def reactivate(request: StaffRequest, user_id: UUID) -> HttpResponse:
    user = _person(user_id)

    def submit(form: Any) -> HttpResponse:
        people.reactivate(user_id=user.pk, actor=request.actor)
        return _back(request, user, _("Active again, without roles."))

    effects = [ui.Effect(_("%(name)s may sign in again. Roles must be given anew.") % {"name": user.name})]
    return _confirm(request, user, submit, title=_("Activate again"), effects=effects)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def reset(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """For a lost phone: proposed here, decided by another administrator."""
    user = _person(user_id)

    def submit(form: Any) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        staff_rights.reset_access(user_id=user.pk, maker=request.user, at=_moment(request), reason=reason)
        return _back(request, user, _("Proposed: another administrator must confirm it."))

    effects = [
        ui.Effect(_("Another administrator must confirm this.")),
        ui.Effect(
            _("Then password, app, passkeys and recovery codes stop working, and a new link can be made."), "warn"
        ),
    ]
    form = ReasonForm(sent(request))
    return _confirm(request, user, submit, title=_("Reset sign-in"), effects=effects, form=form)


def _confirm(
    request: StaffRequest, user: Any, submit: Any, *, title: str, effects: list[ui.Effect], form: Any = None
) -> HttpResponse:
    return answer(
        request,
        "staff/people/confirm.html",
        form if form is not None else house.Form(sent(request)),
        submit,
        person=user,
        confirm_title=title,
        confirm_label=title,
        effects=effects,
        danger=True,
        parent="layouts/staff.html",
        cancel_url=reverse("staff:person", args=[user.pk]),
    )


def _show_link(request: StaffRequest, user: Any) -> HttpResponse:
    token = sign_in.invite(user=user, at=clock.now(), actor=request.actor)
    link = request.build_absolute_uri(reverse("staff:invitation", args=[token]))
    context = {"person": user, "link": link, "days": sign_in.INVITATION_DAYS}
    return render(request, "staff/people/link.html", context)


def _back(request: StaffRequest, user: Any, words: str, *, good: bool = True) -> HttpResponse:
    (messages.success if good else messages.error)(request, words)
    return redirect("staff:person", user_id=user.pk)


def _moment(request: StaffRequest) -> Any:
    return institutions.moment(request.institution, clock.now())


def _languages(request: StaffRequest) -> list[tuple[str, str]]:
    offered = request.institution.languages
    return [(code, ui.NAMES.get(code, (code, ""))[0]) for code in offered]


def _person(user_id: UUID) -> Any:
    try:
        return selectors.user(user_id)
    except ObjectDoesNotExist:
        raise Http404 from None
