"""The borrower's site as an app: installed, without a connection, connected again, with reminders."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e import behind
from tests.e2e.borrower import PATIENCE_MS, Borrower, until
from tests.support import browser
from usance.apps.institutions.models import Institution
from usance.apps.messaging import sending
from usance.apps.messaging import services as messaging
from usance.apps.messaging.models import SENT, Message
from usance.ports import clock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

    from tests.support.site import Site

CONTROLLED = "navigator.serviceWorker.controller !== null"


class Cable:
    """What lies between the phone and the site, and can be cut: connections then are refused, as by a dead network."""

    def __init__(self, to: int) -> None:
        self.to, self.open = to, True
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._live: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self.open = False
        for one in self._live:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.open = True

    def close(self) -> None:
        self.cut()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            if not self.open:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.to))
            self._live += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cable(live_site: Site) -> Iterator[Cable]:
    made = Cable(live_site.web_port)
    yield made
    made.close()


def visit(page: Page, cable: Cable, path: str = "/", code: str = "ua") -> None:
    page.goto(f"http://{code}.localhost:{cable.port}{path}")
    controlled(page)


def controlled(page: Page) -> None:
    """The worker is there and has taken over."""
    until(lambda: page.evaluate(CONTROLLED), "a service worker")


def kept(page: Page) -> list[str]:
    """Every address in every cache of the site."""
    found: list[str] = page.evaluate(
        "(async () => { const all = []; for (const name of await caches.keys())"
        " for (const one of await (await caches.open(name)).keys()) all.push(new URL(one.url).pathname);"
        " return all; })()"
    )
    return found


def test_the_site_can_be_installed_in_each_language(live_site: Site, phone: Page) -> None:
    asked: CDPSession = phone.context.new_cdp_session(phone)
    for code, language, name in (("ua", "uk", "Дін"), ("ua", "en", ""), ("vn", "vi", "")):
        phone.context.add_cookies([{"name": "language", "value": language, "url": live_site.url(code)}])
        phone.goto(live_site.url(code))
        controlled(phone)
        told = asked.send("Page.getAppManifest")
        assert told["errors"] == []
        manifest = json.loads(told["data"])
        assert (manifest["lang"], manifest["id"], manifest["start_url"]) == (language, "/", "/account/"), name
        assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
        errors = asked.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []  # as every test's browser


def test_without_a_connection_the_page_says_so_and_comes_back_by_itself(
    live_site: Site, phone: Page, cable: Cable
) -> None:
    phone.context.add_cookies([{"name": "language", "value": "uk", "url": f"http://ua.localhost:{cable.port}"}])
    visit(phone, cable)
    until(lambda: "/app/language" in kept(phone), "the language is noted")
    cable.cut()
    phone.goto(f"http://ua.localhost:{cable.port}/sign-in/")
    expect(phone.locator("h1")).to_have_text("Немає зв’язку")
    expect(phone.locator("html")).to_have_attribute("lang", "uk")
    assert phone.evaluate("getComputedStyle(document.body).fontFamily").startswith("Geologica")
    browser.assert_accessible(phone)
    cable.mend()
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.get_by_label("Номер мобільного")).to_be_visible(timeout=PATIENCE_MS)
    phone.context.set_offline(True)
    phone.goto(f"http://ua.localhost:{cable.port}/verify/")
    expect(phone.locator("h1")).to_have_text("Немає зв’язку")
    phone.context.set_offline(False)
    expect(phone.get_by_role("textbox")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize("way", ["the browser knows", "the network is dead"])
def test_what_was_typed_stays_when_the_connection_drops(live_site: Site, phone: Page, cable: Cable, way: str) -> None:
    person = Borrower(phone, live_site)
    visit(phone, cable, "/sign-in/")
    box = phone.get_by_label("Mobile phone number")
    box.fill(person.phone)
    notice = phone.get_by_text("No connection: nothing was sent")
    expect(notice).to_be_hidden()
    if way == "the browser knows":
        phone.context.set_offline(True)
    else:
        cable.cut()
    phone.get_by_role("button", name="Send me a code").click()
    expect(notice).to_be_visible()
    expect(box).to_have_value(person.phone)
    browser.assert_accessible(phone)
    phone.get_by_role("button", name="Send me a code").click()  # still nothing, and still there
    expect(notice).to_be_visible()
    expect(box).to_have_value(person.phone)
    phone.context.set_offline(False)
    cable.mend()
    phone.get_by_role("button", name="Send me a code").click()
    phone.get_by_label("Code from the SMS").fill(person.code_from_sms())
    assert len([m for m in live_site.messages(to=re.sub(r"\D", "", person.phone)) if m["codes"]]) == 1


def test_no_page_of_a_person_is_kept(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.enter(person)
    for path in ("/", "/account/", "/account/me/", "/account/settings/"):
        person.open(path)
        controlled(phone)
    names = until(lambda: [n for n in kept(phone) if n.startswith("/static/dist/")] and kept(phone), "kept files")
    assert all(re.match(r"/static/dist/assets/|/app/(uk|en|ru)/offline/|/app/language", name) for name in names), names
    note = phone.evaluate(
        "(async () => { const all = []; for (const name of await caches.keys()) { const c = await caches.open(name);"
        " for (const one of await c.keys()) all.push(await (await c.match(one)).text()); } return all.join(' '); })()"
    )
    assert re.sub(r"\D", "", person.phone)[-7:] not in note
    person.open("/account/")
    phone.get_by_role("banner").get_by_role("button", name="Sign out").click()
    phone.wait_for_url(live_site.url("ua"))
    assert phone.evaluate(CONTROLLED)
    phone.goto(live_site.url("ua", "/account/"))
    assert "/sign-in/" in phone.url


def renamed(name: str) -> str:
    """The institution has another name, which makes its worker another script; gives the name before."""
    with behind.inside("vn") as institution:
        before = str(institution.name)
        Institution.objects.filter(pk=institution.pk).update(name=name)
    return before


def test_a_new_worker_takes_over_and_clears_what_the_old_one_kept(live_site: Site, phone: Page) -> None:
    phone.goto(live_site.url("vn"))
    controlled(phone)
    first = phone.evaluate("caches.keys()")
    assert len(first) == 1
    before = renamed("Another name")
    try:
        phone.evaluate("navigator.serviceWorker.getRegistration().then(one => one.update()).then(() => null)")
        until(lambda: phone.evaluate("caches.keys()") not in ([], first, None), "a new cache")
        until(lambda: len(phone.evaluate("caches.keys()")) == 1, "the older cache is gone")
        assert phone.evaluate("caches.keys()") != first
        person = Borrower(phone, live_site, "vn")
        person.open("/sign-in/")  # the page that comes through the new worker
        expect(phone.locator("h1")).to_be_visible()
    finally:
        renamed(before)


def allow(person: Borrower) -> None:
    """The customer allows reminders, with a phone of the sandbox."""
    person.open("/account/settings/")
    person.page.get_by_role("link", name="Demonstration: take a phone").click()
    person.page.get_by_role("button", name="Allow").click()
    person.page.get_by_role("button", name="Back to the lender").click()
    person.sees("Reminders on this device")
    browser.assert_accessible(person.page)
    person.press("Allow reminders")
    person.sees("From now on we remind you of payments on this device.")
    person.sees("on the device on which you allowed them")
    browser.assert_accessible(person.page)


def remind_of(person: Borrower) -> Any:
    """A reminder is ordered as the calendar does; gives the message. The institution's clock runs ahead, so that its
    planned hour counts and not the hour at which this test runs."""
    behind.pass_days(person.code, 1)
    party_id = behind.party_of(person)
    with behind.inside(person.code) as institution:
        on = institution.business_date
        (told,) = messaging.tell(
            party_id=party_id,
            template="due_today",
            key=f"remind:{party_id}:{on}",
            moment=datetime.combine(on, time(12), ZoneInfo(institution.time_zone)),
            context={"reference": "1", "amount_minor": 100, "due_on": on, "link": "/"},
            push_first=True,
        )
    return told


def state_of(person: Borrower, message: Any) -> str:
    with behind.inside(person.code):
        return str(Message.objects.get(pk=message.pk).state)


def test_a_reminder_comes_to_the_phone_and_is_seen(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site, "vn")
    behind.enter(person)
    allow(person)
    told = remind_of(person)
    assert told.channel == "push"
    until(lambda: state_of(person, told) == "sent", "the push has left")
    shown = next(m for m in live_site.messages(channel="push") if m["from"].startswith("http://vn.localhost"))
    words, _, link = shown["text"].partition("http")
    assert words.startswith("Bạn sắp có một khoản thanh toán")
    assert not re.search(r"\d", words)
    phone.goto(f"http{link}")
    person.sees("My account")
    assert state_of(person, told) == "delivered"
    person.open("/account/settings/")
    person.press("Stop the notifications")
    person.sees("We remind you of payments by SMS and e-mail.")
    assert remind_of(person).channel == "sms"


def test_the_worker_shows_a_push_and_tells_us_that_it_did(live_site: Site, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="en")
    try:
        page = context.new_page()
        person = Borrower(page, live_site)
        party_id = behind.party_of(person)
        context.grant_permissions(["notifications"], origin=live_site.url("ua", ""))
        with behind.inside("ua"):
            row = Message.objects.create(
                party_id=party_id,
                channel="push",
                template="due_today",
                version=1,
                language="uk",
                purpose="reminder",
                key=f"shown {party_id}",
                sealed_to=b"",
                sealed_body=b"",
                state=SENT,
                moment=clock.now(),
                contact_on=clock.now().date(),
            )
            link = f"/push/{sending.ticket(row)}/"
        asked, found = context.new_cdp_session(page), []
        asked.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
        asked.send("ServiceWorker.enable")
        page.goto(live_site.url("ua"))
        controlled(page)
        mine = next(one for one in found if "ua.localhost" in one["scopeURL"])
        said = {"title": "Lender", "body": "You have a payment soon.", "link": link, "tag": "1"}
        asked.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": live_site.url("ua", ""),
                "registrationId": mine["registrationId"],
                "data": json.dumps(said),
            },
        )
        shown = until(
            lambda: page.evaluate(
                "navigator.serviceWorker.ready.then(r => r.getNotifications())"
                ".then(all => all.map(n => [n.title, n.body, n.data]))"
            ),
            "a notification",
        )
        assert shown == [["Lender", "You have a payment soon.", link]]

        def is_delivered() -> bool:
            with behind.inside("ua"):
                return Message.objects.get(pk=row.pk).state == "delivered"

        until(is_delivered, "the worker told us")
    finally:
        context.close()
