"""What mutants of the core there are, as mutmut makes them, and how one is put into a running process."""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib.util
import json
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

PROJECT = Path(__file__).resolve().parent.parent
CORE = PROJECT / "src/usance/core"
MADE = PROJECT / ".cache/mutants_made.json"


class Mutant(NamedTuple):
    key: str  # of the file, the function and what it became
    file: str  # below src/usance/core
    function: str  # "name" or "Class.name"
    lines: tuple[int, int]
    before: str
    after: str


def mutants_of(path: Path) -> list[Mutant]:
    wrapper = MetadataWrapper(libcst.parse_module(path.read_text(encoding="utf-8")))
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    places, module = wrapper.resolve(PositionProvider), wrapper.module
    owners = {item: statement.name.value for statement in module.body if isinstance(statement, libcst.ClassDef)
              for item in statement.body.body}  # fmt: skip
    file, found, texts = path.relative_to(CORE).as_posix(), [], {}
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if not isinstance(function, libcst.FunctionDef):
            continue  # what stands outside functions is run once, before any test
        name = function.name.value
        name = f"{owners[function]}.{name}" if function in owners else name
        before = texts.setdefault(name, module.code_for_node(function).strip("\n"))
        changed = deep_replace(function, mutation.original_node, mutation.mutated_node)
        after = module.code_for_node(changed).strip("\n")
        place = places.get(mutation.original_node) or places[function]
        key = hashlib.sha256(f"{file}\n{name}\n{before}\n{after}".encode()).hexdigest()[:16]
        found.append(Mutant(key, file, name, (place.start.line, place.end.line), before, after))
    return list({mutant.key: mutant for mutant in found}.values())


def all_mutants() -> list[Mutant]:
    """Those of every file; making them takes a while, so they are kept with the hash of the file."""
    kept = json.loads(MADE.read_text()) if MADE.exists() else {}
    made: dict[str, Any] = {}
    for path in sorted(CORE.rglob("*.py")):
        file, digest = path.relative_to(CORE).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
        made[file] = kept.get(file)
        if not made[file] or made[file]["of"] != digest:
            made[file] = {"of": digest, "mutants": mutants_of(path)}
    written(MADE, made)
    return [Mutant(*told) for entry in made.values() for told in entry["mutants"]]


def written(path: Path, told: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(told))
    beside.replace(path)


# --- putting one in ---------------------------------------------------------------------------------------


def put_in(mutant: Mutant) -> None:
    """Gives the function its other body in this process; whoever holds the function has the other one now."""
    module = importlib.import_module("usance.core." + mutant.file.removesuffix(".py").replace("/", "."))
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
        file.write("from __future__ import annotations\n" + mutant.after)
        file.flush()
        spec = importlib.util.spec_from_file_location("other", file.name)
        assert spec is not None
        assert spec.loader is not None
        other = importlib.util.module_from_spec(spec)
        vars(other).update({name: item for name, item in vars(module).items() if not name.startswith("__")})
        spec.loader.exec_module(other)
    owner, _, name = mutant.function.rpartition(".")
    held = vars(getattr(module, owner))[name] if owner else vars(module)[name]
    old, new = (getattr(item, "__func__", item) for item in (held, vars(other)[name]))
    assert isinstance(old, types.FunctionType)
    assert isinstance(new, types.FunctionType)
    _put_into_those_made(old.__code__, new.__code__)
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__


def _put_into_those_made(before: types.CodeType, after: types.CodeType) -> None:
    """The functions that the old one has made already, while modules were loaded, get the bodies that the new one would
    have given them; what they remember is forgotten."""
    old, new = list(_inside(before)), list(_inside(after))
    if len(old) != len(new) or old == new:
        return
    other = dict(zip(old, new, strict=True))
    gc.unfreeze()
    for item in gc.get_objects():
        if isinstance(item, types.FunctionType) and item.__code__ in other:
            code = other[item.__code__]
            if code.co_freevars == item.__code__.co_freevars:
                item.__code__ = code
        elif isinstance(item, functools._lru_cache_wrapper):
            item.cache_clear()


def _inside(code: types.CodeType) -> Iterator[types.CodeType]:
    """The bodies of the functions that stand inside a function, in their order."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _inside(constant)


def forget() -> None:
    """Empties every cache of the core and of its tests."""
    for loaded in [item for key, item in sys.modules.items() if key.startswith(("usance.core", "tests."))]:
        for item in vars(loaded).values():
            if callable(getattr(item, "cache_clear", None)):
                item.cache_clear()
