"""The Fondy twin's hosted page: card, 3-D Secure, the check of the held amount, and the way back."""

from __future__ import annotations

import re
import sqlite3
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from usance.adapters.sandbox import cards, faults, orders
from usance.adapters.sandbox.money import parse_amount, show_amount
from usance.adapters.sandbox.twin import Twin, this_twin

pay = Blueprint("fondy_pay", __name__, url_prefix="/fondy/pay")

ATTEMPTS = 3  # to tell the held amount
BANK_CODE = "123456"


def _order(twin: Twin, payment_id: int) -> sqlite3.Row:
    orders.tick(twin)
    order = orders.by_payment_id(twin, payment_id)
    if order is None or order["via"] != "checkout":
        abort(404)
    return order


def _to(endpoint: str, payment_id: int) -> Answer:
    return redirect(url_for(f"fondy_pay.{endpoint}", payment_id=payment_id), code=303)


def _where(order: sqlite3.Row) -> str:
    """The page on which this order is."""
    if order["status"] in orders.FINAL or order["planned_at"]:
        return "done"
    if order["status"] == "processing":
        return "held" if order["token"] else "bank"
    return "page"


def _page(template: str, twin: Twin, order: sqlite3.Row, **more: Any) -> str:
    amount = show_amount(order["amount"], order["currency"])
    merchant = twin.merchants[order["merchant_id"]]
    return render_template(
        template,
        order=order,
        merchant=merchant,
        amount=amount,
        verification=order["tran_type"] == orders.VERIFICATION,
        minutes_left=_minutes_left(twin, order),
        **more,
    )


def _minutes_left(twin: Twin, order: sqlite3.Row) -> int:
    if not order["expires_at"]:
        return 0
    return max(0, ceil((datetime.fromisoformat(order["expires_at"]) - twin.clock()) / timedelta(minutes=1)))


@pay.get("/<int:payment_id>")
def page(payment_id: int) -> str | Answer:
    twin = this_twin()
    order = _order(twin, payment_id)
    if _where(order) != "page":
        return _to(_where(order), payment_id)
    return _page("pay.html", twin, order, test_cards=cards.TEST_CARDS, errors={}, typed={})


@pay.post("/<int:payment_id>")
def submit(payment_id: int) -> str | Answer | Response | tuple[str, int]:
    twin = this_twin()
    order = _order(twin, payment_id)
    if _where(order) != "page":
        return _to(_where(order), payment_id)
    today = twin.merchant_now(order["merchant_id"]).date()
    number, expires_on, errors = _picked(twin, today) if "test_card" in request.form else _typed(today)
    if errors:
        typed = {"number": number, "expiry": request.form.get("expiry", "")}
        return _page("pay.html", twin, order, test_cards=cards.TEST_CARDS, errors=errors, typed=typed), 422
    silent = faults.before(twin, "fondy", "pay", order["order_id"])
    if silent is not None:
        return silent
    with twin.book.write():
        token = cards.keep(twin, order["merchant_id"], number, expires_on)
        _card_given(twin, order, token, cards.behaviour(number))
        order = orders.reread(twin, payment_id)
    twin.log("fondy", "pay", order["merchant_id"], order["order_id"], order["status"])
    return _to(_where(order), payment_id)


def _card_given(twin: Twin, order: sqlite3.Row, token: str, card: cards.TestCard) -> None:
    if card.asks_3ds:
        changes = {"status": "processing", "pending_token": token}
        twin.book.update("orders", "payment_id", order["payment_id"], changes)
    else:
        _authenticated(twin, order, token, card)


def _authenticated(twin: Twin, order: sqlite3.Row, token: str, card: cards.TestCard) -> None:
    """The customer is the card's holder, says the bank: charge, or hold the amount that must be told back."""
    if order["tran_type"] == orders.VERIFICATION and not card.page_code:
        changes = {"status": "processing", "pending_token": None, "token": token}
        twin.book.update("orders", "payment_id", order["payment_id"], changes)
    else:
        orders.attempt(twin, order, operation="pay", token=token, code=card.page_code)


Given = tuple[str, date, dict[str, str]]


def _picked(twin: Twin, today: date) -> Given:
    """The test card whose button was pressed."""
    picked = request.form["test_card"]
    number = cards.fresh_number(twin) if picked == "fresh" else picked
    errors = {} if cards.is_valid(number) else {"number": "This is not a test card."}
    return number, date(today.year + 3, 12, 31), errors


def _typed(today: date) -> Given:
    """The card that was typed, and what is wrong with it by field."""
    errors = {}
    number = re.sub(r"[ -]", "", request.form.get("number", ""))
    if not cards.is_valid(number):
        errors["number"] = "Enter the card number: 13 to 19 digits, with a right check digit, or one of the test cards."
    expires_on = today
    found = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/\s*(?:20)?(\d\d)\s*", request.form.get("expiry", ""))
    if found:
        month, year = int(found[1]), 2000 + int(found[2])
        expires_on = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    if not found or expires_on < today:
        errors["expiry"] = "Enter the month and year until which the card is valid, for example 09/31."
    if not re.fullmatch(r"\d{3,4}", request.form.get("cvv", "").strip()):
        errors["cvv"] = "Enter the three or four digits of the security code."
    return number, expires_on, errors


@pay.route("/<int:payment_id>/bank", methods=["GET", "POST"])
def bank(payment_id: int) -> str | Answer | tuple[str, int]:
    """The page of the customer's bank: 3-D Secure."""
    twin = this_twin()
    order = _order(twin, payment_id)
    if _where(order) != "bank":
        return _to(_where(order), payment_id)
    if request.method == "GET":
        return _page("bank.html", twin, order, code=BANK_CODE, error="")
    card_row = cards.find(twin, order["merchant_id"], order["pending_token"])
    card = cards.behaviour(card_row["behaviour"] if card_row else "")
    if request.form.get("answer") == "refuse":
        with twin.book.write():
            orders.attempt(twin, order, operation="pay", token=order["pending_token"], code="1024")
        return _to("done", payment_id)
    if request.form.get("code", "").strip() != BANK_CODE:
        return _page("bank.html", twin, order, code=BANK_CODE, error="This is not the code of the message."), 422
    with twin.book.write():
        _authenticated(twin, order, order["pending_token"], card)
        order = orders.reread(twin, payment_id)
    return _to(_where(order), payment_id)


@pay.route("/<int:payment_id>/held", methods=["GET", "POST"])
def held(payment_id: int) -> str | Answer | tuple[str, int]:
    """The check of ownership: the customer reads the held amount in the own bank's message and tells it."""
    twin = this_twin()
    order = _order(twin, payment_id)
    if _where(order) != "held":
        return _to(_where(order), payment_id)
    if request.method == "GET":
        return _page("held.html", twin, order, error="")
    told = parse_amount(request.form.get("amount", ""), order["currency"])
    if told == order["amount"]:
        with twin.book.write():
            orders.attempt(twin, order, operation="pay", token=order["token"], code="")
        return _to("done", payment_id)
    attempts = order["attempts"] + 1
    with twin.book.write():
        twin.book.update("orders", "payment_id", payment_id, {"attempts": attempts})
        if attempts >= ATTEMPTS:
            twin.book.update("orders", "payment_id", payment_id, {"verification_status": "incorrect"})
            orders.attempt(twin, order, operation="pay", token=order["token"], code="1000")
    if attempts >= ATTEMPTS:
        return _to("done", payment_id)
    left = ATTEMPTS - attempts
    error = f"This is not the held amount. You can try {left} more time{'s' if left > 1 else ''}."
    return _page("held.html", twin, order, error=error), 422


@pay.get("/<int:payment_id>/done")
def done(payment_id: int) -> str | Answer:
    """The outcome, and the way back: the same signed fields as the callback, posted by the browser."""
    twin = this_twin()
    order = _order(twin, payment_id)
    if _where(order) != "done":
        return _to(_where(order), payment_id)
    fields = orders.describe(twin, order)
    back = str(order["response_url"])
    parts = urlsplit(back)
    if parts.scheme in ("http", "https"):
        g.form_action = f"{parts.scheme}://{parts.netloc}"
    else:
        back = ""
    if back and twin.book.setting("return_by", "post") == "get":
        g.form_action = ""
        back += ("&" if parts.query else "?") + urlencode({"order_id": order["order_id"]})
        return _page("done.html", twin, order, back_link=back, back="", fields={})
    return _page("done.html", twin, order, back=back, back_link="", fields=fields)
