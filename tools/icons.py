"""Draws the icons of the app from our mark: `.venv/bin/python tools/icons.py` after a change of mark or colour.

The pictures go to src/usance/web/static/usance/. A maskable icon is cut to any shape by the phone, so its mark stays
inside the middle 80 %; the one for Apple has no corners of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
STATIC = PROJECT / "src/usance/web/static/usance"
MARK = PROJECT / "src/usance/web/templates/layouts/_mark.html"
BRAND, INK = "#0b4f58", "#fffefb"
# name -> pixels, rounding of the corners and width of the mark as parts of the whole
ICONS = {
    "icon-192.png": (192, 0.22, 0.62),
    "icon-512.png": (512, 0.22, 0.62),
    "icon-mask.png": (512, 0.0, 0.5),
    "icon-touch.png": (180, 0.0, 0.58),
}


def drawing(pixels: int, corner: float, width: float) -> str:
    """The mark on the brand's colour, as a page of its own."""
    paths = "".join(re.findall(r"<path[^>]*/>", MARK.read_text(encoding="utf-8")))
    mark, rest = pixels * width, pixels * (1 - width) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}" style="display:block;color:{INK}">'
        f'<rect width="100%" height="100%" rx="{pixels * corner}" fill="{BRAND}"/>'
        f'<svg x="{rest}" y="{rest}" width="{mark}" height="{mark}" viewBox="0 0 28 28">{paths}</svg></svg>'
    )


def main() -> None:
    from tests.support import browser

    with browser.browser() as started:
        for name, (pixels, corner, width) in ICONS.items():
            page = started.new_page(viewport={"width": pixels, "height": pixels})
            page.set_content(f'<body style="margin:0;background:transparent">{drawing(pixels, corner, width)}</body>')
            page.screenshot(path=STATIC / name, omit_background=True)
            page.close()
            print(f"{name}: {(STATIC / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
