"""The page of fault dials, and the same for programs under /dials/api."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from usance.adapters.sandbox import faults
from usance.adapters.sandbox.callbacks import RETRY_SCALE
from usance.adapters.sandbox.esputnik_api import LATENCY_S
from usance.adapters.sandbox.twin import Twin, this_twin

pages = Blueprint("dials", __name__, url_prefix="/dials")

# name: (what it is, the value where none is set)
SETTINGS: dict[str, tuple[str, str]] = {
    "seed": ("Seed of the draws", "1"),
    "retry_scale": ("Callbacks are retried after 2, 60, 300, 600, 3600, 86400 seconds times this", RETRY_SCALE),
    "hang_s": ("A time-out hangs for so many seconds", "35"),
    "latency_s": ("Messages are delivered after so many seconds", LATENCY_S),
    "return_by": ("The browser goes back to the lender by (post or get)", "post"),
}


def _settings(twin: Twin) -> dict[str, str]:
    return {name: twin.book.setting(name, default) for name, (_, default) in SETTINGS.items()}


def _dates(twin: Twin) -> dict[str, str]:
    return {merchant: twin.book.setting(f"date:{merchant}", "") for merchant in twin.merchants}


def _set(twin: Twin, name: str, value: object) -> None:
    """One of SETTINGS; raises FaultRefused."""
    text = str(value).strip()
    if name not in SETTINGS:
        raise faults.FaultRefused(f"unknown dial {name}")
    if name in ("retry_scale", "hang_s", "latency_s"):
        try:
            if float(text) < 0:
                raise ValueError(text)
        except ValueError:
            raise faults.FaultRefused(f"{name} must be a number") from None
    if name == "return_by" and text not in ("post", "get"):
        raise faults.FaultRefused("return_by must be post or get")
    twin.book.set(name, text)


def _tell(twin: Twin, merchant: str, told: object) -> None:
    if merchant not in twin.merchants:
        raise faults.FaultRefused(f"unknown merchant {merchant}")
    try:
        twin.tell_date(merchant, str(told or "").strip())
    except ValueError:
        raise faults.FaultRefused(f"not an ISO date: {told}") from None


def reset(twin: Twin) -> None:
    """Everything goes right again."""
    twin.book.run("DELETE FROM faults")
    for name in SETTINGS:
        twin.book.unset(name)


def state(twin: Twin) -> dict[str, Any]:
    return {"settings": _settings(twin), "dates": _dates(twin), "faults": faults.describe(twin)}


@pages.get("/api")
def read() -> Response:
    return jsonify(state(this_twin()))


@pages.post("/api")
def change() -> Response | tuple[Response, int]:
    """JSON, all parts optional: `settings` {name: value}, `dates` {merchant: ISO date or instant or ""}, `faults` (a
    list that replaces all) or `add` (a list), each {provider, operation, kind, value?, share?, left?}."""
    twin, body = this_twin(), request.get_json(silent=True)
    if not isinstance(body, dict):
        return jsonify({"error": "the body must be a JSON object"}), 400
    try:
        with twin.book.write():
            for name, value in (body.get("settings") or {}).items():
                _set(twin, name, value)
            for merchant, told in (body.get("dates") or {}).items():
                _tell(twin, merchant, told)
            if "faults" in body:
                twin.book.run("DELETE FROM faults")
            for fault in [*(body.get("faults") or []), *(body.get("add") or [])]:
                faults.add(twin, **fault)
    except (faults.FaultRefused, TypeError) as refused:
        return jsonify({"error": str(refused)}), 400
    return jsonify(state(twin))


@pages.delete("/api")
def clear() -> Response:
    twin = this_twin()
    with twin.book.write():
        reset(twin)
    return jsonify(state(twin))


@pages.get("/")
def page(error: str = "") -> str:
    twin = this_twin()
    waiting = twin.book.rows("SELECT state, count(*) AS n FROM callbacks GROUP BY state ORDER BY state")
    return render_template(
        "dials.html",
        state=state(twin),
        merchants=twin.merchants,
        settings=SETTINGS,
        operations=faults.OPERATIONS,
        kinds=faults.KINDS,
        callbacks=waiting,
        error=error,
    )


@pages.post("/")
def submit() -> str | Answer | tuple[str, int]:
    twin, form = this_twin(), request.form
    try:
        with twin.book.write():
            match form.get("do"):
                case "add":
                    provider, _, operation = form.get("where", "").partition(":")
                    asked = {name: form.get(name, "") for name in ("kind", "value", "share", "left")}
                    faults.add(twin, provider=provider, operation=operation, **asked)
                case "remove":
                    twin.book.run("DELETE FROM faults WHERE id = ?", form.get("id", 0, type=int))
                case "settings":
                    for name in SETTINGS:
                        _set(twin, name, form.get(name, SETTINGS[name][1]))
                case "dates":
                    for merchant in twin.merchants:
                        _tell(twin, merchant, form.get(merchant, ""))
                case _:
                    reset(twin)
    except faults.FaultRefused as refused:
        return page(error=str(refused)), 422
    return redirect(url_for("dials.page"), code=303)
