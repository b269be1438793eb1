"""Pictures of every page, to be judged at one look: `make run` in one window, `make gallery` in another.

Each person of the demo goes from link to link, one page of each address, at each width, theme and language; what only
an act brings about (a form refused, a page that is not there) is brought about. The pictures and the sheets on which
many stand side by side go to var/gallery/, which is not part of the repository.

    make gallery                                                  everything: some minutes
    .venv/bin/python tools/gallery.py --only loan --themes dark   pages with "loan" in their name, in the dark
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.site import Site

WIDTHS = {360: 740, 768: 1024, 1440: 900}
LONGEST = 12_000  # pixels: a longer page is cut
HOMES = {"uk": "ua", "vi": "vn", "en": "ua"}  # language -> the institution whose pages are shown in it
VIEWS = ("tab", "view", "kind", "product", "kind_of")  # what of a query makes another page
LEFT_ALONE = {"staff:sign_out", "borrower:leave", "public:language"}
HREF = re.compile(r'<a\b[^>]*\bhref="([^"#]+)"')


@dataclass(frozen=True)
class Shot:
    """A page to take: its name, its path, and whose cookies open it."""

    name: str
    path: str
    who: str


def main() -> int:
    options = _options()
    os.environ["USANCE_HOME"] = str(options.home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "usance.config.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread
    from usance.config import database, services

    services.recall(options.home)  # a demo, and where it runs: or the cookies would be those of a site behind TLS
    with database.available():
        import django

        django.setup()
        from tests.support import browser

        with browser.browser() as started:
            for language in options.languages:
                _language(started, options, language)
    return 0


def _options() -> argparse.Namespace:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    home = Path(os.environ.get("USANCE_HOME") or PROJECT / "var")
    words.add_argument("--port", type=int, default=8000, help="port of the running demo (default: 8000)")
    words.add_argument("--home", type=Path, default=home, help="its data (default: USANCE_HOME or var)")
    words.add_argument("--out", type=Path, help="where the pictures go (default: gallery/ in its data)")
    words.add_argument("--widths", type=int, nargs="+", default=list(WIDTHS), choices=list(WIDTHS))
    words.add_argument("--themes", nargs="+", default=["light", "dark"], choices=["light", "dark"])
    words.add_argument("--languages", nargs="+", default=list(HOMES), choices=list(HOMES))
    words.add_argument("--only", default="", help="a regular expression on the pages' names")
    words.add_argument("--known", action="store_true", help="the addresses of the last walk, without walking anew")
    words.add_argument("--sheets", action="store_true", help="only the sheets, of pictures taken before")
    options = words.parse_args()
    options.out = options.out or options.home / "gallery"
    return options


def _language(started: Browser, options: argparse.Namespace, language: str) -> None:
    from tests.support.site import Site
    from tools import gallery_scenes

    site, code = Site(options.port, options.port + 1, "", options.home), HOMES[language]
    if not options.sheets:
        people = gallery_scenes.people(site, code)
        shots = [shot for shot in _shots(options, site, code, people) if re.search(options.only, shot.name)]
        scenes = [scene for scene in gallery_scenes.SCENES if re.search(options.only, f"scene-{scene.__name__}")]
        print(f"{language}: {len(shots)} pages and {len(scenes)} scenes", flush=True)
        for theme in options.themes:
            camera = Camera(started, options, site, code, people, language, theme)
            camera.take(shots)
            camera.take_scenes(scenes)
    for theme in options.themes:
        for width in options.widths:
            _sheets(started, options.out / f"{language}-{theme}-{width}", width)


# --- finding the pages ------------------------------------------------------------------------------------------


def _shots(options: argparse.Namespace, site: Site, code: str, people: dict[str, Any]) -> list[Shot]:
    """Where there is something to see: as found now, or (`--known`) the last time."""
    kept = options.out / f"{code}.json"
    if not (options.known and kept.exists()):
        options.out.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps([asdict(shot) for shot in _walk(site, code, people)]))
    return [Shot(**one) for one in json.loads(kept.read_text())]


def _walk(site: Site, code: str, people: dict[str, Any]) -> list[Shot]:
    """One page of each address that somebody's links lead to; the borrower's, once for each situation."""
    import httpx

    found: dict[str, Shot] = {}
    base, host = f"http://127.0.0.1:{site.web_port}", {"Host": f"{code}.localhost"}
    with httpx.Client(base_url=base, headers=host, timeout=60) as client:
        for who, start in people.items():
            todo, seen = list(start.begins), set()
            while todo:
                path = todo.pop(0)
                key = _key(path)
                if not key or (who, key) in seen:
                    continue
                seen.add((who, key))
                client.cookies.clear()
                answer = client.get(path, cookies=start.cookies)
                if answer.status_code >= 500:
                    print(f"{path}: {answer.status_code}", file=sys.stderr)
                if "<html" not in answer.text[:1000] or answer.status_code != 200:
                    if answer.is_redirect:
                        todo.append(answer.headers["location"])
                    continue
                name = key if start.is_staff else f"{who}-{key}"
                found.setdefault(name, Shot(name, path, who))
                todo += [_absolute(href, path) for href in HREF.findall(answer.text)]
    return list(found.values())


def _absolute(href: str, path: str) -> str:
    href = href.replace("&amp;", "&")
    return path.split("?")[0] + href if href.startswith("?") else href


def _key(path: str) -> str:
    """The name of an address with what of its query makes another page; "" for what is no page of ours."""
    from django.urls import Resolver404, resolve

    parts = urlsplit(path)
    if parts.scheme in ("mailto", "tel"):
        return ""
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return ""
    if name in LEFT_ALONE:
        return ""
    asked = parse_qs(parts.query)
    marks = [value[:20] for view in VIEWS for value in asked.get(view, [])]
    return re.sub(r"[^\w-]+", "-", "-".join([name, *marks]))


# --- taking the pictures ----------------------------------------------------------------------------------------


@dataclass
class Camera:
    """Takes the pages of one language in one theme, at each width."""

    started: Browser
    options: argparse.Namespace
    site: Site
    code: str
    people: dict[str, Any]
    language: str
    theme: str

    def take(self, shots: Iterable[Shot]) -> None:
        windows: dict[str, Page] = {}
        for shot in shots:
            if shot.who not in windows:
                windows[shot.who] = self._window(shot.who)
            windows[shot.who].goto(self.site.url(self.code, shot.path), wait_until="load")
            self._picture(windows[shot.who], shot.name)
        for window in windows.values():
            window.context.close()

    def take_scenes(self, scenes: Iterable[Any]) -> None:
        for scene in scenes:
            page = self._window(scene.who)
            try:
                scene(page, self.site, self.code)
                self._picture(page, f"scene-{scene.__name__}")
            except Exception as fault:  # noqa: BLE001 - a scene that fails must not cost the other pictures
                print(f"{scene.__name__}: {str(fault).splitlines()[0]}", file=sys.stderr)
            page.context.close()

    def _window(self, who: str) -> Page:
        context = self.started.new_context(
            viewport={"width": 1440, "height": 900}, locale=self.language, reduced_motion="reduce"
        )
        context.set_default_timeout(30_000)
        given = self.people[who].cookies if who in self.people else {}
        given = given | {"language": self.language, "theme": self.theme}
        home = self.site.url(self.code)
        context.add_cookies([{"name": name, "value": value, "url": home} for name, value in given.items()])
        return context.new_page()

    def _picture(self, page: Page, name: str) -> None:
        for width in self.options.widths:
            page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            page.evaluate("document.fonts.ready.then(() => new Promise(done => setTimeout(done, 60)))")
            folder = self.options.out / f"{self.language}-{self.theme}-{width}"
            folder.mkdir(parents=True, exist_ok=True)
            tall = min(LONGEST, max(WIDTHS[width], page.evaluate("document.documentElement.scrollHeight")))
            page.set_viewport_size({"width": width, "height": tall})
            page.screenshot(path=folder / f"{name}.png")


# --- the sheets -------------------------------------------------------------------------------------------------

SHEET = (1560, 1500)
ACROSS = {360: 6, 768: 3, 1440: 2}


def _columns(folder: Path, width: int) -> Iterator[tuple[Path, int]]:
    """(picture, from where) for each column of a sheet: a long page stands in as many as it needs."""
    shown = SHEET[0] // ACROSS[width] - 10
    step = int((SHEET[1] / (2 if width == 1440 else 1) - 34) * width / shown)
    for path in sorted(folder.glob("*.png")):
        tall = int.from_bytes(path.read_bytes()[20:24])
        for start in range(0, max(1, tall - 40), step):
            yield path, start


def _sheets(started: Browser, folder: Path, width: int) -> None:
    """Sheets of many pages each, as pictures: sheet-01.png and so on in a folder of their own beside the pages."""
    if not folder.exists():
        return
    rows = 2 if width == 1440 else 1
    fits, sheets = ACROSS[width] * rows, folder.parent / "sheets"
    sheets.mkdir(exist_ok=True)
    columns = list(_columns(folder, width))
    shown = SHEET[0] // ACROSS[width] - 10
    tall = SHEET[1] // rows - 34
    page = started.new_page(viewport={"width": SHEET[0], "height": SHEET[1]})
    for old in sheets.glob(f"{folder.name}-*.png"):
        old.unlink()
    for number, at in enumerate(range(0, len(columns), fits), start=1):
        cells = "".join(
            f"<figure><figcaption>{path.stem}{f' +{start}' if start else ''}</figcaption>"
            f'<div style="background-image:url({path.name});background-size:{shown}px auto;'
            f'background-position:0 -{start * shown // width}px;height:{tall}px"></div></figure>'
            for path, start in columns[at : at + fits]
        )
        sheet = folder / "sheet.html"
        style = (
            "body{margin:0;background:#888;display:flex;flex-wrap:wrap;align-content:flex-start}"
            f"figure{{margin:5px;width:{shown}px}}figcaption{{font:11px sans-serif;height:20px;overflow:hidden}}"
            "div{background-repeat:no-repeat}"
        )
        sheet.write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{cells}", encoding="utf-8")
        page.goto(sheet.as_uri())
        page.screenshot(path=sheets / f"{folder.name}-{number:02}.png")
    page.close()
    print(f"{sheets}/{folder.name}-*.png")


if __name__ == "__main__":
    sys.exit(main())
