"""The site as an app: what a browser is told, what it may keep, and reminders on a device."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.contracts.test_push import at as address_at
from tests.web import samples
from tests.web.samples import World
from usance.adapters import webpush
from usance.apps.customers import consents
from usance.apps.customers import selectors as customers
from usance.apps.messaging.models import Message
from usance.ports import registry

HERE = address_at("https://fcm.googleapis.com/fcm/send/abc")


@pytest.fixture
def world(institution: Any) -> World:
    """The Vietnamese institution, and a customer who is signed in."""
    return World(institution, "vn.localhost")


@pytest.fixture
def client(world: World) -> Client:
    return samples.borrower_client(world)


@pytest.fixture
def stranger(world: World) -> Client:
    return Client(headers={"host": world.host, "accept-language": "vi"})


def test_the_manifest_is_the_institutions_own_in_each_of_its_languages(stranger: Client) -> None:
    told = {}
    for language in ("vi", "en"):
        answer = stranger.get(f"/app/{language}/manifest.webmanifest")
        assert answer["Content-Type"] == "application/manifest+json"
        told[language] = answer.json()
        assert (told[language]["name"], told[language]["lang"], told[language]["scope"]) == ("Demo vn", language, "/")
    assert told["vi"]["description"] != told["en"]["description"]
    assert told["vi"]["id"] == told["en"]["id"]
    for language in ("uk", "xx"):
        assert stranger.get(f"/app/{language}/manifest.webmanifest").status_code == 404
        assert stranger.get(f"/app/{language}/offline/").status_code == 404


def test_the_page_names_the_manifest_of_its_language_and_the_fonts_that_it_needs(stranger: Client) -> None:
    page = stranger.get("/sign-in/").content.decode()
    assert 'rel="manifest" href="/app/vi/manifest.webmanifest"' in page
    preloaded = re.findall(r'rel="preload" as="font"[^>]*href="[^"]*/geologica-([a-z-]+?)-[\w-]{8}\.woff2"', page)
    assert preloaded
    assert "cyrillic" not in preloaded
    desk = stranger.get("/staff/sign-in/").content.decode()
    assert "manifest" not in desk


def test_the_worker_knows_the_institution_and_nobody_else(client: Client, world: World) -> None:
    answer = client.get("/worker.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    script = answer.content.decode()
    facts = json.loads(script[len("const USANCE=") : script.index(";\n")])
    assert facts["name"] == "Demo vn"
    assert facts["offline"] == {"vi": "/app/vi/offline/", "en": "/app/en/offline/"}
    assert all(re.fullmatch(r"/static/dist/assets/[\w.-]+", name) for name in facts["files"])
    assert script == Client(headers={"host": world.host}).get("/worker.js").content.decode()


def test_the_page_without_a_connection_is_the_same_for_everybody(client: Client, stranger: Client) -> None:
    for language, words in (("vi", "Không có kết nối"), ("en", "There is no connection")):
        pages = [one.get(f"/app/{language}/offline/") for one in (client, stranger)]
        assert pages[0].content == pages[1].content
        assert pages[0]["Content-Language"] == language
        assert words in pages[0].content.decode()
        assert "csrfmiddlewaretoken" not in pages[0].content.decode()


def test_files_of_the_build_may_be_kept_for_ever_and_pages_not_at_all(client: Client) -> None:
    page = client.get("/account/")
    style = re.search(r'href="(/static/dist/assets/[^"]+\.css)"', page.content.decode())
    assert style
    assert page["Cache-Control"] == "no-store"
    assert client.get("/account/", headers={"accept-encoding": "gzip"})["Content-Encoding"] == "gzip"
    file = client.get(style[1], headers={"accept-encoding": "gzip, br"})
    assert (file["Cache-Control"], file["Content-Encoding"]) == ("max-age=315360000, public, immutable", "br")


def test_signing_out_clears_what_the_browser_keeps(client: Client) -> None:
    answer = client.post("/sign-out/")
    assert answer["Clear-Site-Data"] == '"cache"'


# --- reminders --------------------------------------------------------------------------------------------------


@pytest.fixture
def pushes() -> Any:
    """Pushes are configured here, and no sandbox: as in production."""
    before = registry.install(registry.Registry())
    registry.offer(registry.PUSH, "webpush", webpush.build)
    registry.choose(registry.PUSH, "webpush", settings.WEBPUSH["*"] | {"sandbox_url": ""})
    yield
    registry.install(before)


def shown_text(client: Client) -> str:
    page = client.get("/account/settings/").content.decode()
    found = re.search(r'name="text" value="([0-9a-f-]{36})"', page)
    assert found
    return found[1]


def contact(world: World) -> Any:
    return customers.current_contact(world.get("party_id"), "push")


def test_reminders_are_allowed_and_stopped_on_the_page_of_settings(client: Client, world: World, pushes: None) -> None:
    answer = client.post("/account/push/", {"text": shown_text(client), "address": HERE}, follow=True)
    assert "From now on we remind you" in answer.content.decode()
    assert json.loads(contact(world).value) == json.loads(HERE)
    given = consents.consents_of(world.get("party_id")).get(purpose="push_reminders")
    assert given.text.language == "en"
    assert {"address"} <= given.evidence.keys()
    client.post("/account/push/stop/")
    assert contact(world) is None
    client.post("/account/push/", {"text": shown_text(client), "address": HERE})
    given = consents.consents_of(world.get("party_id")).filter(purpose="push_reminders").first()
    client.post(f"/account/consents/{given.pk}/withdraw/")  # the list of permissions ends it as well
    assert contact(world) is None


@pytest.mark.parametrize(
    "address", ["", "{}", address_at("https://169.254.169.254/x"), address_at("http://localhost/push/x")]
)
def test_an_address_elsewhere_is_refused_in_words(client: Client, world: World, pushes: None, address: str) -> None:
    answer = client.post("/account/push/", {"text": shown_text(client), "address": address}, follow=True)
    assert "We cannot send notifications to this browser" in answer.content.decode()
    assert contact(world) is None
    assert not consents.consents_of(world.get("party_id")).exists()


@pytest.mark.parametrize("text", ["", "x", "00000000-0000-0000-0000-000000000000", "another purpose"])
def test_words_that_were_not_shown_are_agreed_to_by_nobody(
    client: Client, world: World, pushes: None, text: str
) -> None:
    shown_text(client)
    if text == "another purpose":
        text = str(consents.text_in_force("marketing", "en", world.institution.business_date).pk)
    answer = client.post("/account/push/", {"text": text, "address": HERE}, follow=True)
    assert answer.status_code == 200
    assert contact(world) is None


def test_without_keys_the_page_says_nothing_of_notifications(client: Client) -> None:
    before = registry.install(registry.Registry())
    try:
        assert "data-push" not in client.get("/account/settings/").content.decode()
    finally:
        registry.install(before)


def test_a_device_tells_that_it_showed_a_reminder(client: Client, stranger: Client, world: World) -> None:
    ticket = world.get("ticket")
    Message.objects.update(state="sent")
    assert stranger.post(f"/push/{ticket}x/").status_code == 404
    assert stranger.post(f"/push/{ticket}/").status_code == 204
    assert Message.objects.get().state == "delivered"
    assert stranger.post(f"/push/{ticket}/").status_code == 204
    answer = stranger.get(f"/push/{ticket}/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert stranger.put(f"/push/{ticket}/").status_code == 405


def test_a_phone_of_the_sandbox_is_only_taken_where_there_is_a_sandbox(
    client: Client, pushes: None, settings: Any
) -> None:
    asked = "/account/settings/?phone=from-elsewhere"
    assert 'value="from-elsewhere"' in client.get(asked).content.decode()
    settings.USANCE_SANDBOX_URL = ""
    page = client.get(asked).content.decode()
    assert 'value="from-elsewhere"' not in page
    assert "sandbox" not in page
