"""A collector for measurements: takes any POST, keeps the body, answers at once, late or never.

It is a process of its own and does as little as possible while events arrive: no request is looked
into before it is asked to count. Then each event is known by the number that its call has put
into it, so that neither a loss nor a copy goes unnoticed.

    POST /anything          200 `ok`, after the delay; while it hangs, only after the release
    POST /bench/release     ends the hanging
    POST /bench/count       what arrived, as JSON
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from base64 import urlsafe_b64decode
from collections import Counter
from typing import Any, cast

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
EVENT = re.compile(rb'"ue_px": ?"([\w=-]+)"', re.ASCII)  # of the tracker protocol
IN_EVENT = re.compile(rb"order_number\W+(\d+)", re.ASCII)
IN_OTLP = re.compile(rb"order_number (\d+) of", re.ASCII)  # the text of a log record's body


class Receiver:
    """What all connections share.

    Args:
        delay: Seconds before each answer.
        hangs: Whether there is none before the release.
    """

    def __init__(self, delay: float, *, hangs: bool) -> None:
        self.delay = delay
        self.hanging: list[Connection] | None = [] if hangs else None
        self.bodies: list[bytes] = []
        self.bytes = 0
        self.requests = 0
        self._idle = time.process_time()  # what it took to start

    def answer(self, connection: Connection, path: bytes, body: bytes) -> None:
        """Answers a request."""
        if path == b"/bench/release":
            hanging, self.hanging = self.hanging or [], None
            for each in hanging:
                each.write(b"ok")
            connection.write(b"ok")
        elif path == b"/bench/count":
            connection.write(json.dumps(self.count()).encode())
        else:
            self.bodies.append(body)
            self.requests += 1
            if self.hanging is not None:
                self.hanging.append(connection)
            elif self.delay:
                _ = asyncio.get_running_loop().call_later(self.delay, connection.write, b"ok")
            else:
                connection.write(b"ok")

    def count(self) -> dict[str, float]:
        """Returns what ``figures.Arrived`` says."""
        busy = time.process_time() - self._idle
        arrived: Counter[bytes] = Counter()
        for body in self.bodies:
            events = EVENT.findall(body)
            found = [IN_EVENT.search(urlsafe_b64decode(event)) for event in events]
            arrived.update(match[1] for match in found if match)
            arrived.update([] if events else IN_OTLP.findall(body))
        return {
            "events": len(arrived),
            "copies": sum(arrived.values()) - len(arrived),
            "requests": self.requests,
            "bytes": self.bytes,
            "busy": busy,
        }


class Connection(asyncio.Protocol):
    """One connection: requests with a length, one after the other.

    Args:
        receiver: Who answers.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._parts: list[bytes] = []
        self._missing = 0  # bytes of the body that have not come yet
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return
        received = b"".join(self._parts)
        head, found, body = received.partition(HEAD_END)
        if not found:
            self._parts, self._missing = [received], 0
            return
        length = LENGTH.search(head)
        assert length, head
        self._missing = int(length[1]) - len(body)
        if self._missing > 0:
            self._parts = [received]
            return
        self._parts, self._missing = [], 0
        path = head.split(b" ", 2)[1]
        if not path.startswith(b"/bench/"):
            self._receiver.bytes += len(received)
        self._receiver.answer(self, path, body)

    def write(self, text: bytes) -> None:
        """Answers 200 with a text."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(ANSWER % (len(text), text))


async def serve(delay: float, *, hangs: bool) -> None:
    """Serves on a free port of loopback, which it prints, until standard input ends."""
    receiver = Receiver(delay, hangs=hangs)
    loop = asyncio.get_running_loop()
    server: Any = await loop.create_server(lambda: Connection(receiver), "127.0.0.1", 0)
    _ = sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    _ = await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), hangs=sys.argv[2:] == ["hangs"]))
