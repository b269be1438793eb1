"""Addresses of the desk."""

from __future__ import annotations

from django.urls import URLPattern, path

from usance.web.staff import (
    account,
    approvals,
    books,
    cases,
    clock,
    customer_acts,
    customers,
    dashboard,
    home,
    institution,
    jobs,
    journal,
    loan_acts,
    loans,
    messages,
    payments,
    people,
    periods,
    queue,
    roles,
    sign_in,
    trail,
)

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
CASES = [
    path("queue/", queue.index, name="queue"),
    path("queue/next/", queue.next_case, name="next_case"),
    path("applications/", cases.register, name="applications"),
    path("applications/<uuid:application_id>/", cases.show, name="application"),
    path("applications/<uuid:application_id>/take/", cases.take, name="take_case"),
    path("applications/<uuid:application_id>/put-back/", cases.put_back, name="put_back"),
    path("applications/<uuid:application_id>/give/", cases.give, name="give_case"),
]
CUSTOMERS = [
    path("customers/", customers.index, name="customers"),
    path("customers/<uuid:party_id>/", customers.show, name="customer"),
    path("customers/<uuid:party_id>/phone/", customer_acts.change_contact, {"kind": "phone"}, name="change_phone"),
    path("customers/<uuid:party_id>/email/", customer_acts.change_contact, {"kind": "email"}, name="change_email"),
    path("customers/<uuid:party_id>/code/", customer_acts.contact_code, name="contact_code"),
    path("customers/<uuid:party_id>/block/", customer_acts.block, name="block_customer"),
    path("customers/<uuid:party_id>/unblock/", customer_acts.unblock, name="unblock_customer"),
    path("customers/<uuid:party_id>/erase/", customer_acts.erase, name="erase_customer"),
    path("customers/consents/<uuid:consent_id>/", customer_acts.withdraw_consent, name="withdraw_consent"),
    path("documents/<uuid:document_id>/", customers.document, name="customer_document"),
    path("messages/", messages.index, name="messages"),
    path("messages/<uuid:message_id>/", messages.show, name="message"),
]
LOANS = [
    path("loans/", loans.index, name="loans"),
    path("loans/past-due/", loans.past_due, name="past_due"),
    path("loans/<uuid:loan_id>/", loans.show, name="loan"),
    path("loans/<uuid:loan_id>/papers/<uuid:document_id>/", loans.document, name="loan_document"),
    path("loans/<uuid:loan_id>/messages/<uuid:message_id>/", loans.message, name="loan_message"),
    path("loans/<uuid:loan_id>/receive/", loan_acts.receive, name="receive"),
    path("loans/<uuid:loan_id>/debit/", loan_acts.debit, name="debit"),
    path("loans/<uuid:loan_id>/extend/", loan_acts.extend_loan, name="extend_loan"),
    path("loans/<uuid:loan_id>/waive/", loan_acts.waive, name="waive"),
    path("loans/<uuid:loan_id>/fee/", loan_acts.add_fee, name="add_fee"),
    path("loans/<uuid:loan_id>/penalty/", loan_acts.penalty, name="penalty"),
    path("loans/<uuid:loan_id>/send-back/", loan_acts.send_back, name="send_back"),
    path("loans/<uuid:loan_id>/reverse/", loan_acts.reverse_entry, name="reverse_entry"),
    path("loans/<uuid:loan_id>/write-off/", loan_acts.write_off, name="write_off"),
]
PAYMENTS = [
    path("payments/", payments.index, name="payments"),
    path("payments/received/", payments.receipts, name="receipts"),
    path("payments/notices/", payments.notices, name="notices"),
    path("payments/<uuid:instruction_id>/", payments.show, name="instruction"),
    path("payments/<uuid:instruction_id>/ask/", payments.ask_again, name="ask_again"),
    path("payments/<uuid:instruction_id>/settle/", payments.reconcile, name="reconcile"),
]
JOBS = [
    path("jobs/", jobs.index, name="jobs"),
    path("jobs/<uuid:failed_job_id>/run/", jobs.run_again, name="run_job_again"),
    path("jobs/left-out/", jobs.problems, name="problems"),
    path("jobs/left-out/<uuid:problem_id>/run/", jobs.run_problem_again, name="run_problem_again"),
]
OVERSIGHT = [
    path("dashboard/", dashboard.show, name="dashboard"),
    path("books/", books.trial_balance, name="books"),
    path("books/trial-balance.csv", books.trial_balance_csv, name="trial_balance_csv"),
    path("books/branches/", books.branches, name="branch_figures"),
    path("books/journal/", journal.journal, name="journal"),
    path("books/accounts/<uuid:account_id>/", journal.account, name="ledger_account"),
    path("books/entries/<uuid:entry_id>/", journal.entry, name="entry"),
    path("books/periods/", periods.index, name="periods"),
    path("books/periods/lock/", periods.lock, name="lock_period"),
    path("books/periods/<uuid:period_id>/unlock/", periods.unlock, name="unlock_period"),
    path("clock/", clock.show, name="clock"),
    path("clock/end-day/", clock.end_day, name="end_day"),
    path("clock/advance-week/", clock.advance_week, name="advance_week"),
    path("clock/progress/", clock.progress, name="close_progress"),
    path("trail/", trail.show, name="trail"),
    path("trail/verify/", trail.verify, name="verify_trail"),
    path("institution/", institution.show, name="institution"),
]
urlpatterns: list[URLPattern] = [*ENTRANCE, *PEOPLE, *CASES, *CUSTOMERS, *LOANS, *PAYMENTS, *JOBS, *OVERSIGHT]
