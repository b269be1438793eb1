"""The twins as a process: they start, keep their book, call back over the network, and end when told."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import httpx

from tests.contracts.harness import InProcess, OverHttp, Provider, Receiver, sandbox_process
from usance.adapters import sandbox
from usance.ports.payment_rail import Accepted, OrderKind, PayoutOrder


def test_the_book_outlives_the_process(tmp_path: Path) -> None:
    book, receiver = tmp_path / "deep" / "book.sqlite", Receiver()
    with sandbox_process(book) as (process, address):
        token = Provider(OverHttp(address, receiver), "").linked_card("o-1")
        process.kill()
        process.wait(timeout=10)
    with sandbox_process(book) as (process, address):
        provider = Provider(OverHttp(address, receiver), "")
        assert provider.linked_card("o-2") == token
        assert isinstance(provider.rail().status(order_id="o-1", kind=OrderKind.LINK_CARD), Accepted)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    receiver.close()


def test_a_refused_callback_comes_again_over_the_network(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.refuse_first = 1
    with sandbox_process(tmp_path / "book") as (_, address):
        reach = OverHttp(address, receiver)
        provider = Provider(reach, "")
        provider.reset()
        provider.linked_card("o-1")
        came = reach.callbacks("o-1", 3)
    receiver.close()
    assert len(came) == 3  # approved, refused; released; approved again
    assert len({callback.body for callback in came}) == 2


def test_many_at_once(tmp_path: Path) -> None:
    """Parallel requests, some of which hang, keep nobody else waiting and mix nothing up."""
    receiver = Receiver()
    with sandbox_process(tmp_path / "book") as (_, address):
        provider = Provider(OverHttp(address, receiver), "")
        provider.reset()
        token = provider.linked_card("card")
        provider.dial(operation="p2pcredit", kind="timeout_after", share=20)
        rail, started = provider.rail(read_timeout_s=5), threading.Barrier(8)

        def send(number: int) -> object:
            if number < 8:
                started.wait(timeout=10)
            order = PayoutOrder(
                order_id=f"p-{number}", amount_minor=1000 + number, currency="UAH", description="x", token=token
            )
            return rail.payout_to_card(order)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, range(40)))
        for number in range(40):
            answer = rail.status(order_id=f"p-{number}", kind=OrderKind.PAYOUT)
            assert isinstance(answer, Accepted)
            assert answer.amount_minor == 1000 + number
    receiver.close()


def test_a_taken_port_is_said_plainly(tmp_path: Path) -> None:
    with sandbox_process(tmp_path / "one") as (process, address):
        port = str(httpx.URL(address).port)
        command = [sys.executable, "-m", "usance.adapters.sandbox", "--port", port, "--book", str(tmp_path / "two")]
        second = subprocess.run(command, capture_output=True, text=True, cwd=_source(), timeout=20)
        assert second.returncode == 1
        assert "in use" in second.stderr
        assert "Traceback" not in second.stderr
        assert process.poll() is None


def _source() -> Path:
    return Path(sandbox.__file__).resolve().parents[3]


def test_in_process_and_process_share_one_book(tmp_path: Path) -> None:
    """A simulation fills the book in-process; the process that serves it knows the same cards and orders."""
    book, receiver = tmp_path / "book.sqlite", Receiver()
    twin = sandbox.create_app(book)
    day = date(2026, 3, 2)
    made = [sandbox.new_card(twin, merchant_id="1396424", on=day) for _ in range(3)]
    assert len({card.token for card in made}) == 3
    inside = Provider(InProcess(twin), "")
    with sandbox_process(book) as (_, address):
        outside = Provider(OverHttp(address, receiver), "")
        for number, provider in enumerate([inside, outside] * 10):
            order = PayoutOrder(
                order_id=f"p-{number}", amount_minor=5, currency="UAH", description="x", token=str(made[0].token)
            )
            assert isinstance(provider.rail().payout_to_card(order), Accepted)
            other = outside if provider is inside else inside
            assert isinstance(other.rail().status(order_id=order.order_id, kind=OrderKind.PAYOUT), Accepted)
    receiver.close()
