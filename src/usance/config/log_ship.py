"""Sending the log lines to another system as they happen, so that whoever breaks into this one cannot take them back:
one JSON object a line over TLS, the collector's certificate checked (USANCE_LOG_COLLECTOR=host:port).

A collector that does not answer never stops a page: lines wait in memory, new ones are dropped when too many wait, and
the next line that gets through says how many. They are on standard error all the while.
"""

from __future__ import annotations

import atexit
import json
import logging
import queue
import socket
import ssl
import threading
import time

MOST_WAITING = 10_000
CONNECT_S = 5.0
PAUSES_S = (0.5, 1, 2, 5, 15)


class Shipper(logging.Handler):
    """Gives each formatted line to a thread, which sends it."""

    def __init__(self, address: str, *, authority: str = "") -> None:
        super().__init__()
        host, _, port = address.rpartition(":")
        self.host, self.port = host, int(port)
        self.context = ssl.create_default_context(cafile=authority or None)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._line: ssl.SSLSocket | None = None
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self._dropped += 1
        with self._start:  # in the process that logs: a thread does not survive a fork
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._send_all, name="log-shipper", daemon=True)
                self._thread.start()
                atexit.register(self.drain, 2.0)

    def drain(self, seconds: float) -> None:
        """Waits until everything is sent, or for so long."""
        until = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.02)

    def _send_all(self) -> None:
        while True:
            text = self._waiting.get()
            self._send(text)
            self._waiting.task_done()

    def _send(self, text: str) -> None:
        """Until it is sent: a connection that fell is opened anew, later each time."""
        for tries in range(1_000_000):
            try:
                if self._line is None:
                    self._line = self._connect()
                if self._dropped:
                    lost, self._dropped = self._dropped, 0
                    self._line.sendall(json.dumps({"event": "log.lines_dropped", "count": lost}).encode() + b"\n")
                self._line.sendall(text.encode() + b"\n")
            except OSError:
                self._line = None
                time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            else:
                return

    def _connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self.host, self.port), timeout=CONNECT_S)
        return self.context.wrap_socket(plain, server_hostname=self.host)
