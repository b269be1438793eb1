"""Sample objects for the route test: whoever adds an address with a new argument adds a sample of it here.

    @sample("loan_id")
    def a_loan(world: World) -> object:
        return ...the id of a loan made in world.institution...

It runs inside a bound transaction, once in each of two institutions. Arguments that are no row of an institution (a
provider's name, a kind) are declared with `sample(..., is_row=False)`. Where two addresses mean different things by one
name, the sample is named `route name.argument`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.test import Client

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class World:
    """One institution with one member of staff in each role, and one customer. `made` keeps the samples by the
    argument's name; `mark` keeps two customers of an institution apart."""

    institution: Any
    host: str
    staff: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    mark: int = 1

    def get(self, name: str) -> Any:
        """The sample of an argument, made when first asked for; samples may use each other's."""
        if name not in self.made:
            self.institution.refresh_from_db(fields=["business_date"])  # others may have ended days since
            self.made[name] = SAMPLES[name](self)
        return self.made[name]


SAMPLES: dict[str, Callable[[World], Any]] = {}
NOT_ROWS: set[str] = set()


def sample(*names: str, is_row: bool = True) -> Callable[[Callable[[World], Any]], Callable[[World], Any]]:
    def declare(make: Callable[[World], Any]) -> Callable[[World], Any]:
        for name in names:
            SAMPLES[name] = make
            if not is_row:
                NOT_ROWS.add(name)
        return make

    return declare


def staff_client(world: World, role: str) -> Client:
    """A browser in which the person of that role is signed in, second factor and all."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib import auth

    from usance.apps.access import sign_in
    from usance.ports import clock
    from usance.web.staff import identity

    user = world.staff[role]
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[auth.SESSION_KEY] = str(user.pk)
    session[auth.BACKEND_SESSION_KEY] = identity.BACKEND
    session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    opened = sign_in.open_session(
        user=user, session_key=session.session_key, device="test", factor="totp", at=clock.now()
    )
    session[identity.SESSION_ID] = str(opened.pk)
    session.save()
    client = Client(headers={"host": world.host})
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def borrower_client(world: World) -> Client:
    """A browser in which the sample customer is signed in."""
    from tests.support import visits

    return visits.browser_of(world.get("party_id"), world.host)


# --- staff -----------------------------------------------------------------------------------------------


@sample("user_id")
def a_colleague(world: World) -> Any:
    return world.staff["auditor"].pk


@sample("role_id")
def a_role(world: World) -> Any:
    from usance.apps.access import selectors

    return selectors.role_of_code("auditor").pk


@sample("grant_id")
def a_grant(world: World) -> Any:
    from usance.apps.access import selectors

    return selectors.grants_of(world.staff["auditor"]).get().pk


@sample("session_id")
def a_session(world: World) -> Any:
    from usance.apps.access import sign_in

    return sign_in.open_session(user=world.staff["auditor"], session_key="sample", device="", factor="totp", at=AT).pk


@sample("approval_id")
def a_proposal(world: World) -> Any:
    from usance.apps.desk import selectors
    from usance.workflows import staff_rights

    staff_rights.reset_access(
        user_id=world.staff["auditor"].pk, maker=world.staff["administrator"], at=AT, reason="lost phone"
    )
    found = selectors.open_approval(staff_rights.RESET, world.staff["auditor"].pk)
    assert found is not None
    return found.pk


@sample("token")
def an_invitation(world: World) -> Any:
    from usance.apps.access import services
    from usance.ports import clock
    from usance.ports.actor import SYSTEM

    user = services.hire(email="invited@lender.example", name="Someone new", actor=SYSTEM)
    return services.invite(user=user, at=clock.now(), actor=SYSTEM)


# --- customers, applications, loans, money -------------------------------------------------------------


@sample("party_id")
def a_customer(world: World) -> Any:
    from usance.apps.customers import services
    from usance.ports.actor import SYSTEM

    on = world.institution.business_date
    party_id = services.add_party(kind="person", language=world.institution.language, on=on, actor=SYSTEM)
    number = {"VN": "+8490123400", "UA": "+38050123400"}[world.institution.country] + str(world.mark)
    services.add_contact(party_id=party_id, kind="phone", value=number, actor=SYSTEM, at=AT, verified=True)
    born = {"birth_date": date(1990, 5, 8)}  # without it the pages of an application lead to the first one
    services.state_facts(party_id=party_id, facts=born, source="applicant", actor=SYSTEM, at=AT, on=on)
    return party_id


def _started(world: World) -> Any:
    from usance.ports.actor import borrower
    from usance.workflows import take_application

    party_id = world.get("party_id")
    if "started" not in world.made:
        world.made["started"] = take_application.start(
            party_id=party_id,
            product_code="short",
            amount_minor={"VN": 3_000_000, "UA": 500_000}[world.institution.country],
            term=30,
            language=world.institution.language,
            at=AT,
            actor=borrower(party_id),
        )
    return world.made["started"]


@sample("application_id")
def an_application(world: World) -> Any:
    return _started(world).application.pk


@sample("borrower:resume.token")
def a_link_to_resume(world: World) -> Any:
    return _started(world).resume_token


@sample("channel", is_row=False)
def a_way_to_reach_a_customer(world: World) -> Any:
    return "email"


@sample("page", is_row=False)
def a_question_page(world: World) -> Any:
    return "about"


@sample("loan_id")
def a_loan(world: World) -> Any:
    from dataclasses import replace

    from tests.apps.servicing import loans
    from usance.core.money import Currency

    currency = Currency(world.institution.currency, world.institution.currency_digits)
    agreed = replace(loans.single_payment(), currency=currency)
    return loans.lend(on=world.institution.business_date, agreed=agreed, party_id=world.get("party_id")).pk


def _in_parts(world: World) -> Any:
    """A loan of which a part has come, and more may, to a card of the borrower."""
    from tests.apps.servicing import loans
    from tests.workflows.test_draw_part import in_parts
    from usance.core.money import Currency

    currency = Currency(world.institution.currency, world.institution.currency_digits)
    world.get("card_id")
    agreed = in_parts(currency=currency)
    return loans.lend(on=world.institution.business_date, agreed=agreed, party_id=world.get("party_id"))


@sample("borrower:part.loan_id", "borrower:confirm_part.loan_id")
def a_loan_in_parts(world: World) -> Any:
    if "in_parts" not in world.made:
        world.made["in_parts"] = _in_parts(world)
    return world.made["in_parts"].pk


@sample("borrower:take_part_back.loan_id")
def a_loan_of_which_a_part_was_asked_for(world: World) -> Any:
    """Whatever other pages did to the borrower's cards meanwhile. Asked now: what waits for long is given up."""
    from usance.ports import clock
    from usance.workflows import draw_part, serve_loan

    loan = _in_parts(world)
    serve_loan.propose(
        loan,
        draw_part.DRAW,
        before={"owed_minor": 6_000_000, "next_minor": 600_000},
        after={"owed_minor": 7_000_000, "next_minor": 700_000, "amount_minor": 1_000_000, "sent_minor": 1_000_000,
               "card": "VISA •••• 1111", "card_id": str(world.get("card_id")), "key": "sample", "reason": ""},
        maker=None,
        asked_by=world.get("party_id"),
        at=clock.now(),
        reason="",
    )  # fmt: skip
    return loan.pk


@sample("card_id")
def a_card(world: World) -> Any:
    from usance.apps.payments.models import Card

    card = Card.objects.create(
        party_id=world.get("party_id"),
        provider="fondy",
        merchant="x",
        token=b"x",
        token_index=str(world.mark) * 64,
        last4="1111",
        linked_at=AT,
    )
    return card.pk


@sample("instruction_id")
def an_instruction(world: World) -> Any:
    from usance.apps.payments import services
    from usance.ports.actor import SYSTEM

    given = services.give(
        kind="card_link",
        key=f"sample {world.mark}",
        amount_minor=100,
        party_id=world.get("party_id"),
        subject_type="origination.application",
        subject_id=world.get("application_id"),
        then="",
        description="sample",
        at=AT,
        actor=SYSTEM,
    )
    return given.pk


@sample("message_id")
def a_message(world: World) -> Any:
    from usance.apps.messaging import services

    sent = services.send(
        template="loan_closed",
        key=f"sample {world.mark}",
        moment=AT,
        party_id=world.get("party_id"),
        context={"reference": "1", "link": "/"},
    )
    assert sent is not None
    return sent.pk


@sample("ticket")
def a_push_that_was_shown(world: World) -> Any:
    from usance.apps.messaging import sending, services

    sent = services.send(
        template="due_today",
        key=f"sample push {world.mark}",
        moment=AT,
        party_id=world.get("party_id"),
        channel="push",
        to='{"endpoint":"","keys":{}}',
        context={},
    )
    assert sent is not None
    return sending.ticket(sent)


@sample("language", is_row=False)
def a_language_that_is_spoken(world: World) -> Any:
    return world.institution.language


@sample("consent_id")
def a_consent(world: World) -> Any:
    from usance.apps.customers import consents
    from usance.ports.actor import borrower

    on, party_id = world.institution.business_date, world.get("party_id")
    text = consents.text_in_force("marketing", world.institution.language, on)
    return consents.give(
        party_id=party_id, purpose="marketing", text_id=text.pk, actor=borrower(party_id), at=AT, on=on
    )


@sample("protection_id")
def a_protected_status(world: World) -> Any:
    from usance.apps.customers import protections
    from usance.ports.actor import SYSTEM

    on = world.institution.business_date
    return protections.begin(
        party_id=world.get("party_id"), kind="in_service", starts_on=on, evidence="call-up 17", actor=SYSTEM
    ).pk


def _waiting_phone(world: World) -> Any:
    """A change of phone number that waits."""
    from usance.apps.customers import channels
    from usance.apps.institutions import selectors
    from usance.ports.actor import borrower

    if "waiting_phone" not in world.made:
        party_id = world.get("party_id")
        number = {"VN": "+8490223400", "UA": "+38050223400"}[world.institution.country] + str(world.mark)
        moment = selectors.moment(world.institution, AT)
        world.made["waiting_phone"] = channels.begin_phone(
            party_id=party_id, phone=number, moment=moment, actor=borrower(party_id), at=AT
        )
    return world.made["waiting_phone"]


@sample("change_id")
def a_change_that_waits(world: World) -> Any:
    return _waiting_phone(world).change.pk


@sample("borrower:not_me.token")
def a_link_that_stops_a_change(world: World) -> Any:
    return _waiting_phone(world).token


@sample("device_id")
def a_device(world: World) -> Any:
    from usance.apps.customers.models import Device

    known = {"party_id": world.get("party_id"), "token_hash": b"x" * 32}
    return Device.objects.create(**known, first_seen_at=AT, last_seen_at=AT).pk


def _document(world: World) -> Any:
    """A paper that is written and can be read."""
    from usance.apps.agreements import services
    from usance.apps.agreements.models import Document

    if "document" not in world.made:
        made = Document.objects.create(
            kind=Document.Kind.AGREEMENT,
            key=f"sample {world.mark}",
            party_id=world.get("party_id"),
            subject_type="servicing.loan",
            subject_id=world.get("loan_id"),
            language=world.institution.language,
            reference="1",
            issued_on=world.institution.business_date,
            content={},
            template_version="1",
        )
        name = services.keep_file(document=made, pdf=b"%PDF-1.7", suffix="")
        world.made["document"] = services.rendered(document_id=made.pk, pdf=b"%PDF-1.7", name=name, at=AT)
    return world.made["document"]


@sample("document_id")
def a_document(world: World) -> Any:
    return _document(world).pk


@sample("code")
def a_code_of_a_document(world: World) -> Any:
    return _document(world).code


@sample("provider", is_row=False)
def a_provider(world: World) -> Any:
    return "fondy"


@sample("institution_id", is_row=False)
def an_institution(world: World) -> Any:
    """In the address of a callback; the notice's signature decides."""
    return world.institution.pk


# --- books, close, products, rules ---------------------------------------------------------------------


def _an_entry(world: World) -> Any:
    from usance.apps.ledger import selectors

    return selectors.entries_of_loan(loan_id=world.get("loan_id"))[0]


@sample("entry_id")
def a_journal_entry(world: World) -> Any:
    return _an_entry(world).pk


@sample("account_id")
def an_account(world: World) -> Any:
    from usance.apps.ledger import selectors

    return selectors.transfers_of(_an_entry(world).pk)[0].debit_id


@sample("period_id")
def a_locked_period(world: World) -> Any:
    from datetime import timedelta

    from usance.apps.ledger import services
    from usance.ports.actor import SYSTEM

    end = world.institution.business_date - timedelta(days=30 * world.mark)
    return services.lock_period(starts_on=end - timedelta(days=7), ends_on=end, actor=SYSTEM, at=AT).pk


@sample("product_id")
def a_product(world: World) -> Any:
    from usance.apps.products import selectors

    return selectors.products()[0].pk


@sample("version_id")
def a_product_version(world: World) -> Any:
    from usance.apps.products import selectors, services
    from usance.ports.actor import SYSTEM

    published = selectors.versions_of(product_id=world.get("product_id"))[0]
    return services.draft_version(product_id=published.product_id, config=published.config, actor=SYSTEM).pk


@sample("staff:loan_message.message_id")
def a_message_about_a_loan(world: World) -> Any:
    from usance.apps.messaging import services

    sent = services.send(
        template="loan_closed",
        key=f"sample about a loan {world.mark}",
        moment=AT,
        party_id=world.get("party_id"),
        context={"reference": "1", "link": "/"},
        subject=("servicing.loan", world.get("loan_id")),
    )
    assert sent is not None
    return sent.pk


@sample("failed_job_id")
def a_failed_job(world: World) -> Any:
    from usance.apps.institutions import services

    return services.list_failed_job(task="payments.sweep", arguments={}, reason="TypeError in sweep (tasks.py:1)").pk


@sample("problem_id")
def a_loan_left_out(world: World) -> Any:
    from usance.apps.servicing.models import CloseProblem, CloseRun

    on = world.institution.business_date
    run, _made = CloseRun.objects.get_or_create(business_date=on, defaults={"started_at": AT})
    return CloseProblem.objects.create(run=run, loan_id=world.get("loan_id"), business_date=on, reason="sample").pk


@sample("import_id")
def an_import(world: World) -> Any:
    from usance.apps.imports import selectors, services
    from usance.ports.actor import SYSTEM

    file = selectors.File("loans.csv", f"loan,{world.mark}".encode())
    return services.hand_in(files=[file], asked_by="sample", actor=SYSTEM).pk


@sample("staff:import_template.kind", is_row=False)
def a_kind_of_file(world: World) -> Any:
    return "loans"


@sample("rule_version_id")
def a_version_of_rules(world: World) -> Any:
    from usance.apps.decisioning import selectors

    return selectors.all_versions()[0].pk
