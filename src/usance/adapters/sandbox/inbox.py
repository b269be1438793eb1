"""The inbox: every SMS, e-mail and push that the twins carried, newest first."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from markupsafe import Markup, escape

from usance.adapters.sandbox.esputnik_api import status_of
from usance.adapters.sandbox.twin import Twin, this_twin

pages = Blueprint("inbox", __name__, url_prefix="/inbox")

CODE = re.compile(r"(?<![\w.,:/+•*-])(?<![•*]\s)\d{4,8}(?!\w|[.,:/-]\w)")  # the shown end of a masked number is none
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
LIMIT = 100


def _found(twin: Twin) -> list[sqlite3.Row]:
    """Filters: `to` (part of a phone number or address), `host` (part of the sender, or of a link in the text),
    `channel`, `after` (id), `limit`."""
    wanted, arguments = ["id > ?"], [request.args.get("after", 0, type=int)]
    where: list[Any] = list(arguments)
    to = request.args.get("to", "").strip().lstrip("+").replace(" ", "")
    if to:
        wanted.append("instr(lower(locator), lower(?)) > 0")
        where.append(to)
    host = request.args.get("host", "").strip()
    if host:
        wanted.append("(instr(text, ?) > 0 OR instr(html, ?) > 0 OR instr(sender, ?) > 0)")
        where += [host] * 3
    if request.args.get("channel") in ("sms", "email", "push"):
        wanted.append("channel = ?")
        where.append(request.args["channel"])
    limit = max(1, min(request.args.get("limit", LIMIT, type=int), 1000))
    condition = " AND ".join(wanted)  # our own words only; what was asked for is an argument
    return twin.book.rows(
        f"SELECT * FROM messages WHERE {condition} ORDER BY id DESC LIMIT ?",  # noqa: S608
        *where,
        limit,
    )


def codes_in(text: str) -> list[str]:
    """One-time codes: four to eight digits that stand alone."""
    return CODE.findall(LINK.sub(" ", text))


def marked(text: str) -> Markup:
    """The text with links that can be followed and codes that can be copied."""
    parts, at = [], 0
    codes = {found.span(): found[0] for found in CODE.finditer(text)}
    links = {found.span(): found[0] for found in LINK.finditer(text)}
    inside = [span for span in codes if any(a <= span[0] < b for a, b in links)]
    spans = sorted({**links, **{span: code for span, code in codes.items() if span not in inside}})
    for start, end in spans:
        parts.append(escape(text[at:start]))
        word = text[start:end]
        if (start, end) in links:
            parts.append(Markup('<a href="{0}">{0}</a>').format(word))
        else:
            parts.append(Markup('<code class="otp">{0}</code>').format(word))
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def _shown(twin: Twin, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "channel": row["channel"],
        "from": row["sender"],
        "to": row["locator"],
        "subject": row["subject"],
        "text": row["text"],
        "has_html": bool(row["html"]),
        "at": row["at"],
        "status": status_of(twin, row),
        "codes": codes_in(f"{row['subject']} {row['text']}"),
    }


@pages.get("/")
def inbox() -> str:
    twin = this_twin()
    rows = [(_shown(twin, row), marked(row["text"])) for row in _found(twin)]
    template = "messages.html" if request.args.get("part") else "inbox.html"
    return render_template(template, rows=rows, asked=request.args)


@pages.get("/api")
def inbox_api() -> Response:
    """The same as JSON, newest first: for tests and scripts."""
    twin = this_twin()
    return jsonify([_shown(twin, row) for row in _found(twin)])


@pages.get("/<int:message_id>/html")
def html(message_id: int) -> Response:
    """An e-mail as its reader sees it, in a document that can do nothing."""
    row = this_twin().book.row("SELECT * FROM messages WHERE id = ?", message_id)
    if row is None or not row["html"]:
        abort(404)
    reply = Response(row["html"], mimetype="text/html")
    reply.headers["Content-Security-Policy"] = (
        "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:"
    )
    return reply
