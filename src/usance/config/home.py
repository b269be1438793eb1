"""Where an installation keeps its state: the folder `var/` (or USANCE_HOME), its secrets, its locks."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from usance.config.obstacles import Obstacle, writing_to

PROJECT = Path(__file__).resolve().parents[3]
LEAST_FREE_BYTES = 300 * 1024 * 1024
SUPER_PASSWORD = "USANCE_DB_SUPER_PASSWORD"  # noqa: S105 - names of variables, here and below
OWNER_PASSWORD = "USANCE_DB_OWNER_PASSWORD"  # noqa: S105
APP_PASSWORD = "USANCE_DB_APP_PASSWORD"  # noqa: S105


def home() -> Path:
    """The state folder: USANCE_HOME when set, else `var/` in the project."""
    given = os.environ.get("USANCE_HOME", "").strip()
    return Path(given).expanduser().resolve() if given else PROJECT / "var"


def prepare(folder: Path) -> Path:
    """Create the state folder and its parts. Raises Obstacle when it is unwritable or the disk is full."""
    with writing_to(folder):
        for part in (folder, folder / "run", folder / "log"):
            part.mkdir(parents=True, exist_ok=True)
        (folder / "log").chmod(0o700)
        probe = folder / "run" / ".probe"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise Obstacle(
            f"The disk that holds {folder} is nearly full: "
            f"{free // 2**20} MB are free, {LEAST_FREE_BYTES // 2**20} are needed.",
            "Free some space, or set USANCE_HOME to a folder on another disk.",
        )
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; other processes wait. The operating system frees it when we die."""
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _fresh_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "USANCE_KEYS": "1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "USANCE_TENANCY_SECRET": secrets.token_hex(32),
        # any number below 2^255 is a key of the curve P-256
        "WEBPUSH_PRIVATE_KEY": base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(31)).decode().rstrip("="),
        SUPER_PASSWORD: secrets.token_hex(24),
        OWNER_PASSWORD: secrets.token_hex(24),
        APP_PASSWORD: secrets.token_hex(24),
    }


def read_env_file(path: Path) -> dict[str, str]:
    """KEY=VALUE lines of a file; empty when there is none."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def load_secrets(folder: Path) -> dict[str, str]:
    """The installation's secrets: generated on the first start into `secrets.env` (mode 0600), kept ever after.

    A value given by the environment wins and is not written down. Puts all of them into the environment.
    """
    path = folder / "secrets.env"
    with locked(folder / "run" / "secrets.lock"), writing_to(folder):
        known = read_env_file(path)
        missing = {k: v for k, v in _fresh_secrets().items() if k not in known and not os.environ.get(k)}
        if missing:
            known |= missing
            _write_private(path, "".join(f"{key}={value}\n" for key, value in known.items()))
    for key, value in known.items():
        if not os.environ.get(key):
            os.environ[key] = value
    return known


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write("# Made on the first start. Keep it with the database: without it the data cannot be read.\n" + text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def secret_names() -> tuple[str, ...]:
    """The names of all secrets that an installation has."""
    return tuple(_fresh_secrets())
