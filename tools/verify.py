"""What `make test` and `make check` run, in the order in which a mistake is found cheapest. Exit status 0: all well."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

STATIC = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("layers", ["lint-imports"]),
    ("types", ["mypy"]),
)
FAST_TESTS = ["tests/core", "tests/laws", "tests/stories", "tests/tidy"]
WORKERS = max(2, min(8, os.cpu_count() or 2))
PARALLEL = ["-n", str(WORKERS), "--dist", "loadgroup", "--no-loadscope-reorder"]


def run(name: str, command: list[str], environment: dict[str, str]) -> bool:
    print(f"--- {name}: {' '.join(command)}", flush=True)
    began = time.monotonic()
    status = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=PROJECT, env=environment, check=False).returncode
    print(f"--- {name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return status == 0


def main(which: str) -> int:
    """`fast`: static checks and tests without a database; `all`: everything. Goes on after a failure, to show all."""
    sys.path.insert(0, str(PROJECT))
    from tests.support import environment as tests_environment

    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "RUFF_CACHE_DIR": str(PROJECT / ".cache/ruff"),
    }
    # where byte code may not be kept, each worker and each of the many processes compiles every module again
    for name in (*tests_environment.FOREIGN, "DATABASE_URL", "DATABASE_OWNER_URL", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    for_types = environment | tests_environment.ENVIRONMENT  # mypy's Django plugin reads the settings
    failed = [name for name, command in STATIC if not run(name, command, for_types if name == "types" else environment)]
    if which == "fast":
        tests = [
            "pytest",
            "-q",
            "-m",
            "not slow and not browser",
            *PARALLEL,
            *(t for t in FAST_TESTS if (PROJECT / t).exists()),
        ]
    else:
        environment.setdefault("HYPOTHESIS_PROFILE", "ci")
        tests = ["pytest", *PARALLEL]
    if not run("tests", tests, environment):
        failed.append("tests")
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
