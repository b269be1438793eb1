"""The translations: collects every text of the code and the templates, and keeps the catalogues in step with them.

    python tools/messages.py          write the catalogues anew: new texts in, gone ones out, translations kept
    python tools/messages.py check    change nothing; exit status 1 when a catalogue is not up to date or not complete

GNU gettext is not needed: Python is read by its syntax tree, templates by Django's own lexer. The compiled catalogues
are made here too; elsewhere `tools/prepare.py` makes them. A text that cannot be read from the source, such as
`_(variable)`, is an error.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from django.template.base import Lexer, TokenType
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import trim_whitespace

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "src" / "usance"
LOCALE = PACKAGE / "locale"
# the forms that Django itself uses: catalogues with other ones would be kept apart from its own
PLURALS = {
    "vi": (1, "nplurals=1; plural=0;"),
    "uk": (
        4,
        "nplurals=4; plural=(n % 1 == 0 && n % 10 == 1 && n % 100 != 11 ? 0 : n % 1 == 0 && n % 10 >= 2 && n % 10 <= 4 "
        "&& (n % 100 < 12 || n % 100 > 14) ? 1 : n % 1 == 0 && (n % 10 ==0 || (n % 10 >=5 && n % 10 <=9) || "
        "(n % 100 >=11 && n % 100 <=14 )) ? 2: 3);",
    ),
}
# functions that translate -> the places of context, text and plural among their arguments
PLAIN, COUNTED, IN_CONTEXT, COUNTED_IN_CONTEXT = (None, 0, None), (None, 0, 1), (0, 1, None), (0, 1, 2)
FUNCTIONS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), PLAIN),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), COUNTED),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), IN_CONTEXT),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), COUNTED_IN_CONTEXT),
}
QUOTED = re.compile(r"""^("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
IN_ARGUMENT = re.compile(r"""_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\)""")
# modules that look up what others collect (names of roles and accounts, kept in the database)
LOOKED_UP = {"apps/access/models.py", "apps/ledger/models.py"}
PLACEHOLDER = re.compile(r"%%|%\([a-z0-9_.]+\)[sd]|%[sd]|{[a-z_]*}", re.IGNORECASE)


class Text(NamedTuple):
    """One text to translate, as gettext looks it up."""

    id: str
    plural: str = ""
    context: str | None = None


class Unreadable(ValueError):
    """A source whose texts cannot be collected; the argument says where and why."""


# --- collecting ---------------------------------------------------------------------------------------


def texts_of_python(source: str, where: str) -> Iterator[Text]:
    """Every text in a call of a translating function. Raises Unreadable for a call whose text is not written there."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in FUNCTIONS:
            continue
        try:
            context, text, plural = (None if at is None else _constant(node.args[at]) for at in FUNCTIONS[name])
        except (IndexError, TypeError):
            if where in LOOKED_UP:
                continue
            raise Unreadable(f"{where}:{node.lineno}: {name}() of something that is not a plain text") from None
        yield Text(text or "", plural or "", context)


def _constant(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise TypeError(node)


def texts_of_template(source: str, where: str) -> Iterator[Text]:
    """Every text of `{% translate %}`, `{% blocktranslate %}` and `_("…")` in a template."""
    tokens = iter(Lexer(source).tokenize())
    for token in tokens:
        if token.token_type == TokenType.BLOCK:
            bits = list(smart_split(token.contents))
            if bits[0] == "comment":
                _skip(tokens, "endcomment")
            elif bits[0] in ("translate", "trans"):
                yield _of_translate(bits, f"{where}:{token.lineno}")
            elif bits[0] in ("blocktranslate", "blocktrans"):
                yield _of_block(bits, tokens)
        if token.token_type in (TokenType.BLOCK, TokenType.VAR):
            yield from (Text(_unquoted(found[1])) for found in IN_ARGUMENT.finditer(token.contents))


def _skip(tokens: Iterator, end: str) -> None:
    for token in tokens:
        if token.token_type == TokenType.BLOCK and token.contents == end:
            return


def _unquoted(quoted: str) -> str:
    """What Django looks up for a literal of a template: without quotes and escapes, with % doubled."""
    return unescape_string_literal(quoted).replace("%", "%%")


def _of_translate(bits: list[str], where: str) -> Text:
    found = QUOTED.match(bits[1])  # filters may follow
    if not found:
        raise Unreadable(f"{where}: translate of something that is not a plain text")
    return Text(_unquoted(found[1]), context=_context_of(bits))


def _context_of(bits: list[str]) -> str | None:
    return _unquoted(bits[bits.index("context") + 1]) if "context" in bits else None


def _of_block(bits: list[str], tokens: Iterator) -> Text:
    """The text of a block up to its end, as BlockTranslateNode makes it."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token.token_type == TokenType.TEXT:
            parts[-1].append(token.contents.replace("%", "%%"))
        elif token.token_type == TokenType.VAR:
            parts[-1].append(f"%({token.contents})s")
        elif token.token_type == TokenType.BLOCK and token.contents == "plural":
            parts.append([])
        elif token.token_type == TokenType.BLOCK:
            break
    joined = ["".join(part) for part in parts]
    if "trimmed" in bits:
        joined = [trim_whitespace(part) for part in joined]
    return Text(joined[0], joined[1] if len(joined) > 1 else "", _context_of(bits))


def collected(package: Path = PACKAGE) -> set[Text]:
    """Every text of the product. Raises Unreadable with all places that could not be read."""
    found: dict[tuple[str | None, str], Text] = {}
    wrong = []
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.html")]):
        if "migrations" in path.parts or "node_modules" in path.parts:
            continue
        where = str(path.relative_to(package))
        read = texts_of_python if path.suffix == ".py" else texts_of_template
        try:
            for text in read(path.read_text(encoding="utf-8"), where):
                known = found.get((text.context, text.id))
                if text.id and (known is None or not known.plural):  # a plural form serves the lone text too
                    found[text.context, text.id] = text
        except Unreadable as error:
            wrong.append(str(error))
    if wrong:
        raise Unreadable("\n".join(wrong))
    return set(found.values())


# --- catalogues -----------------------------------------------------------------------------------------


def path_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> polib.POFile:
    """The catalogue of a language; an empty one where there is none yet."""
    path = path_of(language)
    return polib.pofile(str(path), wrapwidth=110) if path.exists() else polib.POFile(wrapwidth=110)


def renewed(language: str, texts: Iterable[Text]) -> polib.POFile:
    """The catalogue with exactly these texts, sorted, translations kept, nothing but what a translator needs."""
    old = {(entry.msgctxt, entry.msgid): entry for entry in read(language) if not entry.obsolete}
    new = polib.POFile(wrapwidth=110)
    new.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[language][1],
    }
    for text in sorted(texts, key=lambda text: (text.id.casefold(), text.id, text.context or "")):
        new.append(_entry(text, old.get((text.context, text.id)), PLURALS[language][0]))
    return new


def _entry(text: Text, kept: polib.POEntry | None, forms: int) -> polib.POEntry:
    entry = polib.POEntry(msgid=text.id, msgid_plural=text.plural, msgctxt=text.context)
    if kept is not None:
        entry.tcomment = kept.tcomment
        entry.flags = [flag for flag in kept.flags if flag == "fuzzy"]
    one = kept.msgstr if kept is not None else ""
    many = kept.msgstr_plural if kept is not None else {}
    if text.plural:
        entry.msgstr_plural = {form: many.get(form, "") for form in range(forms)}
        if forms == 1 and not many:
            entry.msgstr_plural = {0: one}
    else:
        entry.msgstr = one or many.get(forms - 1, "")
    return entry


def untranslated(catalogue: polib.POFile) -> list[polib.POEntry]:
    """Entries that are not done: empty, a plural form missing, or only guessed."""
    return [entry for entry in catalogue if not entry.translated()]


def mistakes(catalogue: polib.POFile) -> list[str]:
    """Translations whose placeholders are not those of the text, or whose lines or edges differ from it."""
    found = []
    for entry in catalogue:
        for done in filter(None, [entry.msgstr, *entry.msgstr_plural.values()]):
            sources = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
            if all(sorted(PLACEHOLDER.findall(done)) != sorted(PLACEHOLDER.findall(source)) for source in sources):
                found.append(f"placeholders differ: {entry.msgid!r} -> {done!r}")
            if (done[:1].isspace(), done[-1:].isspace()) != (entry.msgid[:1].isspace(), entry.msgid[-1:].isspace()):
                found.append(f"spaces at the edges differ: {entry.msgid!r} -> {done!r}")
            if sorted(re.findall(r"</?\w+", done)) != sorted(re.findall(r"</?\w+", sources[-1])):
                found.append(f"tags differ: {entry.msgid!r} -> {done!r}")
    return found


def check() -> list[str]:
    """Everything that keeps the catalogues from being complete, one line each."""
    texts, found = collected(), []
    for language in PLURALS:
        new = renewed(language, texts)
        path = path_of(language)
        if not path.exists() or written(new) != path.read_text(encoding="utf-8"):
            found.append(f"{language}: not up to date with the code; run `make messages`")
        found += [f"{language}: not translated: {entry.msgid!r}" for entry in untranslated(new)]
        found += [f"{language}: {mistake}" for mistake in mistakes(new)]
    return found


def written(catalogue: polib.POFile) -> str:
    return str(catalogue).rstrip("\n") + "\n"


def write() -> None:
    texts = collected()
    for language in PLURALS:
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = renewed(language, texts)
        path.write_text(written(new), encoding="utf-8")
        new.save_as_mofile(str(path.with_suffix(".mo")))
        print(f"{language}: {len(new)} texts, {len(untranslated(new))} to translate")
        for entry in untranslated(new):
            print(f"    {entry.msgid!r}")
        for mistake in mistakes(new):
            print(f"    {mistake}")


def main(purpose: str) -> int:
    try:
        if purpose != "check":
            write()
            return 0
        found = check()
    except Unreadable as error:
        found = [str(error)]
    print("\n".join(found) or "The catalogues are complete.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "write"))
