"""Each contract test runs against every adapter of the port, in-process and over real HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.harness import InProcess, OverHttp, Provider, Receiver, sandbox_process


@pytest.fixture(scope="session")
def sandbox_over_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Receiver]]:
    receiver = Receiver()
    with sandbox_process(tmp_path_factory.mktemp("sandbox") / "book.sqlite") as (_, address):
        yield address, receiver
    receiver.close()


@pytest.fixture(params=["in process", "over http"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """The sandbox of Fondy and eSputnik, all dials at rest."""
    if request.param == "in process":
        made = Provider(InProcess(), request.param)
    else:
        address, receiver = request.getfixturevalue("sandbox_over_http")
        receiver.came.clear()
        receiver.refuse_first = 0
        made = Provider(OverHttp(address, receiver), request.param)
    made.reset()
    yield made
    made.reset()


@pytest.fixture
def new_id() -> Any:
    """Makes order ids that nobody used before."""
    return lambda prefix="o": f"{prefix}-{uuid.uuid4().hex[:12]}"
