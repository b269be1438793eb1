"""The key of a demo's seal: several processes of a first start may want it at the same time."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from cryptography.hazmat.primitives import serialization

from usance.apps.agreements import sealing


def test_of_several_that_make_the_key_at_once_one_is_right_and_nobody_fails(tmp_path: Path) -> None:
    path, together = tmp_path / "made" / "seal.pem", Barrier(8)

    def make(_: int) -> bytes:
        together.wait(timeout=60)
        sealing.make_demo_key(path)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(make, range(8)))
    assert seen == {path.read_bytes()}
    assert serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["seal.pem"]
