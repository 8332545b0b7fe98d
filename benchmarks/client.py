"""A small load generator, for machines without `wrk`: one thread, many connections that are kept open.

It takes more of the processor than wrk does, so its figures are lower: compare them with its own only.
"""

import random
import selectors
import socket
import time

from benchmarks.reading import Reading
from benchmarks.scenarios import Scenario

TIMEOUT = 15.0
OK, REFUSED, BUSY = 200, 400, 503


class Connection:
    """One connection with at most one request under way.

    Attributes:
        due: when the next request may go, for one that was told to come again later.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""
        self.began = 0.0
        self.due = 0.0

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
        # 304 tells the length that the content would have (RFC 9110, section 8.6).
        length = 0 if head[9:12] == b"304" else _number(head, b"content-length")
        return int(head[9:12]) if len(body) >= length else None

    def retry_after(self) -> int:
        """Seconds that the last answer asks to wait."""
        return _number(self.kept.partition(b"\r\n\r\n")[0], b"retry-after")


class Run:
    """Requests chosen at random over connections that stay open.

    Args:
        port: on this machine.
        scenario: what to send.
    """

    def __init__(self, port: int, scenario: Scenario) -> None:
        self._port = port
        self._scenario = scenario
        self._chosen = random.Random(11)
        self._selector = selectors.DefaultSelector()
        self._waiting: list[Connection] = []
        self._number = 0
        self._latencies: list[float] = []
        self._errors = self._busy = 0

    def go(self, seconds: float) -> Reading:
        """Send for so many seconds."""
        with self._selector:
            began = time.perf_counter()
            for _ in range(self._scenario.connections):
                self._next(self._opened())
            while (now := time.perf_counter()) < began + seconds:
                soonest = min((each.due for each in self._waiting), default=began + seconds)
                for key, _ in self._selector.select(timeout=max(0.0, min(soonest, began + seconds) - now)):
                    self._answered(key.data)
                for each in [each for each in self._waiting if each.due <= time.perf_counter()]:
                    self._waiting.remove(each)
                    self._next(each)
            took = time.perf_counter() - began
            for key in list(self._selector.get_map().values()):
                key.data.socket.close()
        ordered = sorted(self._latencies) or [0.0]
        p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.99))
        answered = len(self._latencies) - self._errors - self._busy
        return Reading(answered, self._errors, took, p50, p99, self._busy)

    def _opened(self) -> Connection:
        connection = Connection(self._port)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def _next(self, connection: Connection) -> None:
        self._number += 1
        connection.send(numbered(self._chosen.choice(self._scenario.requests), self._number))

    def _answered(self, connection: Connection) -> None:
        status = connection.receive()
        if status is None:
            return
        self._latencies.append(time.perf_counter() - connection.began)
        busy = self._scenario.polite and status == BUSY
        self._busy += busy
        self._errors += not busy and not OK <= status < REFUSED
        if status == 0:
            self._selector.unregister(connection.socket)
            connection.socket.close()
            connection = self._opened()
        if busy:
            connection.due = time.perf_counter() + connection.retry_after()
            self._waiting.append(connection)
        else:
            self._next(connection)


def run(port: int, scenario: Scenario, seconds: float) -> Reading:
    """Put the scenario's load on the port for so many seconds."""
    return Run(port, scenario).go(seconds)


def numbered(data: bytes, number: int) -> bytes:
    """The request with its placeholder filled in, so that no two writes are the same."""
    return data.replace(b"########", b"%08d" % number, 1)


def _number(head: bytes, name: bytes) -> int:
    """The number in a header, 0 where there is none."""
    lines = head.lower().split(b"\r\n")
    return next((int(line.partition(b":")[2]) for line in lines if line.startswith(name + b":")), 0)
