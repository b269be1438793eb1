"""Addresses of the borrower's site."""

from __future__ import annotations

from django.urls import path

from usance.web.borrower import account, apply, authenticator, calculator, contacts, loans, offer, payments, sign_in

app_name = "borrower"
urlpatterns = [
    path("", calculator.home, name="home"),
    path("calculator/", calculator.answer, name="calculator_answer"),
    path("wish/", calculator.wish, name="wish"),
    path("sign-in/", sign_in.phone, name="sign_in"),
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("sign-in/again/", sign_in.again, name="sign_in_again"),
    path("sign-in/question/", sign_in.second_fact, name="sign_in_second"),
    path("sign-out/", sign_in.leave, name="leave"),
    path("apply/", apply.begin, name="apply"),
    path("apply/card/", apply.link_card, name="link_card"),
    path("apply/check/", apply.check, name="check"),
    path("apply/resume/<str:token>/", apply.resume, name="resume"),
    path("apply/<slug:page>/", apply.question, name="question"),
    path("application/", offer.application, name="application"),
    path("application/withdraw/", offer.withdraw, name="withdraw"),
    path("application/<uuid:application_id>/card/", offer.payout_card, name="payout_card"),
    path("offer/", offer.offer, name="offer"),
    path("offer/sign/", offer.sign, name="sign"),
    path("offer/sign/again/", offer.code_again, name="code_again"),
    path("payments/<uuid:instruction_id>/", payments.show, name="payment"),
    path("payments/<uuid:instruction_id>/back/", payments.back, name="payment_back"),
    path("account/", account.home, name="account"),
    path("account/settings/", account.settings, name="settings"),
    path("account/me/", account.me, name="me"),
    path("account/contacts/<slug:channel>/", contacts.change, name="contact"),
    path("account/contacts/<slug:channel>/code/", contacts.code, name="contact_code"),
    path("account/consents/<uuid:consent_id>/withdraw/", account.withdraw_consent, name="withdraw_consent"),
    path("account/cards/<uuid:card_id>/remove/", account.remove_card, name="remove_card"),
    path("account/app/", authenticator.link, name="link_app"),
    path("account/app/unlink/", authenticator.unlink, name="unlink_app"),
    path("account/devices/forget-others/", account.forget_other_devices, name="forget_other_devices"),
    path("account/devices/<uuid:device_id>/forget/", account.forget_device, name="forget_device"),
    path("loans/<uuid:loan_id>/", loans.show, name="loan"),
    path("loans/<uuid:loan_id>/explain/", loans.explain, name="explain"),
    path("loans/<uuid:loan_id>/pay/", loans.pay, name="pay"),
    path("loans/<uuid:loan_id>/extend/", loans.extend, name="extend"),
    path("loans/<uuid:loan_id>/confirm/", loans.confirm, name="confirm_payment"),
    path("loans/<uuid:loan_id>/cannot-pay/", loans.cannot_pay, name="cannot_pay"),
    path("documents/<uuid:document_id>/", loans.document, name="document"),
]
