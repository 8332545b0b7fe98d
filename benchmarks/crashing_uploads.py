"""Uploads while everything is killed: what was acknowledged is there whole, and nothing else is.

    .venv/bin/python -m benchmarks.crashing_uploads [--uploads 500] [--clients 8] [--seed 1]

Real gunicorn with two processes, a real worker, objects in a folder. Eight clients upload pictures and texts, by form (with an
Idempotency-Key) and by tus, and go on after every broken connection. Meanwhile one of API process, API master and worker is
killed (SIGKILL) at random moments. At the end the clock is moved on, the worker sweeps, and ``flask storage verify`` reads every
object. The exit code is 1 when an object is missing, damaged or left over, when an acknowledged file is not there, when what a
project holds is not the sum of its files, or when a file is stuck.
"""

import argparse
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import psycopg2

from benchmarks.served import ROOT, Served, busy, served
from benchmarks.uploading import Sender, make_content
from dev.roles import plain_url

PROJECTS = 4
PATIENCE = 180
LEFT = {
    "files that wait for the worker": "SELECT count(*) FROM files WHERE state = 'processing'",
    "uploads under way": "SELECT count(*) FROM uploads WHERE file_id IS NULL",
    "objects to be swept": "SELECT count(*) FROM doomed_objects",
    "bytes of room that are not those of the files": "SELECT coalesce(sum(abs(s.bytes - coalesce(f.bytes, 0)) + s.reserved), 0)"
    " FROM project_storage s LEFT JOIN (SELECT project_id, sum(size) AS bytes FROM files GROUP BY 1) f USING (project_id)",
}


class Killer:
    """Kills at random, and starts again what nobody else would."""

    def __init__(self, service: Served, rng: random.Random) -> None:
        self.killed: Counter[str] = Counter()
        self._service = service
        self._rng = rng
        self._stop = threading.Event()
        self._worker = self._start_worker()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def end(self) -> None:
        self._worker.terminate()
        self._worker.wait(60)

    def _go_on(self) -> None:
        while not self._stop.wait(self._rng.uniform(0.2, 1.5)):
            what = self._rng.choices(("process", "worker", "master"), (5, 3, 1))[0]
            if what == "worker":
                self._worker.kill()
                self._worker.wait()
                self._worker = self._start_worker()
            elif what == "master":
                self._service.crash()
                self._service.start()
            else:
                with suppress(ProcessLookupError, IndexError):
                    self._service.kill_one(self._rng.choice(sorted(self._service.workers())))
            self.killed[what] += 1

    def _start_worker(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "flask", "worker"], env=self._service.env, cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--uploads", type=int, default=500)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--seed", type=int, default=1)
    wanted = arguments.parse_args()
    print(busy())
    with served(PROJECTS) as service:
        rng = random.Random(wanted.seed)
        senders = [Sender(service, number % PROJECTS + 1) for number in range(wanted.clients)]
        started = time.perf_counter()
        with Killer(service, rng) as killer, ThreadPoolExecutor(wanted.clients) as pool:
            numbers = range(wanted.uploads)
            list(pool.map(lambda n: senders[n % wanted.clients].send(*make_content(n, wanted.seed)), numbers))
        acknowledged = {file: sha for sender in senders for file, sha in sender.acknowledged.items()}
        print(
            f"{len(acknowledged)} of {wanted.uploads} uploads acknowledged in {time.perf_counter() - started:.0f} s,"
            f" {sum(sender.broken for sender in senders)} requests broken off;"
            f" killed: {', '.join(f'{count} x {what}' for what, count in killer.killed.items())}"
        )
        try:
            return _judge(service, acknowledged, wanted.uploads)
        finally:
            killer.end()


def _judge(service: Served, acknowledged: dict[str, str], wanted: int) -> int:
    owner = psycopg2.connect(plain_url(service.env["MIGRATION_DATABASE_URL"]))
    with closing(owner):
        owner.autocommit = True
        # What a killed worker left is begun anew after an hour; an upload of which a client knows nothing ends after a day.
        for hours, awaited in ((3, ["files that wait for the worker"]), (30, list(LEFT))):
            service.ask("POST", "/dev/clock", {"advance_seconds": hours * 3600})
            left = _wait(owner, awaited)
        there = {row[0]: row[1] for row in _rows(owner, "SELECT id::text, encode(sha256, 'hex') FROM files")}
        states = _rows(owner, "SELECT state, count(*) FROM files GROUP BY 1 ORDER BY 1")
    lost = [file for file, sha in acknowledged.items() if there.get(file) != sha]
    print(f"files: {len(there)}, {', '.join(f'{count} {state}' for state, count in states)}")
    print(
        f"acknowledged and not there, or not the same: {len(lost)}; there twice: {max(0, len(there) - wanted)}"
    )
    for what, count in left.items():
        print(f"{what}: {count}")
    verified = subprocess.run(
        [sys.executable, "-m", "flask", "storage", "verify", "--grace-minutes", "0"], env=service.env, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(verified.stdout.strip() or verified.stderr.strip())
    wrong = lost or any(left.values()) or verified.returncode or len(acknowledged) < wanted
    return 1 if wrong else 0


def _wait(owner: Any, awaited: list[str]) -> dict[str, int]:
    """Until nothing of that is left, or it takes too long."""
    limit = time.monotonic() + PATIENCE
    while True:
        left = {what: int(_rows(owner, statement)[0][0]) for what, statement in LEFT.items()}
        if not any(left[what] for what in awaited) or time.monotonic() > limit:
            return left
        time.sleep(1)


def _rows(owner: Any, statement: str) -> list[Any]:
    with owner.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
