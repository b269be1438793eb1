"""The register of requirements (docs/security/asvs.csv) is whole and honest: every one of levels 1 and 2 once, each
`met` by tests that exist, each `n/a` with a reason, each `open` with a plan, and none open where it must not be."""

from __future__ import annotations

import ast
import csv
import functools
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.tidy.source import PROJECT

REGISTER = PROJECT / "docs" / "security" / "asvs.csv"
PAGE = PROJECT / "docs" / "security.md"
# of ASVS 5.0.0; the numbers within a section have gaps where requirements of level 3 stand
COUNTS = {1: 70, 2: 183}
CHAPTERS = dict(
    zip(
        (f"V{number}" for number in range(1, 18)),
        (27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7),
        strict=True,
    )
)
# a hash of all ids with their levels, as they were published
MARK = "3765ed9541ee1523694f731f53d3201978aa23cf9cac70481d40476d8a2d1e27"
# nothing may be open about signing in, sessions, access, tokens, keys, logs
NEVER_OPEN = ("V6", "V7", "V8", "V9", "V10", "V11", "V16")
# what docs/security.md must have a part about, as the register names it as evidence
PARTS = (
    *("What we protect, and from whom", "Ways in", "Passwords", "How guessing is stopped", "Visits", "Who may do what"),
    *("Personal data", "Keys", "What is checked of input", "Files", "Whom we speak to", "What is logged"),
    *("Libraries", "What costs much", "How to report a hole", "The register"),
)


def rows() -> list[dict[str, str]]:
    with REGISTER.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))


@functools.cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, those inside classes too."""
    file = PROJECT / "tests" / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return bool(names_in(path)) if name == "*" else name in names_in(path)


def test_every_requirement_of_levels_one_and_two_is_there_once() -> None:
    from hashlib import sha256

    found = [(row["id"], row["level"]) for row in rows()]
    assert len(found) == len(set(found)) == 253
    assert Counter(int(level) for _id, level in found) == COUNTS
    assert Counter(number.split(".")[0] for number, _level in found) == CHAPTERS
    assert found == sorted(found, key=lambda row: [int(part) for part in row[0][1:].split(".")])
    assert sha256("\n".join(f"{number} {level}" for number, level in found).encode()).hexdigest() == MARK


def test_every_state_has_its_evidence() -> None:
    for row in rows():
        assert row["asks"], row["id"]
        assert row["state"] in ("met", "n/a", "open"), row["id"]
        if row["state"] == "met":
            assert re.fullmatch(r"(tests/\S+\.py::\S+)( tests/\S+\.py::\S+)*", row["evidence"]), row["id"]
        else:
            assert len(row["evidence"].split()) >= 2, row["id"]
            assert "::" not in row["evidence"], row["id"]


def test_every_test_that_is_named_is_there() -> None:
    named = {(row["id"], test) for row in rows() if row["state"] == "met" for test in row["evidence"].split()}
    assert [(number, test) for number, test in sorted(named) if not is_there(test.removeprefix("tests/"))] == []


def test_nothing_is_open_about_signing_in_sessions_access_keys_or_logs() -> None:
    assert [row["id"] for row in rows() if row["state"] == "open" and row["id"].split(".")[0] in NEVER_OPEN] == []


def test_what_does_not_apply_is_little_beyond_techniques_that_are_not_here() -> None:
    """A whole chapter may be left out because nothing of its kind is here; elsewhere it is the exception."""
    without = Counter(row["id"].split(".")[0] for row in rows() if row["state"] == "n/a")
    absent = {"V10": "OAuth", "V17": "WebRTC"}
    assert all(without[chapter] == CHAPTERS[chapter] for chapter in absent)
    rest = {chapter: count / CHAPTERS[chapter] for chapter, count in without.items() if chapter not in absent}
    assert {chapter for chapter, share in rest.items() if share > 0.5} <= {
        "V4",
        "V12",
    }  # no WebSocket, no GraphQL; TLS of visitors ends at the operator's proxy


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_about_security_says_what_the_register_relies_on() -> None:
    headings = set(re.findall(r"^## (.+)$", page(), re.MULTILINE))
    assert set(PARTS) <= headings
    for part in PARTS:
        body = page().split(f"## {part}\n")[1].split("\n## ")[0]
        assert len(body.split()) >= 40, part


def test_the_page_s_summary_says_what_the_register_says() -> None:
    found = Counter((row["id"].split(".")[0], row["state"]) for row in rows())
    for chapter in CHAPTERS:
        figures = " | ".join(str(found[chapter, state]) for state in ("met", "n/a", "open"))
        assert re.search(rf"^\| {chapter} [^|]*\| {re.escape(figures)} \|$", page(), re.MULTILINE), (chapter, figures)


@pytest.mark.parametrize("name", ["CONTEXT"])
def test_the_words_around_our_staff_are_on_the_page_about_security(name: str) -> None:
    source = Path(PROJECT / "src/usance/apps/access/passwords.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    assigned = next(
        node.value for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
    )  # fmt: skip
    words = [node.value for node in ast.walk(assigned) if isinstance(node, ast.Constant)]
    assert len(words) >= 15
    assert [word for word in words if f"`{word}`" not in page()] == []


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    """The limits and lengths that the page tells are read from the code's own constants."""

    def constant(path: str, pattern: str) -> str:
        found = re.search(pattern, (PROJECT / "src/usance" / path).read_text(encoding="utf-8"))
        assert found, (path, pattern)
        return found.group(1)

    text = page()
    for path, pattern, words in (
        ("apps/access/passwords.py", r"LEAST_ALONE = (\d+)", "at least {} signs"),
        ("apps/access/passwords.py", r"LEAST_WITH_FACTOR = (\d+)", "{} with a second factor"),
        ("apps/access/limits.py", r'"sign_in.account_from", (\d+)', "{} wrong passwords for one account from one"),
        ("apps/access/limits.py", r'"sign_in.account", (\d+)', "{} from all addresses"),
        ("apps/access/limits.py", r'"sign_in.address", (\d+)', "{} from one address for all accounts"),
        ("apps/customers/sign_in.py", r"PER_PHONE_HOUR, PER_PHONE_DAY = (\d+)", "{} an hour"),
        ("apps/customers/sign_in.py", r"PER_PHONE_HOUR, PER_PHONE_DAY = \d+, (\d+)", "{} a day to one phone"),
        ("apps/customers/sign_in.py", r"PER_ADDRESS_HOUR, PER_ADDRESS_DAY = (\d+)", "{} an hour from one address"),
        ("config/settings.py", r'STRANGERS_CODES_PER_DAY", "(\d+)"', "{} a day for all strangers together"),
        ("apps/access/sign_in.py", r"IDLE = timedelta\(minutes=(\d+)\)", "{} minutes without use"),
        ("apps/access/sign_in.py", r"LONGEST = timedelta\(hours=(\d+)\)", "{} hours in all"),
        ("web/borrower/identity.py", r"FRESH = .*timedelta\(minutes=(\d+)\)", "{} minutes old"),
        ("config/settings.py", r"USANCE_LARGEST_BODY = ([\d_]+)", "{} bytes"),
    ):  # fmt: skip
        assert words.format(constant(path, pattern).replace("_", " ")) in text, words
