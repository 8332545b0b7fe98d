"""Redis that accepts and never answers (D6): what the first answers cost, and those after them.

    .venv/bin/python -m benchmarks.black_hole [--seconds 15] [--pause 20]

Real gunicorn, two processes, which reach Valkey through a proxy. One client reads a project, lists and patches in turns, first with
Valkey at work, then after the proxy stopped handing anything on: connections stay open and new ones are taken. Each process
finds out for itself, so the first answer of each is among the first twenty. Printed are medians and p95; the exit code is 1 when the
slowest of the first twenty takes over 300 ms more than the median before, when p95 afterwards is over 50 ms above p95 before, or
when an answer was wrong. Last, the proxy hands on again, and the time until all is as before is printed.
"""

import argparse
import contextlib
import selectors
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit, urlunsplit

from benchmarks.served import Served, busy, served
from dev.engines import engines_for_tests

FIRST, MORE_MS, P95_MS = 20, 300.0, 50.0


class Proxy:
    """Hands bytes on between clients and a server, until it swallows all that comes.

    Args:
        url: of the server.

    Attributes:
        url: the same, by way of this.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._listener = socket.create_server(("127.0.0.1", 0))
        place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(
            parts._replace(netloc="@".join(filter(None, (parts.netloc.rpartition("@")[0], place))))
        )
        self._others: dict[socket.socket, socket.socket] = {}
        self._selector, self._swallows, self._over = selectors.DefaultSelector(), False, False
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def swallow(self, yes: bool) -> None:
        """Whether nothing is handed on; connections from before a change of mind stay mute, as after a real one."""
        self._swallows = yes

    def close(self) -> None:
        self._over = True
        self._thread.join()
        for each in (self._listener, *self._others):
            each.close()
        self._selector.close()

    def _work(self) -> None:
        while not self._over:
            for key, _ in self._selector.select(timeout=0.1):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._hand_on(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._server)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._others[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _hand_on(self, one: socket.socket) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = one.recv(65_536)
            if data and not self._swallows:
                self._others[one].sendall(data)
        if not data:
            self._selector.unregister(one)
            with contextlib.suppress(OSError):
                self._others[one].shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Phase:
    """Milliseconds of each answer, in order, and how many were not as they should be."""

    taken: list[float]
    wrong: int

    @property
    def p95(self) -> float:
        return sorted(self.taken)[int(len(self.taken) * 0.95)]

    def line(self, name: str) -> str:
        return f"  {name:28}{len(self.taken):6}{median(self.taken):9.1f}{self.p95:9.1f}{max(self.taken):9.1f}{self.wrong:7}"


class Client:
    """Somebody with a project."""

    def __init__(self, service: Served) -> None:
        self._service = service
        self._token = service.sign_in(1)["access_token"]
        status, page = service.ask("GET", "/api/v1/projects?limit=1", token=self._token)
        if status != 200:
            raise SystemExit(f"the list answered {status}: {page}")
        one = f"/api/v1/projects/{page['items'][0]['id']}"
        self._deeds = [
            ("GET", one, None),
            ("GET", "/api/v1/projects?limit=20", None),
            ("PATCH", one, {"name": "Renamed"}),
        ]

    def ask(self, number: int) -> tuple[float, bool]:
        """Milliseconds of the answer, and whether it was 200."""
        method, path, body = self._deeds[number % len(self._deeds)]
        began = time.perf_counter()
        status, _ = self._service.ask(method, path, body, self._token)
        return (time.perf_counter() - began) * 1000, status == 200

    def phase(self, seconds: float, pause: float) -> Phase:
        found = list(self._answers(seconds, pause))
        return Phase([taken for taken, _ in found], sum(not right for _, right in found))

    def _answers(self, seconds: float, pause: float) -> Iterator[tuple[float, bool]]:
        end, number = time.monotonic() + seconds, 0
        while number < FIRST or time.monotonic() < end:
            yield self.ask(number)
            number += 1
            time.sleep(pause)


def judged(idle: Phase, first: Phase, later: Phase) -> list[str]:
    """What is over the aims."""
    slowest, allowed = max(first.taken), median(idle.taken) + MORE_MS
    faults = (
        [f"one of the first answers took {slowest:.0f} ms, more than {allowed:.0f}"]
        if slowest > allowed
        else []
    )
    if later.p95 > idle.p95 + P95_MS:
        faults.append(f"p95 after them is {later.p95:.0f} ms, more than {idle.p95 + P95_MS:.0f}")
    wrong = idle.wrong + first.wrong + later.wrong
    return [*faults, f"{wrong} answers were not 200"] if wrong else faults


def until_settled(client: Client, idle: Phase) -> float:
    """Seconds until ten answers in a row are as fast as they were; at most 60."""
    began, fast, number = time.monotonic(), 0, 0
    while fast < 10 and time.monotonic() < began + 60:
        taken, _ = client.ask(number)
        fast = fast + 1 if taken <= idle.p95 + P95_MS else 0
        number += 1
        time.sleep(0.1)
    return time.monotonic() - began


def main() -> int:
    """The exit code: 0 when a mute Redis costs no more than D6 allows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15, help="of each phase (15)")
    parser.add_argument("--pause", type=float, default=20, help="milliseconds between two requests (20)")
    options = parser.parse_args()
    pause = options.pause / 1000
    print(busy())
    with engines_for_tests() as engines, contextlib.closing(Proxy(engines.redis_database(0))) as proxy:
        with served(3, REDIS_URL=proxy.url, BCRYPT_COST="10") as service:
            client = Client(service)
            client.phase(1, 0)
            idle = client.phase(options.seconds, pause)
            proxy.swallow(True)
            first = client.phase(0, 0)
            later = client.phase(options.seconds, pause)
            proxy.swallow(False)
            back = until_settled(client, idle)
        print(f"  {'ms an answer':28}{'n':>6}{'median':>9}{'p95':>9}{'worst':>9}{'wrong':>7}")
        print(
            "\n".join(
                (idle.line("Valkey answers"), first.line("mute: the first"), later.line("mute: after them"))
            )
        )
        print(f"  as fast as before {back:.1f} s after Valkey answered again")
    faults = judged(idle, first, later)
    print(
        "\n".join(faults)
        or f"A mute Redis costs under {MORE_MS:.0f} ms once a process, and p95 under {P95_MS:.0f} ms after that."
    )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
