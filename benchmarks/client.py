"""A small load generator, for machines without `wrk`: one thread, many connections that are kept open.

It takes more of the processor than wrk does, so its figures are lower: compare them with its own only.
"""

import random
import selectors
import socket
import time
from collections.abc import Sequence

from benchmarks.reading import Reading

TIMEOUT = 15.0


class Connection:
    """One connection that always has one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""
        self.began = 0.0

    def send(self, data: bytes) -> None:
        self.kept, self.began = b"", time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> int | None:
        """The status once the answer is whole, 0 when the connection ended, else None."""
        data = self.socket.recv(65536)
        if not data:
            return 0
        self.kept += data
        head, separator, body = self.kept.partition(b"\r\n\r\n")
        if not separator:
            return None
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        wanted = int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        return int(head[9:12]) if len(body) >= wanted else None


def run(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Reading:
    """Send requests, each a whole one as bytes, chosen at random, for so many seconds."""
    latencies: list[float] = []
    errors, number, chosen = 0, 0, random.Random(11)
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        began = time.perf_counter()
        end = began + seconds
        for key in list(selector.get_map().values()):
            number += 1
            key.data.send(numbered(chosen.choice(requests), number))
        while (now := time.perf_counter()) < end:
            ready = selector.select(timeout=end - now)
            for key, _ in ready:
                connection = key.data
                status = connection.receive()
                if status is None:
                    continue
                latencies.append(time.perf_counter() - connection.began)
                errors += not 200 <= status < 400
                if status == 0:
                    selector.unregister(connection.socket)
                    connection.socket.close()
                    connection = Connection(port)
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                number += 1
                connection.send(numbered(chosen.choice(requests), number))
        took = time.perf_counter() - began
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    ordered = sorted(latencies) or [0.0]
    return Reading(len(latencies) - errors, errors, took, _at(ordered, 0.5) * 1000, _at(ordered, 0.99) * 1000)


def numbered(data: bytes, number: int) -> bytes:
    """The request with its placeholder filled in, so that no two writes are the same."""
    return data.replace(b"########", b"%08d" % number, 1)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
