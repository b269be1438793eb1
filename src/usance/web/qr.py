"""The picture that an authenticator app reads, as an address of its own: no script, no file."""

from __future__ import annotations

import base64
import io

import qrcode
import qrcode.image.svg

from usance.apps.access import totp


def of_app(secret: str, *, issuer: str, account: str) -> str:
    stream = io.BytesIO()
    text = totp.address(secret, issuer=issuer, account=account)
    qrcode.make(text, image_factory=qrcode.image.svg.SvgPathFillImage, border=2).save(stream)
    return f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode()}"
