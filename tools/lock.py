"""Renews the lock files: requirements/*.in -> *.txt, every version pinned and hashed, no registry's address written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
OPTIONS = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]


def main() -> None:
    uv = Path(sys.executable).parent / "uv"
    for name in ("main", "dev", "node", "mutants"):
        command = [str(uv), "pip", "compile", "--quiet", *OPTIONS, *sys.argv[1:], f"{name}.in", "-o", f"{name}.txt"]
        subprocess.run(command, cwd=FOLDER, check=True)
        print(f"requirements/{name}.txt")


if __name__ == "__main__":
    main()
