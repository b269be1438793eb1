"""Addresses of the desk."""

from __future__ import annotations

from django.urls import URLPattern, path

from usance.web.staff import account, approvals, home, people, roles, sign_in

app_name = "staff"
ENTRANCE = [
    path("", home.show, name="home"),
    path("sign-in/", sign_in.password, name="sign_in"),
    path("sign-in/code/", sign_in.second_factor, name="second_factor"),
    path("sign-in/recovery/", sign_in.recovery, name="recovery"),
    path("sign-in/enrol/", sign_in.enrol, name="enrol"),
    path("invitation/<str:token>/", sign_in.invitation, name="invitation"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("account/", account.show, name="account"),
    path("account/password/", account.change_password, name="change_password"),
    path("account/app/", account.replace_app, name="replace_app"),
    path("account/recovery-codes/", account.recovery_codes, name="recovery_codes"),
    path("account/sessions/<uuid:session_id>/end/", account.end_session, name="end_session"),
]
PEOPLE = [
    path("people/", people.index, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<uuid:user_id>/", people.person, name="person"),
    path("people/<uuid:user_id>/change/", people.change, name="change_person"),
    path("people/<uuid:user_id>/link/", people.new_link, name="new_link"),
    path("people/<uuid:user_id>/roles/", people.grant, name="grant"),
    path("people/<uuid:user_id>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<uuid:user_id>/reactivate/", people.reactivate, name="reactivate"),
    path("people/<uuid:user_id>/reset/", people.reset, name="reset_access"),
    path("people/grants/<uuid:grant_id>/revoke/", people.revoke, name="revoke_grant"),
    path("roles/", roles.index, name="roles"),
    path("roles/<uuid:role_id>/", roles.show, name="role"),
    path("roles/<uuid:role_id>/edit/", roles.edit, name="edit_role"),
    path("approvals/", approvals.index, name="approvals"),
    path("approvals/<uuid:approval_id>/", approvals.show, name="approval"),
    path("approvals/<uuid:approval_id>/withdraw/", approvals.withdraw, name="withdraw_approval"),
]
urlpatterns: list[URLPattern] = [*ENTRANCE, *PEOPLE]
