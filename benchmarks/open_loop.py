"""Sends requests that are bytes already, over kept connections, from one thread: as fast as answers come, or faster than that.

In a closed loop each connection asks again when it was answered, so a slow service is asked less. In an open loop requests
begin when their time has come, whatever became of those before: that is what a crowd does to a service.
"""

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

TICK = 0.002
LAST_ANSWERS = 60.0
"""Seconds that answers are waited for when no more requests begin."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *\d", re.IGNORECASE)


@dataclass
class Tally:
    """What became of requests.

    Attributes:
        offered: all whose time came.
        lost: those of them that found no connection.
        good: milliseconds of each answer 2xx.
        in_time: how many of these came before the last request began.
        statuses: of all answers.
        bare: answers 503 that do not say when to try again.
        failed: connections that ended, or gave no answer.
        seconds: from the first request to the last.
        ended: when the last began, by ``time.monotonic``.
        cpu: seconds of processor time that sending took.
    """

    offered: int = 0
    lost: int = 0
    good: list[float] = field(default_factory=list)
    in_time: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    bare: int = 0
    failed: int = 0
    seconds: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.in_time / self.seconds if self.seconds else 0.0

    def part(self, share: float) -> float:
        """Milliseconds within which this share of the good answers came."""
        return sorted(self.good)[int(len(self.good) * share)] if self.good else 0.0


class Link:
    """A connection, and what has come of the answer that it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.began = 0.0
        self._came, self._needed = b"", 0

    def ask(self, request: bytes) -> None:
        self._came, self._needed, self.began = b"", 0, time.perf_counter()
        self.socket.send(request)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and head; None as long as something is missing.

        Raises:
            OSError: the connection ended.
        """
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("It was closed before the answer.")
        self._came += data
        head, end, _ = self._came.partition(b"\r\n\r\n")
        if not end:
            return None
        length = _LENGTH.search(head)
        if len(self._came) < len(head) + 4 + (int(length[1]) if length else 0):
            return None
        return int(head[9:12]), head


class Sender:
    """One thread with many connections.

    Args:
        port: on loopback.
        requests: sent in turns.
        most: connections at most.
    """

    def __init__(self, port: int, requests: Sequence[bytes], most: int) -> None:
        self._port, self._requests, self._most = port, cycle(requests), most
        self._selector = selectors.DefaultSelector()
        self._free: list[Link] = []
        self._busy: set[Link] = set()
        self.tally = Tally()

    def closed(self, seconds: float) -> Tally:
        """Every connection asks again as soon as it was answered."""
        return self._run(seconds, lambda _: self._most - len(self._busy))

    def open(self, seconds: float, rate: float) -> Tally:
        """So many requests a second begin, whatever becomes of them."""
        return self._run(seconds, lambda since: int(since * rate) - self.tally.offered)

    def _run(self, seconds: float, due: Callable[[float], int]) -> Tally:
        cpu, began, since = time.process_time(), time.perf_counter(), 0.0
        while since < seconds:
            for _ in range(due(since)):
                self._offer(next(self._requests))
            self._receive()
            since = time.perf_counter() - began
        tally = self.tally
        tally.ended, tally.seconds, tally.cpu = time.monotonic(), since, time.process_time() - cpu
        tally.in_time = len(tally.good)
        self._rest()
        return tally

    def _offer(self, request: bytes) -> None:
        self.tally.offered += 1
        if not self._free and len(self._busy) < self._most:
            link = Link(self._port)
            self._selector.register(link.socket, selectors.EVENT_READ, link)
            self._free.append(link)
        if not self._free:
            self.tally.lost += 1
            return
        link = self._free.pop()
        self._busy.add(link)
        try:
            link.ask(request)
        except OSError:
            self._give_up(link)

    def _receive(self) -> None:
        for key, _ in self._selector.select(TICK):
            link: Link = key.data
            try:
                answer = link.answer()
            except OSError:
                self._give_up(link)
                continue
            if answer is not None:
                self._count(*answer, (time.perf_counter() - link.began) * 1000)
                self._busy.discard(link)
                self._free.append(link)

    def _count(self, status: int, head: bytes, taken: float) -> None:
        self.tally.statuses[status] += 1
        if 200 <= status < 300:
            self.tally.good.append(taken)
        elif status == 503 and not _RETRY.search(head):
            self.tally.bare += 1

    def _give_up(self, link: Link) -> None:
        self.tally.failed += link in self._busy
        self._busy.discard(link)
        if link in self._free:
            self._free.remove(link)
        self._selector.unregister(link.socket)
        link.socket.close()

    def _rest(self) -> None:
        """Take the answers to what was begun: nobody takes back what he asked."""
        until = time.perf_counter() + LAST_ANSWERS
        while self._busy and time.perf_counter() < until:
            self._receive()
        for link in (*self._busy, *self._free):
            self._give_up(link)
        self._selector.close()
