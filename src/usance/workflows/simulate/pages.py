"""The same life through the pages: forms are filled and sent as a browser without scripts would."""

from __future__ import annotations

import re
from time import sleep
from uuid import UUID

from django.db import transaction
from django.test import Client

from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.workflows import take_application
from usance.workflows.simulate import borrowers
from usance.workflows.simulate.borrowers import Life
from usance.workflows.simulate.outside import Visitor, World

HIDDEN = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"')


MOST_LOOKS, A_MOMENT_S = 300, 0.1


class PageDidNotGoOn(RuntimeError):
    """A form came back instead of leading on: what it said is in the message."""


_browsers: dict[int, Client] = {}


def _browser(life: Life) -> Client:
    """Each person's own browser, with its cookies."""
    if life.who.number not in _browsers:
        host = institutions.base_url(tenancy.current_id()).split("//", 1)[1].split(":", 1)[0]
        _browsers[life.who.number] = Visitor(HTTP_HOST=host, HTTP_ACCEPT_LANGUAGE=life.who.language)
    return _browsers[life.who.number]


def _send(browser: Client, path: str, data: dict[str, str]) -> str:
    """Sends a form; gives the address that it leads to. Raises PageDidNotGoOn."""
    reply = browser.post(path, data)
    if reply.status_code not in (302, 303):
        said = re.findall(r'class="u-error[^"]*"[^>]*>(.*?)<', reply.content.decode(), re.S)
        raise PageDidNotGoOn(f"{path}: {reply.status_code} {said}")
    return str(reply["Location"])


def walk(world: World, life: Life) -> None:
    """From the calculator to the sent application."""
    browser = _browser(life)
    code, amount, term = _wish(life)
    _send(browser, "/wish/", {"product": code, "amount": _major(amount), "term": str(term)})
    _send(browser, "/sign-in/?next=/apply/", {"phone": life.who.phone})
    world.settle()
    where = _send(browser, "/sign-in/code/", {"code": world.sandbox.latest_code(life.who.phone)})
    with transaction.atomic():
        life.party_id = customers.party_with_phone(life.who.phone)
    for _ in range(20):
        world.tick()
        where = browser.get("/apply/")["Location"]
        if where.startswith("/apply/check"):
            break
        _fill(world, life, browser, where)
    _send(browser, "/apply/check/", _hidden(browser, "/apply/check/"))
    with transaction.atomic():
        life.application_id = applications.applications_of(party_id=life.party_id).first().pk  # type: ignore[arg-type,union-attr]
    world.settle()


def _hidden(browser: Client, path: str) -> dict[str, str]:
    """What the form of a page holds by itself."""
    found = dict(HIDDEN.findall(browser.get(path).content.decode()))
    return {name: value for name, value in found.items() if name not in ("csrfmiddlewaretoken", "next")}


def _wish(life: Life) -> tuple[str, int, int]:
    with transaction.atomic():
        return borrowers.wish(life)


def _major(minor: int) -> str:
    with transaction.atomic():
        digits = tenancy.current().currency_digits
    return str(minor // 10**digits)


def _fill(world: World, life: Life, browser: Client, where: str) -> None:
    """One page of the application."""
    code = where.strip("/").split("/")[-1]
    if code == "card":
        _link_card(world, life, browser)
        return
    with transaction.atomic():
        application = applications.open_application(party_id=life.party_id)  # type: ignore[arg-type]
        page = next(found for found in applications.pages(application) if found.code == code)  # type: ignore[arg-type]
        if page.kind == "consents":
            asked = take_application.consents_asked(application_id=application.pk)  # type: ignore[union-attr]
            data = {one.purpose: "on" for one in asked if one.required}
        else:
            data = borrowers.answers_of(life.who, [asked.question for asked in page.questions])
            born = data.pop("birth_date", "")
            if born:
                data["birth_date_year"], data["birth_date_month"], data["birth_date_day"] = born.split("-")
    _send(browser, where, _hidden(browser, where) | data)


def _link_card(world: World, life: Life, browser: Client) -> None:
    """To the card page and back."""
    where = _send(browser, "/apply/card/", _hidden(browser, "/apply/card/"))
    world.settle()
    instruction_id = UUID(where.strip("/").split("/")[-1])
    with transaction.atomic():
        order = payments.instruction(instruction_id)
    world.sandbox.fill_card_page(order.page_url, held_minor=order.amount_minor)
    world.settle()
    browser.post(f"/payments/{instruction_id}/back/")
    world.settle()
    life.card_id = _linked(world, life)


def _linked(world: World, life: Life) -> UUID:
    """The card, as soon as it is there: where processes live together, another one may have taken the provider's word
    and be about to write it down."""
    for _ in range(MOST_LOOKS):
        with transaction.atomic():
            card = payments.cards_of(life.party_id).first()  # type: ignore[arg-type]
        if card is not None:
            return UUID(str(card.pk))
        sleep(A_MOMENT_S)
        world.settle()
    raise PageDidNotGoOn("the card was not linked")


def sign(world: World, life: Life) -> bool:
    """Opens the offer, has the code sent, signs."""
    browser = _browser(life)
    browser.get("/offer/")
    world.settle()
    _send(browser, "/offer/", _hidden(browser, "/offer/") | {"card": str(life.card_id)})
    world.settle()
    where = _send(browser, "/offer/sign/", {"code": world.sandbox.latest_code(life.who.phone)})
    life.loan_id = UUID(where.strip("/").split("/")[-1])
    life.loans_taken += 1
    world.settle()
    return browser.get(where).status_code == 200
