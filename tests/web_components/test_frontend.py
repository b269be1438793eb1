"""What the front end weighs, which colours may be read, and what may not stand in a template."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from django.template.loader import get_template

PROJECT = Path(__file__).resolve().parents[2]
WEB = PROJECT / "src/usance/web"
DIST = WEB / "static/dist"
TOKENS = (PROJECT / "frontend/src/styles/tokens.css").read_text()
KIB = 1024


def weight(entry: str, *, lazy: bool = False) -> dict[str, int]:
    """Compressed bytes of an entry by kind, with everything that it imports; fonts as they are."""
    manifest = json.loads((DIST / "manifest.json").read_text())
    seen: set[str] = set()
    files: set[str] = set()

    def walk(key: str) -> None:
        if key in seen:
            return
        seen.add(key)
        chunk = manifest[key]
        files.update([chunk["file"], *chunk.get("css", [])])
        for name in [*chunk.get("imports", []), *(chunk.get("dynamicImports", []) if lazy else [])]:
            walk(name)

    walk(entry)
    found = {"js": 0, "css": 0}
    for name in files:
        found[name.rsplit(".", 1)[1]] += len(gzip.compress((DIST / name).read_bytes()))
    return found


def fonts(*names: str) -> int:
    return sum((PROJECT / f"frontend/fonts/geologica-{name}.woff2").stat().st_size for name in names)


def test_a_borrowers_page_leaves_room_in_100_kib_and_30_kib_of_script() -> None:
    found = weight("src/borrower.ts")
    assert found["js"] <= 30 * KIB
    for alphabet in (("latin", "latin-vietnamese", "vietnamese"), ("latin", "cyrillic", "signs")):
        assert found["js"] + found["css"] + fonts(*alphabet) <= 42 * KIB  # half of the budget is aimed at


def test_a_staff_page_with_charts_fits_in_300_kib() -> None:
    found = weight("src/staff.ts", lazy=True)
    assert found["js"] + found["css"] + fonts("latin", "cyrillic", "signs") <= 285 * KIB


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))


LIGHT = colours(TOKENS[TOKENS.index("color-scheme: light") : TOKENS.index("--swift")])
DARK = colours(TOKENS[TOKENS.index("@utility night") :])
PAIRS = [
    *(
        (ink, ground, 4.5)
        for ink in ("ink", "soft", "faint", "brand", "bad")
        for ground in ("paper", "surface", "sunk")
    ),
    *((tone, f"{tone}-wash", 4.5) for tone in ("good", "warn", "bad", "info", "brand")),
    ("on-brand", "brand", 4.5),
    ("on-brand", "brand-deep", 4.5),
    ("edge", "surface", 3),
    ("edge", "paper", 3),
    *((f"hue-{n}", "surface", 2.5) for n in range(1, 7)),
]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("name", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_every_ink_is_readable_on_every_ground_it_may_stand_on(name: str, theme: dict[str, str]) -> None:
    poor = []
    for ink, ground, least in PAIRS:
        high, low = sorted((luminance(theme[ink]), luminance(theme[ground])), reverse=True)
        ratio = (high + 0.05) / (low + 0.05)
        if ratio < least:
            poor.append(f"{ink} on {ground}: {ratio:.2f} < {least}")
    assert not poor, f"{name}: {poor}"


def test_what_cannot_read_the_tokens_says_the_same_colours() -> None:
    """The manifest, the bar of the browser, and the icons."""
    from tools import icons
    from usance.web.public import app

    assert (LIGHT["paper"], LIGHT["brand"], LIGHT["brand"]) == (app.PAPER, app.BRAND, icons.BRAND)
    layout = (WEB / "templates/layouts/borrower.html").read_text()
    assert re.findall(r'name="theme-color" content="(#\w+)"', layout) == [LIGHT["paper"], DARK["paper"]]


@pytest.mark.parametrize(("name", "pixels"), [("192", 192), ("512", 512), ("mask", 512), ("touch", 180)])
def test_an_icon_is_as_large_as_it_says_and_light(name: str, pixels: int) -> None:
    file = (WEB / f"static/usance/icon-{name}.png").read_bytes()
    assert file[1:4] == b"PNG"
    assert (int.from_bytes(file[16:20], "big"), int.from_bytes(file[20:24], "big")) == (pixels, pixels)
    assert len(file) < 20 * KIB


def test_the_build_lies_there_compressed_too() -> None:
    """WhiteNoise serves `.br` and `.gz` beside a file."""
    for path in [*DIST.glob("assets/*.js"), *DIST.glob("assets/*.css")]:
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes()
        assert path.with_name(path.name + ".br").stat().st_size < path.with_name(path.name + ".gz").stat().st_size


TEMPLATES = sorted((WEB / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_is_whole_and_free_of_inline_style_and_script(path: Path) -> None:
    text = path.read_text()
    get_template(str(path.relative_to(WEB / "templates")))
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*(\bsrc=|application/json))", text)
    assert not re.search(r"<style", text)
    assert not re.search(r"https?://(?!www\.w3\.org)", text), "nothing is loaded from elsewhere"


def test_the_lock_file_names_no_registry() -> None:
    text = (PROJECT / "frontend/package-lock.json").read_text()
    assert "resolved" not in text
    assert "registry" not in text


def test_every_class_that_python_writes_has_a_rule() -> None:
    """Only templates are searched for what is to be generated: what Python writes must stand in our own sheets."""
    sheets = "\n".join(path.read_text() for path in (PROJECT / "frontend/src/styles").rglob("*.css"))
    written = {
        name
        for path in WEB.rglob("*.py")
        for names in re.findall(r'class="([a-z_ -]+)"', path.read_text())
        for name in names.split()
    }
    assert len(written) > 1
    assert {name for name in written if not re.search(rf"\.{re.escape(name)}\b", sheets)} == set()
