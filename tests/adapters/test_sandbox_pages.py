"""The twin as a person meets it: the hosted page, the inbox, the dials; and what the protocol refuses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from usance.adapters import sandbox
from usance.adapters.fondy.signature import sign
from usance.adapters.sandbox import cards, faults
from usance.adapters.sandbox.inbox import codes_in
from usance.adapters.sandbox.money import parse_amount, show_amount
from usance.adapters.sandbox.twin import Merchant, Twin


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Any:
    return sandbox.create_app(clock=clock, send=lambda url, body, headers: 200)


@pytest.fixture
def browser(app: Any) -> FlaskClient:
    client: FlaskClient = app.test_client()
    return client


@pytest.fixture
def twin(app: Any) -> Twin:
    return sandbox.twin_of(app)


def ask(browser: FlaskClient, path: str, secret: str = "test", **fields: Any) -> dict[str, Any]:
    """A signed request; the inner object of the answer."""
    full = {"merchant_id": 1396424} | fields
    full = {name: value for name, value in full.items() if value is not None}
    full.setdefault("signature", sign(secret, full))
    reply = browser.post(f"/fondy/api/{path}", json={"request": full}, headers={faults.IN_PROCESS: "1"})
    assert reply.status_code == 200
    inner: dict[str, Any] = reply.get_json()["response"]
    return inner


ORDER = {"order_desc": "A thing", "amount": "1000", "currency": "UAH"}


def opened(browser: FlaskClient, order_id: str, **more: Any) -> str:
    made = ask(browser, "checkout/url/", order_id=order_id, **(ORDER | more))
    assert made["response_status"] == "success", made
    return "/fondy/pay/" + made["payment_id"]


# --- protocol -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (1014, {"signature": "0" * 40}),
        (1016, {"merchant_id": 5}),
        (1011, {"merchant_id": None}),
        (1011, {"amount": None}),
        (1009, {"order_desc": ""}),
        (1023, {"amount": "0"}),
        (1023, {"amount": "12.50"}),
        (1012, {"currency": "VND"}),
        (1034, {"order_desc": "a|b"}),
        (1007, {"lifetime": "soon"}),
        (1007, {"order_id": "x" * 1025}),
    ],
)
def test_requests_that_the_protocol_refuses(browser: FlaskClient, code: int, fields: dict[str, Any]) -> None:
    got = ask(browser, "checkout/url/", **({"order_id": "o"} | ORDER | fields))
    assert (got["response_status"], got["error_code"]) == ("failure", code)


def test_requests_that_are_not_json(browser: FlaskClient) -> None:
    for body, kind, code in ((b"", "application/json", 1010), (b"[]", "application/json", 1010), (b"a=1", "x/y", 1021)):
        got = browser.post("/fondy/api/checkout/url/", data=body, content_type=kind).get_json()["response"]
        assert got["error_code"] == code
    assert browser.post("/fondy/api/nowhere/").status_code == 404


def test_order_not_found(browser: FlaskClient) -> None:
    assert ask(browser, "status/order_id/", order_id="none")["error_code"] == 1018
    assert ask(browser, "reverse/order_id/", order_id="none", amount="1", currency="UAH")["error_code"] == 1018


def test_transaction_list_and_reports(browser: FlaskClient) -> None:
    page = opened(browser, "o-1")
    browser.post(page, data={"test_card": "4444555511116666"})
    ask(browser, "reverse/order_id/", order_id="o-1", amount="300", currency="UAH", reverse_id="r")
    listed: Any = ask(browser, "transaction_list/", order_id="o-1")
    assert [(row["tran_type"], row["amount"]) for row in listed] == [("purchase", "1000"), ("reverse", "300")]
    span = {"date_from": "02.03.2026 00:00:00", "date_to": "02.03.2026 23:59:59"}
    reported: Any = ask(browser, "reports/", **span)
    assert [(row["order_id"], row["reversal_amount"]) for row in reported] == [("o-1", "300")]
    assert ask(browser, "reports/", date_from="yesterday", date_to="today")["error_code"] == 1007


def test_a_payout_to_a_card_number(browser: FlaskClient) -> None:
    fields = {"order_id": "p", "receiver_card_number": "4444555566661111", **ORDER}
    got = ask(browser, "p2pcredit/", "testcredit", **fields)
    assert (got["order_status"], got["tran_type"]) == ("approved", "p2p credit")
    assert got["signature"] == sign("testcredit", got)
    assert ask(browser, "p2pcredit/", "test", **fields | {"order_id": "p2"})["error_code"] == 1014


def test_merchants_come_from_configuration() -> None:
    own = Merchant("77", "Own", ("KZT",), "Asia/Almaty", payment_key="k1", credit_key="k2")
    browser = sandbox.create_app(merchants=[own]).test_client()
    made = ask(browser, "checkout/url/", "k1", merchant_id=77, order_id="o", **ORDER | {"currency": "KZT"})
    assert made["response_status"] == "success"


# --- the hosted page ----------------------------------------------------------------------------------


def test_the_page_says_that_it_is_a_sandbox_and_offers_every_test_card(browser: FlaskClient) -> None:
    text = browser.get(opened(browser, "o-1")).get_data(as_text=True)
    assert "No real money" in text
    assert "10.00 UAH" in text
    assert "expires in 600 minutes" in text
    for card in cards.TEST_CARDS:
        assert f'value="{card.number}"' in text


@pytest.mark.parametrize("card", [card for card in cards.TEST_CARDS if card.published], ids=lambda card: card.number)
def test_published_test_cards_do_what_the_provider_says(browser: FlaskClient, card: cards.TestCard) -> None:
    page = opened(browser, "o-1")
    reply = browser.post(page, data={"test_card": card.number})
    assert reply.location.endswith("/bank" if card.asks_3ds else "/done")
    if card.asks_3ds:
        browser.post(f"{page}/bank", data={"code": "123456"})
    got = ask(browser, "status/order_id/", order_id="o-1")
    assert got["order_status"] == ("declined" if card.page_code else "approved")
    assert str(got["response_code"]) == card.page_code


def test_a_typed_card(browser: FlaskClient) -> None:
    page = opened(browser, "o-1")
    bad = browser.post(page, data={"number": "4111 1111 1111 1112", "expiry": "13/31", "cvv": "12"})
    assert bad.status_code == 422
    text = bad.get_data(as_text=True)
    assert "<title>Error: " in text
    assert text.count('aria-invalid="true"') == 3
    gone = browser.post(page, data={"number": "4111 1111 1111 1111", "expiry": "02/26", "cvv": "123"})
    assert gone.get_data(as_text=True).count('aria-invalid="true"') == 1
    good = browser.post(page, data={"number": "4111 1111-1111 1111", "expiry": "3/2026", "cvv": "123"})
    assert good.location.endswith("/done")


def test_no_card_number_is_kept(browser: FlaskClient, twin: Twin) -> None:
    page = opened(browser, "o-1", required_rectoken="Y")
    browser.post(page, data={"number": "4111111111111111", "expiry": "12/30", "cvv": "999"})
    for table in ("orders", "cards", "callbacks", "calls", "messages"):
        for row in twin.book.rows(f"SELECT * FROM {table}"):
            assert "4111111111111111" not in str(tuple(row))


def test_new_cards_of_their_own_differ(browser: FlaskClient) -> None:
    tokens = set()
    for order_id in ("a", "b", "c"):
        page = opened(browser, order_id, required_rectoken="Y")
        browser.post(page, data={"test_card": "fresh"})
        tokens.add(ask(browser, "status/order_id/", order_id=order_id)["rectoken"])
    assert len(tokens - {""}) == 3


def test_the_customer_refuses_at_the_bank_or_mistypes(browser: FlaskClient) -> None:
    page = opened(browser, "o-1")
    browser.post(page, data={"test_card": "4444555566661111"})
    assert browser.get(page).location.endswith("/bank")  # wherever one enters, one is led on
    assert browser.post(f"{page}/bank", data={"code": "1"}).status_code == 422
    browser.post(f"{page}/bank", data={"answer": "refuse"})
    assert ask(browser, "status/order_id/", order_id="o-1")["response_code"] == 1024
    assert "declined" in browser.get(f"{page}/done").get_data(as_text=True)


def test_three_wrong_amounts_end_the_link(browser: FlaskClient) -> None:
    page = opened(browser, "o-1", verification="Y", verification_type="amount", amount="137")
    browser.post(page, data={"test_card": "4444555511116666"})
    assert (
        "1.37" not in browser.get(page, follow_redirects=True).get_data(as_text=True).split("Message of your bank:")[0]
    )
    for _ in range(2):
        assert browser.post(f"{page}/held", data={"amount": "1.38"}).status_code == 422
    browser.post(f"{page}/held", data={"amount": ""})
    got = ask(browser, "status/order_id/", order_id="o-1")
    assert (got["order_status"], got["verification_status"]) == ("declined", "incorrect")


def test_the_way_back_is_signed_and_allowed_to_the_lender_only(browser: FlaskClient) -> None:
    page = opened(browser, "o-1", response_url="https://lender.example/back?x=1")
    browser.post(page, data={"test_card": "4444555511116666"})
    reply = browser.get(f"{page}/done")
    assert reply.headers["Content-Security-Policy"].endswith("form-action 'self' https://lender.example")
    text = reply.get_data(as_text=True)
    assert 'action="https://lender.example/back?x=1"' in text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', text.replace("&#34;", '"')))
    assert fields["order_status"] == "approved"
    evil = opened(browser, "o-2", response_url="javascript:alert(1)")
    browser.post(evil, data={"test_card": "4444555511116666"})
    assert "javascript:" not in browser.get(f"{evil}/done").get_data(as_text=True)


def test_an_expired_page_takes_no_card(browser: FlaskClient, clock: Clock) -> None:
    page = opened(browser, "o-1", lifetime="60")
    clock.at += timedelta(seconds=61)
    assert browser.post(page, data={"test_card": "4444555511116666"}).location.endswith("/done")
    assert "expired" in browser.get(f"{page}/done").get_data(as_text=True)
    assert ask(browser, "status/order_id/", order_id="o-1")["order_status"] == "expired"
    assert browser.get("/fondy/pay/1").status_code == 404


def test_a_linked_card_expires(browser: FlaskClient) -> None:
    page = opened(browser, "o-1", required_rectoken="Y")
    browser.post(page, data={"test_card": "fresh"})
    token = ask(browser, "status/order_id/", order_id="o-1")["rectoken"]
    browser.post("/dials/api", json={"dates": {"1396424": "2030-01-01"}})
    got = ask(browser, "recurring/", order_id="d", rectoken=token, **ORDER)
    assert (got["order_status"], got["response_code"]) == ("declined", 1082)


# --- callbacks ----------------------------------------------------------------------------------------


def test_callbacks_are_retried_on_the_providers_schedule_until_acknowledged(clock: Clock) -> None:
    answers, tried = [500, 0, 302, 200], []

    def send(url: str, body: bytes, headers: Any) -> int:
        tried.append(clock.at)
        return answers[len(tried) - 1]

    app = sandbox.create_app(clock=clock, send=send)
    browser = app.test_client()
    browser.post("/dials/api", json={"settings": {"retry_scale": 1}})
    page = opened(browser, "o-1", server_callback_url="http://lender.example/cb")
    browser.post(page, data={"test_card": "4444555511116666"})
    began = clock.at
    for _ in range(1000):
        sandbox.deliver_due(app)
        clock.at += timedelta(seconds=1)
    assert [(at - began).total_seconds() for at in tried] == [0, 2, 62, 362]
    (row,) = browser.get("/book/callbacks?key=o-1").get_json()
    assert (row["state"], row["attempts"]) == ("delivered", 4)


def test_a_receiver_that_never_acknowledges_is_given_up(clock: Clock) -> None:
    app = sandbox.create_app(clock=clock, send=lambda url, body, headers: 500)
    browser = app.test_client()
    page = opened(browser, "o-1", server_callback_url="http://lender.example/cb")
    browser.post(page, data={"test_card": "4444555511116666"})
    for _ in range(10):
        sandbox.deliver_due(app)
        clock.at += timedelta(days=1)
    (row,) = browser.get("/book/callbacks?key=o-1").get_json()
    assert (row["state"], row["attempts"]) == ("given up", 7)


# --- dials --------------------------------------------------------------------------------------------


def test_dials_by_page(browser: FlaskClient) -> None:
    form = {"do": "add", "where": "fondy:recurring", "kind": "decline", "value": "1037", "share": "50", "left": ""}
    assert browser.post("/dials/", data=form).status_code == 303
    (fault,) = browser.get("/dials/api").get_json()["faults"]
    assert (fault["operation"], fault["value"], fault["share"], fault["left"]) == ("recurring", "1037", 50, None)
    assert "50 %" in browser.get("/dials/").get_data(as_text=True)
    browser.post("/dials/", data={"do": "remove", "id": fault["id"]})
    assert browser.get("/dials/api").get_json()["faults"] == []
    for bad in ({"share": "101"}, {"where": "bank:x"}, {"kind": "delay", "value": "long"}):
        assert browser.post("/dials/", data=form | bad).status_code == 422
    settings = {"seed": "7", "retry_scale": "1", "hang_s": "2", "latency_s": "0", "return_by": "get"}
    browser.post("/dials/", data={"do": "settings"} | settings)
    assert browser.get("/dials/api").get_json()["settings"] == settings
    assert browser.post("/dials/", data={"do": "dates", "1396424": "some day"}).status_code == 422
    browser.post("/dials/", data={"do": "reset"})
    assert browser.get("/dials/api").get_json()["settings"]["seed"] == "1"


def test_dials_by_api_refuse_nonsense_and_change_nothing(browser: FlaskClient) -> None:
    before = browser.get("/dials/api").get_json()
    for bad in (
        [],
        {"add": [{"provider": "fondy"}]},
        {"add": [{"provider": "fondy", "operation": "pay", "kind": "nothing"}]},
        {"settings": {"seed": 9, "hang_s": "long"}},
        {"dates": {"1396424": "2027-01-05T10:00:00"}},
        {"dates": {"5": "2027-01-05"}},
        {"faults": [{"provider": "fondy", "operation": "pay", "kind": "decline", "colour": "red"}]},
    ):
        assert browser.post("/dials/api", json=bad).status_code == 400
        assert browser.get("/dials/api").get_json() == before


def test_a_share_strikes_the_same_orders_in_any_order(twin: Twin) -> None:
    twin.book.set("seed", "42")
    faults.add(twin, provider="fondy", operation="*", kind="decline", share=30)
    keys = [f"order-{n}" for n in range(500)]
    struck = {key for key in keys if faults.hit(twin, "fondy", "pay", "decline", key)}
    assert 110 < len(struck) < 190
    assert {key for key in reversed(keys) if faults.hit(twin, "fondy", "pay", "decline", key)} == struck
    twin.book.set("seed", "43")
    assert {key for key in keys if faults.hit(twin, "fondy", "pay", "decline", key)} != struck


def test_other_sites_may_not_turn_the_dials(browser: FlaskClient) -> None:
    reply = browser.post("/dials/", data={"do": "reset"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 403


# --- inbox --------------------------------------------------------------------------------------------


def message(browser: FlaskClient, kind: str, **body: Any) -> None:
    reply = browser.post(f"/esputnik/api/v1/message/{kind}", json=body, auth=("demo", "sandbox"))
    assert reply.status_code == 200, reply.text


def test_the_inbox_shows_filters_and_escapes(browser: FlaskClient) -> None:
    link = "http://ua.localhost:8000/a/123456"
    message(browser, "sms", **{"from": "UA", "phoneNumbers": ["380501234567"], "text": f"Code 482913. {link}"})
    message(browser, "sms", **{"from": "VN", "phoneNumbers": ["84912345678"], "text": "<script>alert(1)</script>"})
    message(
        browser,
        "email",
        **{"from": "A <a@b>", "emails": ["c@d.example"], "subject": "Hi", "htmlText": "<script>x</script>"},
    )
    text = browser.get("/inbox/").get_data(as_text=True)
    assert text.index("c@d.example") < text.index("84912345678") < text.index("380501234567")  # newest first
    assert "<script>alert" not in text
    assert '<code class="otp">482913</code>' in text
    assert f'<a href="{link}">' in text
    assert [m["to"] for m in browser.get("/inbox/api?to=%2B380 50").get_json()] == ["380501234567"]
    assert [m["to"] for m in browser.get("/inbox/api?host=ua.localhost").get_json()] == ["380501234567"]
    assert [m["channel"] for m in browser.get("/inbox/api?channel=email").get_json()] == ["email"]
    newest = browser.get("/inbox/api?limit=1").get_json()
    assert browser.get(f"/inbox/api?after={newest[0]['id']}").get_json() == []
    html = browser.get(f"/inbox/{newest[0]['id']}/html")
    assert html.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Your code is 482913.", ["482913"]),
        ("482913 is your code", ["482913"]),
        ("Код: 4829, 10 000 UAH", ["4829"]),
        ("Pay 1234.50 UAH by 2026-03-02 at 10:30", []),
        ("Call +380501234567", []),
        ("http://ua.localhost:8000/a/123456", []),
        ("Sign 12,500,000 VND with 550188", ["550188"]),
        ("5,000.00 UAH are on your card •••• 6666. Your code: 550188", ["550188"]),
        ("From card **6666 and ****\u00a01111", []),
    ],
)
def test_codes_are_found_and_other_numbers_are_not(text: str, codes: list[str]) -> None:
    assert codes_in(text) == codes


def test_esputnik_wants_a_login_and_a_whole_request(browser: FlaskClient) -> None:
    path, auth = "/esputnik/api/v1/message/sms", ("anything", "sandbox")
    assert browser.post(path, json={}).status_code == 401
    assert browser.post(path, json={}, auth=("demo", "wrong")).status_code == 401
    for body in ([], {}, {"from": "A", "text": "x", "phoneNumbers": "380"}, {"from": "A", "text": "x"}):
        assert browser.post(path, json=body, auth=auth).status_code == 400
    many = {"from": "A", "text": "x", "phoneNumbers": ["380501234567", "380501234568"]}
    assert len(browser.post(path, json=many, auth=auth).get_json()["results"]) == 2
    for path in ("interfaces/sms", "balance", "version", "message/status?ids=a"):
        assert browser.get(f"/esputnik/api/v1/{path}", auth=auth).status_code == 200


# --- money, pages as such -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1.37", "UAH", 137),
        ("1,37", "UAH", 137),
        ("1.3", "UAH", 130),
        ("1", "UAH", 100),
        (" 1,37 UAH ", "UAH", 137),
        ("12.345", "VND", 12_345),
        ("12,345 VND", "VND", 12_345),
        ("137", "VND", 137),
        ("", "UAH", None),
        ("1.375", "UAH", None),
        ("-1", "UAH", None),
        ("one", "VND", None),
    ],
)
def test_amounts_as_people_type_them(text: str, currency: str, minor: int | None) -> None:
    assert parse_amount(text, currency) == minor


def test_amounts_as_people_read_them() -> None:
    assert show_amount(123_450, "UAH") == "1,234.50 UAH"
    assert show_amount(12_000, "VND") == "12,000 VND"


def test_every_page_has_a_strict_policy_and_nothing_from_outside(browser: FlaskClient) -> None:
    page = opened(browser, "o-1")
    for path in ("/inbox/", "/dials/", page):
        reply = browser.get(path)
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        text = reply.get_data(as_text=True)
        assert " style=" not in text
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert browser.get("/health").get_data() == b"ok"
    assert browser.get("/").location == "/inbox/"
