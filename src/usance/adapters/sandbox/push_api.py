"""The push service's protocol (RFC 8030, 8291, 8292), and the phone that reads what it carries.

A phone of the sandbox is nothing but its keys, and they stand in its address: whoever made the page that gave it away
may forget it. Encryption is undone by the standard's own words, independently of the library that did it.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from flask import Blueprint, Response, g, render_template, request

from usance.adapters.sandbox import faults
from usance.adapters.sandbox.twin import Twin, this_twin
from usance.ports.clock import RealClock

api = Blueprint("push_api", __name__, url_prefix="/push")

CURVE = ec.SECP256R1()
POINT, SECRET, SALT, TAG = 65, 16, 16, 16
LONGEST = 4096
OF_A_PHONE = "origin", "key"


class Refused(ValueError):
    """`status`: what the push service answers."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


# --- phones ---------------------------------------------------------------------------------------------


def new_phone(twin: Twin, base: str, *, origin: str, key: str) -> dict[str, Any]:
    """A phone as a browser would tell it to the site at `origin`, for whose VAPID `key` alone it listens."""
    private, secret = ec.generate_private_key(CURVE), os.urandom(SECRET)
    number = private.private_numbers().private_value.to_bytes(32, "big")
    told = json.dumps({"n": _text(number), "s": _text(secret), "origin": origin, "key": key}, separators=(",", ":"))
    token = _text(told.encode())
    twin.log("push", "subscribe", "", name_of(token), origin)
    keys = {"p256dh": _text(_point(private)), "auth": _text(secret)}
    return {"endpoint": f"{base.rstrip('/')}/push/{token}", "expirationTime": None, "keys": keys}


def name_of(token: str) -> str:
    """What a phone is called in the inbox: its address is long, and a key."""
    return sha256(token.encode()).hexdigest()[:12]


def _phone(token: str) -> dict[str, str]:
    try:
        told = json.loads(_bytes(token))
        return {name: str(told[name]) for name in ("n", "s", *OF_A_PHONE)}
    except (ValueError, KeyError, TypeError):
        raise Refused(404, "no such phone") from None


@api.route("/phone", methods=["GET", "POST"])
def phone() -> Response | str | tuple[str, int]:
    """The browser's question "may this site send you notifications?", for testers without a push service: the answer
    goes back to the site by the tester's own browser. JSON for tests: POST with `Accept: application/json`."""
    origin, key, back = (request.values.get(name, "") for name in ("origin", "key", "back"))
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname or not back.startswith("/"):
        return "sandbox: which site asks?", 400
    if request.method == "GET":
        return render_template("phone.html", origin=origin, key=key, back=back, told="")
    made = json.dumps(new_phone(this_twin(), request.host_url, origin=origin, key=key))
    if request.accept_mimetypes.best == "application/json":
        return Response(made, mimetype="application/json")
    g.form_action = origin
    return render_template("phone.html", origin=origin, key=key, back=back, told=made)


# --- the push service -----------------------------------------------------------------------------------


@api.post("/<token>")
def take(token: str) -> Response:
    """One push: refused as a push service would, or kept, opened as the phone would, and shown in the inbox."""
    twin = this_twin()
    silent = faults.before(twin, "push", "push", token)
    if silent is not None:
        return silent
    try:
        said, to = _opened(twin, token)
    except Refused as refused:
        twin.log("push", "push", "", name_of(token), str(refused.status))
        return Response(str(refused), refused.status, mimetype="text/plain")
    message_id = _keep(twin, token, said, to)
    done = faults.after(twin, "push", "push", token)
    return done or Response("", 201, {"Location": f"{request.host_url}push/messages/{message_id}"})


def _opened(twin: Twin, token: str) -> tuple[dict[str, Any], dict[str, str]]:
    to = _phone(token)
    gone = faults.hit(twin, "push", "push", "decline", token)
    if gone:
        raise Refused(gone.number, "gone")
    _check_signature(to["key"])
    if request.headers.get("Content-Encoding") != "aes128gcm" or not request.headers.get("TTL", "").isdecimal():
        raise Refused(400, "Content-Encoding aes128gcm and TTL are required")
    body = request.get_data()
    if len(body) > LONGEST:
        raise Refused(413, "too large")
    try:
        said = json.loads(opened(body, number=_bytes(to["n"]), secret=_bytes(to["s"])))
    except (InvalidTag, ValueError, struct.error):
        raise Refused(400, "the phone cannot open it") from None
    return said, to


def _check_signature(expected: str) -> None:
    """VAPID: signed by the key that the phone was made for, for this service, and for a day at most."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if scheme.lower() != "vapid" or not {"t", "k"} <= fields.keys():
        raise Refused(401, "no VAPID signature")
    if fields["k"] != expected:
        raise Refused(403, "another key than the phone was made for")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, _bytes(fields["k"]))
        pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        told = jwt.decode(
            fields["t"],
            pem,
            algorithms=["ES256"],
            options={"require": ["exp", "aud", "sub"], "verify_aud": False, "verify_exp": False},
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise Refused(403, f"wrong VAPID signature: {error}") from None
    here = urlsplit(request.host_url)
    now = RealClock().now().timestamp()  # whoever signs does so in real time, also for a twin in simulated time
    if urlsplit(str(told["aud"])).hostname != here.hostname:
        raise Refused(403, "signed for another push service")
    if not now < float(told["exp"]) <= now + timedelta(hours=24, minutes=5).total_seconds():
        raise Refused(403, "the signature's time is over, or too long")
    if not str(told["sub"]).startswith(("mailto:", "https:")):
        raise Refused(403, "the signature names nobody")


def opened(body: bytes, *, number: bytes, secret: bytes) -> bytes:
    """What an encrypted push says, for the phone with this private number and secret. Raises InvalidTag, ValueError."""
    salt, rest = body[:SALT], body[SALT:]
    _size, length = struct.unpack("!LB", rest[:5])
    sender, sealed = rest[5 : 5 + length], rest[5 + length :]
    if length != POINT or len(sealed) <= TAG:
        raise ValueError("not an encrypted push")
    private = ec.derive_private_key(int.from_bytes(number, "big"), CURVE)
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    info = b"WebPush: info\0" + _point(private) + sender
    material = HKDF(hashes.SHA256(), 32, secret, info).derive(shared)
    first = HKDF.extract(hashes.SHA256(), salt, material)
    key = HKDFExpand(hashes.SHA256(), 16, b"Content-Encoding: aes128gcm\0").derive(first)
    nonce = HKDFExpand(hashes.SHA256(), 12, b"Content-Encoding: nonce\0").derive(first)
    plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
    if not plain.endswith(b"\x02"):
        raise ValueError("not the last record")
    return plain[:-1]


def _keep(twin: Twin, token: str, said: dict[str, Any], to: dict[str, str]) -> int:
    now = twin.now()
    with twin.book.write():
        twin.log("push", "push", "", name_of(token), "201")
        return twin.book.insert(
            "messages",
            {
                "request_id": os.urandom(12).hex(),
                "channel": "push",
                "sender": to["origin"],
                "locator": name_of(token),
                "subject": str(said.get("title", "")),
                "text": f"{said.get('body', '')} {to['origin']}{said.get('link', '')}",
                "external_id": str(said.get("tag", "")),
                "at": now,
                "final_at": now,
                "final_status": "DELIVERED",
            },
        )


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
