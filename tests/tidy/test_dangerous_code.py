"""What our code never does: each is a way in for whoever controls a piece of text."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.source import PROJECT, modules, texts, tracked

NEVER_CALLED = {"eval", "exec", "compile", "__import__", "extra", "RawSQL", "from_string"}
# the only markup that is taken as it is: our own drawings, and what our own templates rendered
OWN_MARKUP = re.compile(r"mark_safe\((''|ICONS\[name\]|render_to_string\(.*\)\.strip\(\))\)")
NEVER_IMPORTED = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "yaml",
    "xml",
    "lxml",
    "defusedxml",
    "telnetlib",
    "ftplib",
    "ldap3",
}
MAY_START_PROCESSES = (
    "src/usance/config/",
    "src/usance/workflows/management/commands/",
    "src/usance/workflows/cli_bench_close.py",  # measures what real workers take
    "tools/",
)
TEMPLATE_HOLES = re.compile(r"\|\s*safe\b|\{%\s*autoescape off|\|\s*safeseq\b")
SCRIPT_HOLES = re.compile(
    r"\beval\(|new Function\(|document\.write|outerHTML\s*=|insertAdjacentHTML|__proto__|postMessage"
)


MODULES = modules()


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    for path, tree in MODULES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield path, node, name


def test_no_text_becomes_code_markup_or_a_query() -> None:
    found = [
        f"{path}:{call.lineno} {name}"
        for path, call, name in calls()
        if name in NEVER_CALLED and not (name == "compile" and isinstance(call.func, ast.Attribute))
    ]
    assert not found
    markup = [(str(path), ast.unparse(call)) for path, call, name in calls() if name in {"mark_safe", "SafeString"}]
    assert {path for path, _code in markup} == {"src/usance/web/templatetags/usance.py"}
    assert not [code for _path, code in markup if not OWN_MARKUP.fullmatch(code)]


def test_nothing_is_read_by_a_format_that_can_carry_code_or_entities() -> None:
    found = []
    for path, tree in MODULES:
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path}: {name}" for name in names if name.split(".")[0] in NEVER_IMPORTED]
    assert not found


def test_no_shell_is_asked_and_processes_are_started_at_the_edge_only() -> None:
    found = []
    for path, call, name in calls():
        shell = [word for word in call.keywords if word.arg == "shell"]
        found += [f"{path}:{call.lineno} shell"] if shell or name in {"system", "popen", "spawnl"} else []
        is_process = name in {"run", "Popen"} and isinstance(call.func, ast.Attribute)
        is_process = is_process and getattr(call.func.value, "id", "") == "subprocess"  # type: ignore[attr-defined]
        if is_process and not str(path).startswith(MAY_START_PROCESSES):
            found.append(f"{path}:{call.lineno} process")
    assert not found


def test_the_linter_s_rules_of_security_are_on() -> None:
    rules = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    assert [rule for rule in rules["ignore"] if rule.startswith("S") and rule not in ("S101", "SIM108")] == []
    own = [f"{path}: {text.count('noqa: S608')}" for path, text in texts() if path.parts[0] == "src" and "S608" in text]
    excused = re.compile(r"S608[ )]*(- |\()|# noqa: S608$", re.MULTILINE)
    assert all(excused.search((PROJECT / line.split(":")[0]).read_text()) for line in own)


def test_templates_escape_everything() -> None:
    found = [
        f"{path}: {hole.group()}"
        for path, text in texts()
        if path.suffix == ".html" and path.parts[0] == "src"
        for hole in TEMPLATE_HOLES.finditer(text)
    ]
    assert not found


def test_scripts_build_no_code_and_no_markup_but_what_our_own_server_rendered() -> None:
    found = []
    for path, text in texts():
        if path.suffix == ".ts" and path.parts[0] == "frontend":
            holes = {hole.group() for hole in SCRIPT_HOLES.finditer(text)}
            if path.name in ("app.ts", "worker.ts"):  # the page and its own worker, which no other origin can be
                holes.discard("postMessage")
            found += [f"{path}: {hole}" for hole in holes]
            if "innerHTML" in text:
                assert path.name == "calculator.ts"  # the answer of our own calculator, which escapes
                assert "fetch(" in text
    assert not found


def test_scripts_keep_nothing_about_a_person_in_the_browser() -> None:
    keeps = re.compile(r"(?:localStorage|sessionStorage)\.setItem\(\s*([^,]+),|indexedDB|document\.cookie")
    kept = {
        hole.group(1) or hole.group()
        for _path, text in texts()
        if _path.suffix == ".ts"
        for hole in keeps.finditer(text)
    }
    assert kept == {"document.cookie"}  # one place, and it keeps the look that was chosen
    cookie = next(text for path, text in texts() if path.name == "common.ts").split("document.cookie = ")[1]
    assert cookie.startswith("`${prefix}theme=${next};")


def test_every_random_value_that_must_not_be_guessed_comes_from_secrets() -> None:
    random = {
        str(path) for path, tree in MODULES for node in ast.walk(tree)
        if isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names)
    }  # fmt: skip
    allowed = ("src/usance/workflows/simulate/", "src/usance/workflows/audit_books/", "src/usance/adapters/sandbox/")
    assert [path for path in random if not path.startswith(allowed)] == []


def test_weak_hashes_are_where_a_protocol_asks_for_them_only() -> None:
    found = {
        f"{path}" for path, call, name in calls() if name in {"md5", "sha1", "new"} and "hashlib" in ast.dump(call.func)
    }
    assert found == {"src/usance/adapters/fondy/signature.py"}


def test_ciphers_are_aes_gcm_and_nothing_else() -> None:
    ciphers = set()
    for path, tree in MODULES:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "cryptography.hazmat.primitives.ciphers"
            ):
                ciphers |= {(str(path), alias.name) for alias in node.names}
    assert {name for _path, name in ciphers} == {"AESGCM"}


def test_no_secret_is_in_the_repository() -> None:
    key = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|xox[bp]-[0-9A-Za-z-]{20,}")
    assert not [f"{path}" for path, text in texts() if key.search(text) and path.name != "test_dangerous_code.py"]
    assert not [path for path in tracked() if path.name in {"secrets.env", ".env", "seal.pem"}]


def test_the_front_end_is_pinned_by_hashes_too() -> None:
    lock = json.loads((PROJECT / "frontend" / "package-lock.json").read_text())
    loose = [
        name for name, row in lock["packages"].items() if name and not row.get("link") and not row.get("integrity")
    ]
    assert not loose
