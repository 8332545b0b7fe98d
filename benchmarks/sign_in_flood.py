"""SEC-07, measured: fifty people sign in at once for 20 s, and whoever reads meanwhile hardly notices.

    .venv/bin/python -m benchmarks.sign_in_flood [--sign-ins 50] [--seconds 20] [--reads 20] [--threads 4]

Real gunicorn, 2 processes, bcrypt at cost 12. Reads come at a steady pace, whether or not earlier ones were answered: first
on the idle service, then during the flood. The exit code is 1 when the reads' p95 is more than three times the idle one, a
read failed, or a sign-in got another answer than 200 or 503.
"""

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from benchmarks.scenarios import PASSWORD
from benchmarks.served import Served, busy, served

TIMES_IDLE = 3.0


def read_steadily(
    service: Served, token: str, a_second: int, seconds: float
) -> tuple[list[float], Counter[int]]:
    """Milliseconds and statuses of reads that are sent at this pace."""
    took: list[float] = []
    answers: Counter[int] = Counter()
    lock = threading.Lock()

    def one() -> None:
        started = time.perf_counter()
        try:
            status = service.ask("GET", "/api/v1/projects?limit=20", token=token)[0]
        except OSError:
            status = 0
        with lock:
            took.append((time.perf_counter() - started) * 1000)
            answers[status] += 1

    began = time.perf_counter()
    with ThreadPoolExecutor(64) as pool:
        for number in range(int(a_second * seconds)):
            time.sleep(max(0.0, began + number / a_second - time.perf_counter()))
            pool.submit(one)
    return took, answers


class Flood:
    """So many people who sign in, and at once again."""

    def __init__(self, service: Served, people: int) -> None:
        self.answers: Counter[int] = Counter()
        self._service = service
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._go_on, args=(number,)) for number in range(1, people + 1)
        ]

    def __enter__(self) -> "Flood":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, number: int) -> None:
        body = {"email": f"user{number}@bench.example", "password": PASSWORD}
        while not self._stop.is_set():
            try:
                status = self._service.ask("POST", "/api/v1/auth/login", body)[0]
            except OSError:
                status = 0
            with self._lock:
                self.answers[status] += 1
            if status == 503:
                # As a client does that heeds Retry-After, which is a second or more.
                self._stop.wait(1)


def show(what: str, took: list[float], answers: Counter[int]) -> float:
    """Print the figures of some reads; the answer is their p95."""
    p95 = statistics.quantiles(took, n=20)[-1]
    print(
        f"{what:24}{len(took):6} reads  median {statistics.median(took):7.1f} ms  p95 {p95:7.1f} ms"
        f"  longest {max(took):7.1f} ms  {dict(answers)}"
    )
    return p95


def main() -> int:
    """The exit code: 0 when reading stays possible."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sign-ins", type=int, default=50, help="at once (50)")
    parser.add_argument("--seconds", type=int, default=20, help="of each part (20)")
    parser.add_argument("--reads", type=int, default=20, help="a second (20)")
    parser.add_argument("--threads", type=int, default=4, help="of each process (4)")
    options = parser.parse_args()
    print(busy())
    with served(options.sign_ins + 1, BCRYPT_COST="12", THREADS=str(options.threads)) as service:
        token = service.sign_in(options.sign_ins + 1)["access_token"]
        read_steadily(service, token, options.reads, 2)
        idle, well = read_steadily(service, token, options.reads, options.seconds)
        with Flood(service, options.sign_ins) as flood:
            flooded, answers = read_steadily(service, token, options.reads, options.seconds)
    first, second = show("idle", idle, well), show("while people sign in", flooded, answers)
    print(f"sign-ins: {dict(flood.answers)}; reads' p95 is {second / first:.1f} times the idle one")
    sound = set(answers) == {200} and set(flood.answers) <= {200, 503}
    return 0 if sound and second <= TIMES_IDLE * first else 1


if __name__ == "__main__":
    sys.exit(main())
