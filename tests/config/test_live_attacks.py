"""What only the real server shows: where a request ends, what it does with a half one, which methods it knows."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.support.site import Site


def spoken(site: Site, request: bytes, *, seconds: float = 5) -> bytes:
    """What the server answers to these very bytes until it closes or says no more."""
    with socket.create_connection(("127.0.0.1", site.web_port), timeout=seconds) as line:
        line.sendall(request)
        answer = b""
        try:
            while part := line.recv(65536):
                answer += part
                if answer.count(b"HTTP/1.1 ") and b"</html>" in answer.lower():
                    line.settimeout(0.5)
        except TimeoutError:
            pass
    return answer


def address(site: Site, path: str) -> str:
    """By the number of this machine: not every system resolves names under `localhost`."""
    return f"http://127.0.0.1:{site.web_port}{path}"


def test_a_request_with_two_lengths_is_not_read_as_two(live_site: Site) -> None:
    """What one server takes for the body another takes for the next request: it must be one, or refused."""
    host = b"Host: vn.localhost:%d\r\n" % live_site.web_port
    hidden = b"GET /staff/ HTTP/1.1\r\n" + host + b"\r\n"
    for lengths in (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (5 + len(hidden)),
        b"Content-Length: 5\r\nContent-Length: %d\r\n" % (5 + len(hidden)),
        b"Content-Length: 5, %d\r\n" % (5 + len(hidden)),
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
    ):
        first = b"POST /sign-in/ HTTP/1.1\r\n" + host + b"Connection: close\r\n" + lengths + b"\r\n0\r\n\r\n" + hidden
        answer = spoken(live_site, first)
        assert answer.count(b"HTTP/1.1 ") <= 1, lengths
        assert b"/staff/sign-in/" not in answer, lengths


def test_headers_cannot_be_smuggled_by_line_ends(live_site: Site) -> None:
    answer = spoken(live_site, b"GET / HTTP/1.1\r\nHost: vn.localhost\r\nX-Bad: a\x00b\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400") or b"\x00" not in answer


def test_the_server_names_no_version_and_every_answer_has_the_policy(live_site: Site) -> None:
    for path in ("/", "/static/dist/manifest.json", "/nothing/", "/health/live"):
        answer = httpx.get(address(live_site, path), headers={"host": f"vn.localhost:{live_site.web_port}"})
        assert "default-src 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not any(mark in answer.headers.get("server", "").lower() for mark in ("granian/", "python", "django"))
    assert httpx.request("TRACE", address(live_site, "/")).status_code == 405


def test_a_body_that_names_no_length_is_not_read_for_ever(live_site: Site) -> None:
    """Chunks without end: nothing of them is kept, and other visitors are served meanwhile."""
    with socket.create_connection(("127.0.0.1", live_site.web_port), timeout=5) as line:
        line.sendall(
            b"POST /sign-in/ HTTP/1.1\r\nHost: vn.localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + b"5\r\nphone\r\n" * 100
        )
        assert httpx.get(address(live_site, "/health/live"), timeout=10).status_code == 200


def test_slow_visitors_do_not_take_the_places_of_others(live_site: Site) -> None:
    """More half requests than the server has threads."""
    half = b"GET / HTTP/1.1\r\nHost: vn.localhost\r\nX-Slow: "
    lines = [socket.create_connection(("127.0.0.1", live_site.web_port), timeout=5) for _ in range(50)]
    try:
        for line in lines:
            line.sendall(half)
        assert httpx.get(address(live_site, "/health/live"), timeout=10).status_code == 200
    finally:
        for line in lines:
            line.close()
