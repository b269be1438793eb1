"""Every text that people see exists in every language, and no text is kept from the translators."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.template.base import Lexer, TokenType
from django.utils.text import smart_split

from tests.tidy.source import PACKAGE, PROJECT, modules
from tools import messages

# shown by name in every language
NAMES = {"usance", "PDF", "CSV", "QR", "SMS", "JSON", "JDM", "Enter", "Esc", "Ctrl", "TOTP", "ID"}
# for engineers, in English only
OURS = {"styleguide"}
SEEN_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description", "label"}
UNSEEN_ELEMENTS = {"script", "style", "code", "svg"}
LABELS = {"label", "help_text", "hint", "empty_label", "placeholder", "title", "heading", "action", "caption", "note"}
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"[A-Z][a-z]+(?:[ ,.…?!:]|$)")


def test_the_catalogues_hold_every_text_translated() -> None:
    found = messages.check()
    assert not found, "\n".join(found)


def test_texts_of_python_are_collected_as_gettext_looks_them_up() -> None:
    source = """
_("One" " text")
gettext_lazy("Lazy")
ngettext("%(count)s day", "%(count)s days", n) % {"count": n}
pgettext("noun", "Change")
obj._("Method")
other("Not one")
"""
    assert set(messages.texts_of_python(source, "a.py")) == {
        messages.Text("One text"),
        messages.Text("Lazy"),
        messages.Text("Change", context="noun"),
        messages.Text("Method"),
        messages.Text("%(count)s day", "%(count)s days"),
    }
    with pytest.raises(messages.Unreadable, match="a.py:1"):
        list(messages.texts_of_python("_(name)", "a.py"))


def test_texts_of_templates_are_collected_as_django_looks_them_up() -> None:
    source = """
{% translate "A “quoted” one" as words %}{% translate 'Half: 50 %' %}{% translate "May" context "month" %}
{% blocktranslate trimmed count n=days with who=name %}
    {{ who }} has
    {{ n }} day
{% plural %}
    {{ who }} has {{ n }} days
{% endblocktranslate %}{# {% translate "no" %} #}{% comment %}{% translate "no" %}{% endcomment %}
{{ value|default:_("None yet") }}{% tag _("Here") "good" %}{% blocktranslate %}As {{ it }} stands{% endblocktranslate %}
"""
    assert list(messages.texts_of_template(source, "a.html")) == [
        messages.Text("A “quoted” one"),
        messages.Text("Half: 50 %%"),
        messages.Text("May", context="month"),
        messages.Text("%(who)s has %(n)s day", "%(who)s has %(n)s days"),
        messages.Text("None yet"),
        messages.Text("Here"),
        messages.Text("As %(it)s stands"),
    ]
    with pytest.raises(messages.Unreadable):
        list(messages.texts_of_template("{% translate name %}", "a.html"))


def test_guessed_missing_and_mistaken_translations_are_found() -> None:
    done = polib.POEntry(msgid="Fine", msgstr="Гаразд")
    guessed = polib.POEntry(msgid="Guessed", msgstr="Мабуть", flags=["fuzzy"])
    missing = polib.POEntry(msgid="Missing")
    partly = polib.POEntry(
        msgid="%(n)s day", msgid_plural="%(n)s days", msgstr_plural={0: "%(n)s день", 1: "", 2: "%(n)s днів", 3: ""}
    )
    wrong = polib.POEntry(msgid="%(a)s of %(b)s", msgstr="%(a)s із %(c)s")
    catalogue = polib.POFile()
    catalogue.extend([done, guessed, missing, partly, wrong])
    assert messages.untranslated(catalogue) == [guessed, missing, partly]
    assert [mistake.split(":")[0] for mistake in messages.mistakes(catalogue)] == ["placeholders differ"]


def test_no_template_shows_words_outside_of_translations() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {words!r}"
        for path in sorted((PACKAGE / "web" / "templates").rglob("*.html"))
        if not any(path.name.startswith(name) for name in OURS)
        for words in bare_words(path)
    ]
    assert not found, "\n".join(found)


def test_no_module_shows_words_outside_of_translations() -> None:
    found = [
        f"{path}:{node.lineno}: {node.value!r}"
        for path, tree in modules()
        if path.is_relative_to("src/usance/web") and path.stem not in OURS
        for node in shown_literals(tree)
        if isinstance(node.value, str) and SENTENCE.match(node.value) and node.value not in NAMES
    ]
    assert not found, "\n".join(found)


def bare_words(path: Path) -> Iterator[str]:
    """Words that a template itself writes: between its tags, in attributes that people hear or see, in arguments."""
    text, inside = [], ""
    for token in Lexer(path.read_text(encoding="utf-8")).tokenize():
        bits = token.contents.split() if token.token_type == TokenType.BLOCK else [""]
        if inside:
            inside = "" if bits[0] == inside else inside
        elif bits[0] in ("blocktranslate", "comment") or bits == ["block", "site"]:  # the site's code, not words
            inside = f"end{bits[0]}"
        elif token.token_type == TokenType.TEXT:
            text.append(token.contents)
        else:
            text.append("\x01")
            yield from literal_arguments(token.contents, bits[0])
    reader = Reader()
    reader.feed("".join(text))
    yield from reader.found


def literal_arguments(contents: str, tag: str) -> Iterator[str]:
    """Texts among the arguments of a tag that look like words for people."""
    if tag in ("translate", "url", "include", "extends"):
        return
    for bit in smart_split(contents):
        for literal in re.findall(r"(?<!_\()[\"']([^\"']*)[\"']", bit):
            if SENTENCE.match(literal) and literal not in NAMES:
                yield literal


def shown_literals(tree: ast.Module) -> Iterator[ast.Constant]:
    """Plain texts given to a component of the pages, as a label, or as a message."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        owner = (
            node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""
        )
        given = node.args if owner in ("ui", "messages", "components") else []
        given = given + [keyword.value for keyword in node.keywords if keyword.arg in LABELS]
        yield from (value for value in given if isinstance(value, ast.Constant))


class Reader(HTMLParser):
    """Collects the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in UNSEEN_ELEMENTS
        for name, value in attributes:
            if name in SEEN_ATTRIBUTES:
                self.take(value or "")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in UNSEEN_ELEMENTS

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.take(data)

    def take(self, text: str) -> None:
        if any(word not in NAMES for word in WORD.findall(text)):
            self.found.append(" ".join(text.replace("\x01", "…").split()))
