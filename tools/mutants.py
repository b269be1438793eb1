"""`make mutants`: how many small faults, put into the core one at a time, its fast tests notice.

    make mutants                    every mutant (long; interrupted, it goes on where it was)
    make mutants SAMPLE=400 SEED=2  so many, drawn by seed, and the interval that the share of all lies in
    tools/mutants.py --survivors    the faults that nothing noticed, as diffs (of one file: --only charges)

What a mutant is, mutmut says (its own mutations of every undecorated function). This runs them: the tests are collected
once, and each mutant lives in a process forked from there, where its function has another body. Only tests that reach
the changed lines run, those that noticed its neighbours and the quick ones first, until one fails. Results hold for
these very sources and tests; after a change all are tried again, beginning with the test that noticed them before. A
function that runs while modules are loaded (a maker of functions, in rates) has run by then: those that it made get
their other body too; a fault in the rest of it counts as survived.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import hashlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from _pytest.runner import runtestprotocol
from coverage import Coverage
from mutations import CORE, PROJECT, Mutant, all_mutants, forget, put_in, written

LAWS = ("laws.py", "conventions.py", "take_over.py", "reference.py")
TESTS = ("tests/core", "tests/stories", *(f"tests/laws/test_{name}" for name in LAWS))
LEFT_OUT = "off_by_one or (slow_reference and not [0] and not [25] and not [50])"  # long
EXAMPLES = 2  # of each property: these are to be quick, `make test` tries 200
REMEMBERED = PROJECT / ".cache/mutants.json"
LEAST_SECONDS, TIMES_LONGER = 3.0, 10  # of processor time, until a test counts as one that never ends
MEMORY = 3 << 30
KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"


def mark() -> str:
    """A hash of what the results depend on."""
    digest = hashlib.sha256()
    for folder in (CORE, *(PROJECT / "tests" / name for name in ("core", "stories", "laws"))):
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".py", ".txt")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# --- running tests in a forked process -------------------------------------------------------------------


class Known(NamedTuple):
    """What one run without any fault told of each test: how long it takes, and the lines it reaches."""

    seconds: dict[str, float]
    reached: dict[str, dict[int, list[str]]]  # file -> line -> tests


def passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def look(items: list[pytest.Item], target: Path) -> None:
    """In a process of its own: every test once, as it is."""
    seconds: dict[str, float] = {}
    reached: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        forget()
        watch = Coverage(data_file=None, include=[f"{CORE}/*"], config_file=False)
        watch.set_option("run:disable_warnings", ["no-data-collected"])
        began = time.process_time()
        with watch.collect():
            well = passes(item)
        seconds[item.nodeid] = time.process_time() - began
        if not well:
            sys.exit(f"{item.nodeid} fails as it is: mend it first")
        data = watch.get_data()
        for file in data.measured_files():
            for line in data.lines(file) or ():
                reached[Path(file).relative_to(CORE).as_posix()][line].append(item.nodeid)
    target.write_text(json.dumps({"seconds": seconds, "reached": reached}))


def live(mutant: Mutant, items: list[pytest.Item], seconds: dict[str, float]) -> None:
    """In a process of its own, which ends with 0 when all pass; the test that fails is told by its number."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    put_in(mutant)
    forget()
    for number, item in enumerate(items):
        signal.setitimer(signal.ITIMER_PROF, LEAST_SECONDS + TIMES_LONGER * seconds[item.nodeid])
        if not passes(item):
            os._exit(1 + min(number, 200))
    os._exit(0)


class Runner:
    """A pytest plugin: instead of running the tests, it runs the mutants."""

    def __init__(self, mutants: list[Mutant], workers: int, memory: dict[str, Any]) -> None:
        self.mutants, self.workers, self.memory = mutants, workers, memory
        self.killers: dict[str, Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        from hypothesis import Phase, settings

        settings.register_profile(
            "mutants", settings.get_profile("dev"), max_examples=EXAMPLES, database=None, phases=[Phase.generate]
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.known = self.looked(session.items)
        for entry in self.memory["results"].values():
            self.killers[entry["function"]][entry["by"]] += entry["by"] != ""
        gc.collect()
        gc.freeze()  # so that children share the pages
        self.run()
        return True

    def looked(self, items: list[pytest.Item]) -> Known:
        if self.memory.get("looked") is None:
            print(f"Each of {len(items)} tests once, as it is, to see what it reaches.", flush=True)
            target = REMEMBERED.with_suffix(".looked")
            if (child := os.fork()) == 0:
                try:
                    look(items, target)
                except BaseException as error:  # noqa: BLE001 (the child ends here, whatever it was)
                    print(error, flush=True)
                    os._exit(1)
                os._exit(0)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
                raise pytest.UsageError("the tests fail without any fault")
            self.memory["looked"] = json.loads(target.read_text())
            written(REMEMBERED, self.memory)
        told = self.memory["looked"]
        lines = {file: {int(line): tests for line, tests in reach.items()} for file, reach in told["reached"].items()}
        return Known(told["seconds"], lines)

    def chosen(self, mutant: Mutant) -> list[str]:
        """The tests that reach the change, the one that noticed it before first, then those that noticed others in the
        same function, then the quick ones."""
        reach = self.known.reached.get(mutant.file, {})
        reaching = {test for line in range(mutant.lines[0], mutant.lines[1] + 1) for test in reach.get(line, ())}
        before = self.memory["results"].get(mutant.key, {}).get("by")
        neighbours = self.killers[f"{mutant.file}:{mutant.function}"]
        seconds = self.known.seconds
        return sorted(reaching, key=lambda t: (t != before, -neighbours[t] if seconds[t] < 1 else 0, seconds[t], t))

    def run(self) -> None:
        began, running, done, waiting = time.monotonic(), dict[int, tuple[Mutant, list[str]]](), 0, self.mutants[::-1]
        total = len(waiting)
        while waiting or running:
            while waiting and len(running) < self.workers:
                mutant = waiting.pop()
                tests = self.chosen(mutant)
                if (child := os.fork()) == 0:
                    quietly(live, mutant, [self.items[test] for test in tests], self.known.seconds)
                running[child] = (mutant, tests)
            child, status = os.wait()
            mutant, tests = running.pop(child)
            self.note(mutant, tests, os.waitstatus_to_exitcode(status))
            done += 1
            if done % 25 == 0 or done == total:
                written(REMEMBERED, self.memory)
                left = (time.monotonic() - began) / done * (total - done)
                print(f"{done:>6,} of {total:,} tried, {left:,.0f} s left", flush=True)

    def note(self, mutant: Mutant, tests: list[str], status: int) -> None:
        function, by = f"{mutant.file}:{mutant.function}", ""
        if status == 0:
            outcome = SURVIVED
        elif status == -signal.SIGPROF:
            outcome = TIMED_OUT
        elif status > 0:
            outcome, by = KILLED, tests[status - 1] if status <= min(len(tests), 200) else ""
        else:
            outcome = KILLED  # it brought Python itself down
        if by:
            self.killers[function][by] += 1
        self.memory["results"][mutant.key] = {"function": function, "outcome": outcome, "by": by,
                                              "mark": self.memory["mark"]}  # fmt: skip


def quietly(act: Any, *told: Any) -> None:
    """In a child: nothing that it says is shown; whatever ends it ends the process."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        act(*told)
    except BaseException:  # noqa: BLE001 (the child ends here, whatever it was)
        os._exit(255)


# --- what is remembered, and what is told ------------------------------------------------------------------


def remembered() -> dict[str, Any]:
    now = mark()
    memory = json.loads(REMEMBERED.read_text()) if REMEMBERED.exists() else {"results": {}}
    if memory.get("mark") != now:
        memory |= {"mark": now, "looked": None}
    return memory


def outcomes(mutants: list[Mutant], memory: dict[str, Any]) -> dict[str, str]:
    """Of those that were tried with these sources and tests."""
    results = ((mutant, memory["results"].get(mutant.key)) for mutant in mutants)
    return {mutant.key: entry["outcome"] for mutant, entry in results if entry and entry["mark"] == memory["mark"]}


def interval(part: int, whole: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in a sample, narrower the larger a part of all the sample is."""
    z = 1.96 * (max(0, of - whole) / max(1, of - 1)) ** 0.5
    share, grown = part / whole, 1 + z * z / whole
    middle = (share + z * z / (2 * whole)) / grown
    half = z / grown * (share * (1 - share) / whole + z * z / (4 * whole * whole)) ** 0.5
    return middle - half, middle + half


def report(drawn: list[Mutant], everything: list[Mutant], memory: dict[str, Any]) -> None:
    told = outcomes(drawn, memory)
    print(f"\n{'file':<28}{'mutants':>9}{'tried':>8}{'killed':>8}{'survived':>10}{'timed out':>11}{'noticed':>9}")
    sums: Counter[str] = Counter()
    files: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in drawn:
        files[mutant.file].append(mutant)
    for file, mutants in sorted(files.items()):
        counts = Counter(told[mutant.key] for mutant in mutants if mutant.key in told)
        sums += counts
        print(line(file, sum(mutant.file == file for mutant in everything), counts))
    print(line("all", len(everything), sums))
    tried, noticed = sums.total(), sums[KILLED] + sums[TIMED_OUT]
    if 0 < tried < len(everything):
        low, high = (100 * edge for edge in interval(noticed, tried, len(everything)))
        print(f"Of {tried:,} of {len(everything):,} mutants {100 * noticed / tried:.1f} % were noticed; "
              f"of all, {low:.1f} to {high:.1f} % (95 % interval).")  # fmt: skip
    elif tried:
        print(f"Of all {tried:,} mutants {100 * noticed / tried:.1f} % were noticed.")


def line(name: str, mutants: int, counts: Counter[str]) -> str:
    noticed, tried = counts[KILLED] + counts[TIMED_OUT], counts.total()
    share = f"{100 * noticed / tried:.1f} %" if tried else "-"
    return (f"{name:<28}{mutants:>9,}{tried:>8,}{counts[KILLED]:>8,}{counts[SURVIVED]:>10,}"
            f"{counts[TIMED_OUT]:>11,}{share:>9}")  # fmt: skip


def show_survivors(mutants: list[Mutant], memory: dict[str, Any]) -> None:
    told = outcomes(mutants, memory)
    for mutant in mutants:
        if told.get(mutant.key) == SURVIVED:
            print(f"--- {mutant.file}:{mutant.lines[0]} {mutant.function}")
            changed = difflib.unified_diff(mutant.before.splitlines(), mutant.after.splitlines(), lineterm="", n=0)
            print("\n".join(text for text in list(changed)[2:] if not text.startswith("@@")))


def drawn_by(seed: int, mutant: Mutant) -> str:
    """Its place in the draw of this seed: a larger sample holds the smaller one."""
    return hashlib.sha256(f"{seed}:{mutant.key}".encode()).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many mutants, drawn by the seed (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default: %(default)s)")
    parser.add_argument("--only", default="", help="files whose path holds this text")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="processes (default: %(default)s)")
    parser.add_argument("--survivors", action="store_true", help="show what survived; run nothing")
    parser.add_argument("--again", action="store_true", help="whatever was tried before")
    options = parser.parse_args()
    everything, memory = [m for m in all_mutants() if options.only in m.file], remembered()
    drawn = everything
    if options.sample and options.sample < len(everything):
        drawn = sorted(everything, key=lambda mutant: drawn_by(options.seed, mutant))[: options.sample]
    if options.survivors:
        show_survivors(sorted(drawn), memory)
        return 0
    told = {} if options.again else outcomes(drawn, memory)
    waiting = [mutant for mutant in drawn if mutant.key not in told]
    if told:
        print(f"{len(told):,} were tried before with these sources and tests.", flush=True)
    if waiting:
        os.environ.pop("HYPOTHESIS_PROFILE", None)
        asked = ["-q", "-n0", "--no-header", "-s", "-p", "no:django", "-k", f"not ({LEFT_OUT})", *TESTS]
        if status := pytest.main(asked, plugins=[Runner(waiting, options.workers, memory)]):
            return int(status)
    report(drawn, everything, memory)
    return 0


if __name__ == "__main__":
    os.chdir(PROJECT)
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(PROJECT)]
    sys.exit(main())
