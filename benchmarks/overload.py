"""Three times the load that the service can bear: it goes on to serve most of what it could, and says the rest that it is busy.

    .venv/bin/python -m benchmarks.overload [--seconds 10] [--turns 3] [--times 3] [--connections 900]

Real gunicorn, two processes. Sixteen accounts read a project, list and patch; limits are counted and out of reach. First sixteen
connections ask as fast as they are answered: the peak. Then requests begin at three times that rate, whatever became of those
before (benchmarks/open_loop.py); who finds no connection free, and none may be opened, is lost. Both take turns, since others
use the machine too. Meanwhile somebody asks for /livez and somebody reads, each time on a new connection. Printed are answers by
kind, latencies, and how long after the load the reader is served as before. The exit code is 1 when good answers fall under
80 % of the peaks around them (the median of the turns), when /livez fails once, when anything but 2xx and 503 with
`Retry-After` is answered, or when it is not over within ten seconds.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from statistics import median

from benchmarks.open_loop import Sender, Tally
from benchmarks.served import Served, busy, served

ACCOUNTS, PEAK_CONNECTIONS = 16, 16
LEAST, CALM_MS, CALM_COUNT, CALM_SECONDS = 0.8, 50.0, 20, 10.0


@dataclass(frozen=True)
class Sight:
    """What one request of somebody outside the load met: when it began, milliseconds, status."""

    began: float
    taken: float
    status: int


class Watcher:
    """Somebody who asks for the same again and again, each time on a new connection.

    Args:
        pause: seconds between two requests.
    """

    def __init__(self, service: Served, path: str, token: str | None, pause: float) -> None:
        self.sights: list[Sight] = []
        self._ask = partial(service.ask, "GET", path, token=token)
        self._pause, self._over = pause, threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(self._pause):
            began = time.monotonic()
            try:
                status = self._ask()[0]
            except OSError:
                status = 0
            self.sights.append(Sight(began, (time.monotonic() - began) * 1000, status))


def p95(sights: Sequence[Sight]) -> float:
    return sorted(sight.taken for sight in sights)[int(len(sights) * 0.95)]


def calm_after(sights: Sequence[Sight], end: float, within: float) -> float | None:
    """Seconds from then to the first of many answers in a row that all are good, and in time but for one in twenty."""
    later = [sight for sight in sights if sight.began >= end]
    for first in range(len(later) - CALM_COUNT + 1):
        some = later[first : first + CALM_COUNT]
        if sum(sight.taken > within for sight in some) <= CALM_COUNT * 0.05 and all(
            sight.status == 200 for sight in some
        ):
            return some[0].began - end
    return None


def requests_of(service: Served) -> list[bytes]:
    """Sixteen reads, three lists and a patch of each account, mixed."""
    found = []
    for number in range(1, ACCOUNTS + 1):
        token = service.sign_in(number)["access_token"]
        status, page = service.ask("GET", "/api/v1/projects?limit=5", token=token)
        if status != 200:
            raise SystemExit(f"the list answered {status}: {page}")
        ones = [f"/api/v1/projects/{item['id']}" for item in page["items"]]
        found += [_request("GET", ones[turn % len(ones)], token) for turn in range(16)]
        found += [_request("GET", "/api/v1/projects?limit=20", token)] * 3
        found.append(_request("PATCH", ones[0], token, {"description": f"Changed by {number}"}))
    random.Random(7).shuffle(found)
    return found


def _request(method: str, path: str, token: str, body: dict[str, str] | None = None) -> bytes:
    content = json.dumps(body).encode() if body else b""
    more = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
    return head.encode() + content


def peak_of(port: int, requests: Sequence[bytes], seconds: float) -> Tally:
    """Runs in a process of its own, as the next does: the interpreter of who watches is no part of the load."""
    return Sender(port, requests, PEAK_CONNECTIONS).closed(seconds)


def flood_of(port: int, requests: Sequence[bytes], seconds: float, most: int, rate: float) -> Tally:
    return Sender(port, requests, most).open(seconds, rate)


def line(name: str, tally: Tally) -> str:
    good = len(tally.good)
    return (
        f"  {name:11}{tally.offered / tally.seconds:9.0f}{tally.rate:9.0f}{tally.offered:9}{tally.lost:9}{good:8}"
        f"{tally.statuses[503]:8}{tally.failed:8}{tally.part(0.5):8.0f}{tally.part(0.99):8.0f}{tally.cpu / tally.seconds:8.0%}"
    )


def ratio_of(peaks: Sequence[Tally], floods: Sequence[Tally]) -> float:
    """The median of the turns, each against the peaks before and after it: what else runs on the machine comes and goes."""
    around = [(one.rate + other.rate) / 2 for one, other in pairwise(peaks)]
    return median(flood.rate / peak for flood, peak in zip(floods, around, strict=True))


def judged(
    peaks: Sequence[Tally], floods: Sequence[Tally], lives: Sequence[Sight], calm: float | None
) -> list[str]:
    """What is not as it should be."""
    ratio = ratio_of(peaks, floods)
    others = {
        status: number
        for tally in (*peaks, *floods)
        for status, number in tally.statuses.items()
        if not 200 <= status < 300 and status != 503
    }
    dead = [sight for sight in lives if sight.status != 200]
    faults = [f"good answers fell to {ratio:.0%} of the peak"] if ratio < LEAST else []
    faults += [f"{number} answers {status}" for status, number in others.items()]
    if bare := sum(tally.bare for tally in (*peaks, *floods)):
        faults.append(f"{bare} answers 503 without Retry-After")
    if failed := sum(tally.failed for tally in (*peaks, *floods)):
        faults.append(f"{failed} requests failed")
    if dead or not lives:
        faults.append(f"/livez failed {len(dead)} of {len(lives)} times")
    if calm is None or calm > CALM_SECONDS:
        faults.append(f"not as before {CALM_SECONDS:.0f} s after the load")
    return faults


def main() -> int:
    """The exit code: 0 when more load than can be borne costs little of what can."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each overload (10)")
    parser.add_argument("--turns", type=int, default=3, help="of peak and overload (3)")
    parser.add_argument("--times", type=float, default=3, help="the peak (3)")
    parser.add_argument(
        "--connections",
        type=int,
        default=900,
        help="at most (900); a process of gunicorn takes a thousand",
    )
    parser.add_argument("--nice", type=int, default=0, help="of the process that sends (0)")
    options = parser.parse_args()
    print(busy())
    with (
        served(ACCOUNTS + 1, BCRYPT_COST="10") as service,
        ProcessPoolExecutor(1, get_context("spawn"), os.nice, (options.nice,)) as sender,
    ):
        requests = requests_of(service)
        reader = service.sign_in(ACCOUNTS + 1)["access_token"]
        sender.submit(peak_of, service.port, requests, 3).result()
        lives = Watcher(service, "/livez", None, 0.1)
        reads = Watcher(service, "/api/v1/projects?limit=1", reader, 0.02)
        try:
            time.sleep(3)
            before = p95(reads.sights)
            half = options.seconds / 2
            peaks, floods = [sender.submit(peak_of, service.port, requests, half).result()], list[Tally]()
            for _ in range(options.turns):
                rate = options.times * peaks[-1].rate
                flood = (service.port, requests, options.seconds, options.connections, rate)
                floods.append(sender.submit(flood_of, *flood).result())
                peaks.append(sender.submit(peak_of, service.port, requests, half).result())
            time.sleep(CALM_COUNT / 10)
        finally:
            lives.close()
            reads.close()
    during = [
        sight
        for flood in floods
        for sight in lives.sights
        if flood.ended - flood.seconds <= sight.began <= flood.ended
    ]
    found = [calm_after(reads.sights, flood.ended, before + CALM_MS) for flood in floods]
    calm = None if None in found else max(each for each in found if each is not None)
    print(f"  {'':11}{'asked/s':>9}{'good/s':>9}{'offered':>9}{'lost':>9}{'2xx':>8}{'503':>8}{'failed':>8}{'p50 ms':>8}{'p99':>8}{'sender':>8}")  # fmt: skip
    print(line("peak", peaks[0]))
    for flood, peak in zip(floods, peaks[1:], strict=True):
        print(line("overload", flood), line("peak", peak), sep="\n")
    slowest = max((sight.taken for sight in during), default=0.0)
    print(
        f"  /livez: {len(during)} times, p95 {p95(during) if during else 0:.0f} ms, slowest {slowest:.0f} ms"
    )
    print(f"  good answers: {ratio_of(peaks, floods):.0%} of the peak; the reader's p95 was {before:.0f} ms, and is again ", end="")  # fmt: skip
    print("not so" if calm is None else f"{calm:.1f} s after the load")
    faults = judged(peaks, floods, during, calm)
    print(
        "\n".join(faults)
        or f"At {options.times:.0f} times the load good answers stay over {LEAST:.0%} of the peak."
    )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
