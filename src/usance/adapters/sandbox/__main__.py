"""`python -m usance.adapters.sandbox --port 8001 --book PATH`: the twins as a process of their own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from usance.adapters.sandbox import callbacks, create_app, orders, twin_of
from usance.adapters.sandbox.in_process import adopt
from usance.adapters.sandbox.twin import Twin, merchants_from

LOOK_EVERY_S = 0.2
SENDERS = 8


class QuietHandler(WSGIRequestHandler):
    """Keeps connections open, and keeps silent: the book notes the calls that matter."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        if type == "error":
            super().log(type, message, *args)


def send_callbacks(twin: Twin, stop: threading.Event) -> None:
    """Until stopped: orders ripen, callbacks go out, several at a time, so that one slow receiver stops nobody."""
    callbacks.take_up_again(twin)
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="callback") as pool:
        while not stop.wait(LOOK_EVERY_S):
            orders.tick(twin)
            for row in callbacks.due(twin):
                pool.submit(callbacks.deliver, twin, row)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m usance.adapters.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--book", type=Path, required=True, help="SQLite file; made when missing")
    parser.add_argument("--merchants", type=Path, help="JSON file with a list of further merchants")
    options = parser.parse_args(arguments)
    more = merchants_from(json.loads(options.merchants.read_text())) if options.merchants else ()
    app = create_app(options.book, merchants=more)
    adopt(options.book)
    try:
        server = make_server(options.host, options.port, app, threaded=True, request_handler=QuietHandler)
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen on {options.host}:{options.port}: {error.strerror}.\n")
        return 1
    except SystemExit:  # the server library's way to say that the port is taken
        return 1
    stop = threading.Event()

    def run_sender() -> None:
        try:
            send_callbacks(twin_of(app), stop)
        finally:  # without callbacks the twin would be half a provider: end, so that the supervisor sees it
            server.shutdown()

    threading.Thread(target=run_sender, name="callbacks", daemon=True).start()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    sys.stdout.write(f"sandbox: http://{options.host}:{server.server_port}/\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
