"""What stops the operator: one clear sentence, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Obstacle(Exception):
    """Something outside the program is in the way; a person must act. Never a defect of ours.

    `fact` is one sentence that says what is wrong, `remedy` one that says what to do.
    """

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(f"{fact} {remedy}")
        self.fact = fact
        self.remedy = remedy


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write under `path` into Obstacles."""
    try:
        yield
    except OSError as error:
        raise explained(error, path) from error


def explained(error: OSError, path: Path) -> Exception:
    """The Obstacle behind an OSError, or the error itself when it is none that we know."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Obstacle(
            f"The folder {path} cannot be written.",
            "Give yourself write permission there, or set USANCE_HOME to a folder that you own.",
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Obstacle(f"The disk that holds {path} is full.", "Free some space (1 GB is enough) and start again.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Obstacle(f"The folder {path} cannot be made.", "Set USANCE_HOME to a folder that can be made.")
    return error
