"""Paper from data: one typst template, fonts that ship with the product, the same bytes for the same data."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import fontpkg_noto_sans
import qrcode
import qrcode.image.svg
import typst

TEMPLATE = Path(__file__).parent / "paper" / "paper.typ"
FONTS = [str(Path(fontpkg_noto_sans.__file__).parent / "files")]
VERSION = "2026-11"


def pdf(*, data: Mapping[str, Any], verify_url: str, at: datetime) -> bytes:
    """The paper as PDF/A-3b. `data` is what the template names, all of it words and formatted figures; `at` is the
    creation time that the file states. Raises typst.TypstError for a template that does not fit its data."""
    made: bytes = typst.compile(
        str(TEMPLATE),
        format="pdf",
        font_paths=FONTS,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False), "qr": qr_svg(verify_url)},
        pdf_standards=["a-3b"],
        timestamp=int(at.timestamp()),
    )
    return made


def qr_svg(text: str) -> str:
    """A QR code as SVG."""
    image = qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, border=0)
    buffer = io.BytesIO()
    image.save(buffer)
    return buffer.getvalue().decode()
