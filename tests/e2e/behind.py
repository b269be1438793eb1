"""Behind the pages: what a test brings about by the same services that the pages call, to begin where it matters."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from tests.e2e.borrower import Borrower, until
from tests.support import visits
from tests.support.site import Site
from usance.adapters import sandbox
from usance.apps.customers import selectors as customer_view
from usance.apps.customers import services as customers
from usance.apps.customers.models import OneTimeCode
from usance.apps.customers.refusals import PhoneOfSomeoneElse
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors as applications
from usance.apps.payments import services as rails
from usance.ports import clock, registry
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import close_day, take_application

CALLING_CODES = {"ua": "+380", "vn": "+84", "eu": "+49"}
LANGUAGES = {"ua": "uk", "vn": "vi", "eu": "en"}


@contextmanager
def inside(code: str) -> Iterator[Any]:
    """One transaction inside an institution."""
    with tenancy.bound(institutions.institution_id_of(code)), transaction.atomic():
        yield tenancy.current()


def let_codes_age(person: Borrower) -> None:
    """The pause before a next code is real time: the earlier ones are made older instead of waiting for it."""
    with inside(person.code):
        OneTimeCode.objects.update(issued_at=F("issued_at") - timedelta(hours=2))


def pass_days(code: str, days: int) -> None:
    """The institution's clock is pushed: each day is closed, and what falls due on the next is done by the site's
    worker before that day is closed in its turn."""
    with tenancy.bound(institutions.institution_id_of(code)):
        for _ in range(days):
            close_day.run_close_inline(at=clock.now(), do_items=False)
            until(_nothing_to_do, "an idle worker")


def _nothing_to_do() -> bool:
    """No job runs or could run now (those that wait for their time do not count)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
            " OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))"
        )
        return bool(cursor.fetchone()[0] == 0)


def party_of(person: Borrower) -> Any:
    """The customer's id; a new customer with a verified phone when there is none yet."""
    phone = CALLING_CODES[person.code] + person.phone.replace(" ", "")
    with inside(person.code) as institution:
        known = customer_view.party_with_phone(phone)
        if known:
            return known
        on, at = institution.business_date, clock.now()
        try:
            with transaction.atomic():
                party_id = customers.add_party(kind="person", language=LANGUAGES[person.code], on=on, actor=SYSTEM)
                customers.add_contact(party_id=party_id, kind="phone", value=phone, actor=SYSTEM, at=at, verified=True)
                return party_id
        except PhoneOfSomeoneElse:  # the sign-in of a press before the last was still on its way
            return customer_view.party_with_phone(phone)


def enter(person: Borrower) -> None:
    """The person is signed in, in this browser."""
    party_id = party_of(person)
    with inside(person.code):
        session = visits.session_of(party_id)
    person.page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": person.site.url(person.code)}]
    )


def give_card(person: Borrower) -> None:
    """A card is linked, as the sandbox's hosted page would have done."""
    party_id, site = party_of(person), person.site
    with inside(person.code) as institution:
        rail = registry.payment_rail(institution.code)
        twin = sandbox.create_app(site.home / "sandbox" / "book.sqlite3")
        told = sandbox.new_card(twin, merchant_id=rail.merchant, on=institution.business_date)
        rails.keep_card(
            party_id=party_id,
            provider=rail.provider,
            merchant=rail.merchant,
            told=told,
            org_path="root",
            at=clock.now(),
        )


def apply(person: Borrower, *, amount_minor: int = 500_000, term: int = 20, submit: bool = True) -> Any:
    """The application is answered, with a card and all consents; sent, unless told otherwise. Returns its id."""
    party_id = party_of(person)
    give_card(person)
    actor, at = borrower(party_id), clock.now()
    with inside(person.code):
        started = take_application.start(
            party_id=party_id,
            product_code="short",
            amount_minor=amount_minor,
            term=term,
            language=LANGUAGES[person.code],
            at=at,
            actor=actor,
        )
        application_id = started.application.pk
        born = person.birth_date.isoformat()
        answers = person.answers | {"birth_date": born, "employment": "employed", "housing": "own"}
        for state in take_application.page_states(application_id=application_id):
            if state.page.kind == "questions":
                saved = take_application.save_page(
                    application_id=application_id, page=state.page.code, data=answers, at=at, actor=actor
                )
                assert not saved.errors, saved.errors
        asked = take_application.consents_asked(application_id=application_id)
        given = {one.purpose: one.text_id for one in asked}
        take_application.save_consents(application_id=application_id, given=given, evidence={}, at=at, actor=actor)
        if submit:
            take_application.submit(application_id=application_id, key=secrets.token_hex(8), at=at, actor=actor)
    return application_id


def state_of(site_code: str, application_id: Any) -> str:
    with inside(site_code):
        return str(applications.application(application_id=application_id).state)


def reaches(site_code: str, application_id: Any, *states: str) -> None:
    """Waits until the worker has brought the application there."""
    until(lambda: state_of(site_code, application_id) in states, f"application in {states}")


@contextmanager
def weather(site: Site, **fault: Any) -> Iterator[None]:
    """The provider misbehaves inside the block, and no longer."""
    site.dial(**{"provider": "fondy", "share": 100} | fault)
    try:
        yield
    finally:
        site.calm()
