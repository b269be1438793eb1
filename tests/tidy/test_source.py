"""House rules that no linter knows. Each failure names the file and the line."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from tests.tidy.source import PACKAGE, PROJECT, dotted, imports, modules, texts, tracked

MOST_FUNCTION_LINES = 60
MOST_FILE_LINES = 400
MOST_FILE_BYTES = 1_000_000
NOT_IN_CORE = {
    "logging",
    "os",
    "time",
    "random",
    "uuid",
    "secrets",
    "socket",
    "subprocess",
    "pathlib",
    "io",
    "threading",
    "asyncio",
}
OTHERS_MODELS = re.compile(r"usance\.apps\.(\w+)\.models(\.|$)")
# Not tables, but what every app makes its own tables of.
BASE_CLASSES = {"TenantModel", "OrgModel", "TenantForeignKey", "institution_key", "AppendOnlyModel", "new_id", "UuidV7"}


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_files_fit_in_the_head() -> None:
    long = [
        f"{path}: {count} lines"
        for path, text in texts()
        if path.suffix == ".py" and path.parts[0] in ("src", "tools") and "migrations" not in path.parts
        if (count := text.count("\n")) > MOST_FILE_LINES
    ]
    assert not long, "\n".join(long)


def test_no_large_files() -> None:
    large = [f"{p}: {size} bytes" for p in tracked() if (size := (PROJECT / p).stat().st_size) > MOST_FILE_BYTES]
    assert not large, "\n".join(large)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path) for path, tree in modules() if tree.body and not ast.get_docstring(tree) and path.name != "apps.py"
    ]
    assert not silent, "\n".join(silent)


def test_nothing_names_a_registry_or_a_machine() -> None:
    registries = "|".join(
        [
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            "registry" + r"\.npmjs",
            "registry" + r"\.yarnpkg",
            "/simple" + r"/\w",
        ]
    )
    machine = r"(?<![\w.])/(?:" + "|".join(["wo" + "rk", "far" + "m", "root", "home/[a-z]+"]) + r")/"
    forbidden = re.compile(f'https?://[^\\s"\']*(?:{registries})|{machine}|"resolved": *"http')
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(0)}"
        for path, text in texts()
        for match in forbidden.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_nothing_is_left_for_later_and_no_test_is_skipped() -> None:
    words = [
        "TO" + "DO",
        "FIX" + "ME",
        "XX" + "X",
        "pytest" + r"\.skip",
        r"mark\." + "skip",
        "x" + "fail",
        "unittest" + r"\.skip",
    ]
    forbidden = re.compile(r"(?m)^.*(?<![\w])(?:" + "|".join(words) + r")(?![\w-]).*$")
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(0).strip()[:100]}"
        for path, text in texts()
        if path.suffix in (".py", ".ts", ".js", ".html")
        for match in forbidden.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_a_broad_except_stands_only_at_the_three_bulkheads() -> None:
    """One loan in the close, one job, one webhook; each says in its line which bulkhead it is."""
    found = [
        (path, text.splitlines()[number - 1].strip())
        for path, text in texts()
        if path.suffix == ".py" and path.parts[0] == "src"
        for number in [text.count("\n", 0, m.start()) + 1 for m in re.finditer(r"except (?:Base)?Exception\b", text)]
    ]
    unnamed = [f"{path}: {line}" for path, line in found if "bulkhead" not in line]
    assert not unnamed, "\n".join(unnamed)
    assert len(found) <= 3, found


def test_the_core_imports_the_standard_library_only() -> None:
    found = []
    for path, tree in modules():
        if not path.is_relative_to(Path("src/usance/core")):
            continue
        for line, name in imports(path, tree):
            top = name.split(".")[0]
            if name.startswith("usance.core") or (top in sys.stdlib_module_names and top not in NOT_IN_CORE):
                continue
            found.append(f"{path}:{line}: {name}")
    assert not found, "\n".join(found)


def test_only_its_own_app_imports_an_apps_models() -> None:
    found = []
    for path, tree in modules():
        here = dotted(path)
        if here.startswith("usance.config"):  # the edge that wires everything together
            continue
        for line, name in _runtime_imports(path, tree):
            match = OTHERS_MODELS.match(name)
            if match is None or here.startswith(f"usance.apps.{match.group(1)}"):
                continue
            if name.startswith("usance.apps.institutions.models") and name.rsplit(".", 1)[1] in BASE_CLASSES:
                continue
            found.append(f"{path}:{line}: {name}")
    assert not found, "\n".join(found)


def _runtime_imports(path: Path, tree: ast.Module) -> list[tuple[int, str]]:
    """Imports, without those for the type checker only."""
    typing_only = {
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    }
    return [(line, name) for line, name in imports(path, tree) if line not in typing_only]


def test_every_app_introduces_itself() -> None:
    """A README that names what the app owns, and its public services."""
    poor = []
    for folder in sorted(p for p in (PACKAGE / "apps").iterdir() if (p / "models.py").exists()):
        readme = folder / "README.md"
        if not readme.exists():
            poor.append(f"{folder.name}: no README.md")
            continue
        text = readme.read_text(encoding="utf-8").lower()
        poor += [
            f"{folder.name}: its README does not say {word}"
            for word in ("owns", "services", "refusals")
            if word not in text
        ]
    assert not poor, "\n".join(poor)


def test_every_table_is_in_the_glossary() -> None:
    """Every word of ours that became a table has an entry; the check begins when the glossary exists."""
    glossary = PROJECT / "docs" / "glossary.md"
    known = re.sub(r"[^a-z]", "", glossary.read_text(encoding="utf-8").lower()) if glossary.exists() else None
    missing = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in modules()
        if path.parts[1:3] == ("usance", "apps") and "models" in path.stem
        for node in tree.body
        if isinstance(node, ast.ClassDef) and _is_table(node) and known is not None and node.name.lower() not in known
    ]
    assert not missing, "\n".join(missing)


def _is_table(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases}
    abstract = any(isinstance(n, ast.Assign) and ast.unparse(n) == "abstract = True" for n in ast.walk(node))
    return bool(bases & {"Model", "TenantModel", "OrgModel"}) and not abstract
