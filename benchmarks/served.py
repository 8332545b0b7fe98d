"""The service as it is deployed, for a measurement: gunicorn on engines of its own, key rings in files, accounts."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from app.cli.keys import RINGS
from benchmarks.scenarios import PASSWORD
from benchmarks.timing_equality import fresh_key
from dev.engine_state import free_port
from dev.engines import engines_for_tests
from dev.roles import drop_database, drop_roles, ensure_database, ensure_roles, new_roles

ROOT = Path(__file__).parents[1]
PATIENCE = 60


class Served:
    """A gunicorn and how to speak to it.

    Attributes:
        port: where it listens, on loopback.
        door: for who signs in one after the other; more than a few at once are answered 503 on purpose (SEC-07).
        env: of the service; commands get the same.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.port = free_port()
        self.door = threading.Lock()
        self._folder = folder
        self.env = {
            **env,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
        }
        for name in RINGS:
            self.env[f"{name}_FILE"] = str(folder / name)
            self.set_ring(name, fresh_key())
        self._process: subprocess.Popen[bytes] | None = None

    def set_ring(self, name: str, line: str) -> None:
        (self._folder / name).write_text(line, encoding="utf-8")

    def command(self, *words: str) -> str:
        """What ``flask ...`` prints, as an operator beside the service would give it.

        Raises:
            SystemExit: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "flask", *words],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"flask {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self) -> None:
        log = (self._folder / "gunicorn.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "wsgi:app"], env=self.env, cwd=ROOT, stdout=log, stderr=log
        )
        until(self._answers, "gunicorn does not answer")

    def restart(self) -> None:
        """SIGHUP, and wait until every process of before is gone."""
        assert self._process is not None
        before = self.workers()
        self._process.send_signal(signal.SIGHUP)
        number = int(self.env["WORKERS"])
        until(
            lambda: len(self.workers() - before) == number and not self.workers() & before, "old workers stay"
        )

    @property
    def pid(self) -> int:
        """Of the master."""
        assert self._process is not None
        return self._process.pid

    def workers(self) -> set[int]:
        assert self._process is not None
        pid = self._process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def kill_one(self, pid: int) -> None:
        """End a process of the API at once, as a crash would; its master starts another."""
        os.kill(pid, signal.SIGKILL)

    def crash(self) -> None:
        """End all of the API at once, and wait until its port is free."""
        assert self._process is not None
        workers = self.workers()
        self._process.kill()
        self._process.wait()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "old workers stay")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None
    ) -> tuple[int, Any]:
        """Status and body, on a connection of its own."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            link.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = link.getresponse()
            told = answer.read()
            return answer.status, json.loads(told) if told else None
        finally:
            link.close()

    def sign_in(self, number: int) -> dict[str, Any]:
        """The answer to a right password of a seeded account.

        Raises:
            SystemExit: it was refused.
        """
        body = {"email": f"user{number}@bench.example", "password": PASSWORD}
        with self.door:
            status, told = self.ask("POST", "/api/v1/auth/login", body)
        if status != 200:
            raise SystemExit(f"sign-in: {status} {told}")
        return dict(told)

    def _answers(self) -> bool:
        with suppress(OSError):
            return self.ask("GET", "/livez")[0] == 200
        return False


@contextmanager
def served(accounts: int, projects_each: int = 5, /, **settings: str) -> Iterator[Served]:
    """The service with so many accounts; limits are counted and out of reach. All of it ends with the block."""
    with engines_for_tests() as engines, tempfile.TemporaryDirectory(prefix="holdfast-served-") as folder:
        roles = new_roles("holdfast_served")
        database = roles.app.name
        ensure_roles(engines.admin_url, roles)
        ensure_database(engines.admin_url, database, roles)
        (Path(folder) / "mail").mkdir()
        (Path(folder) / "metrics").mkdir()
        kept = {
            name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}
        }
        service = Served(
            Path(folder),
            {
                **kept, "APP_ENV": "development", "HOLDFAST_ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1",
                "DATABASE_URL": roles.app.url(engines.admin_url, database),
                "MIGRATION_DATABASE_URL": roles.owner.url(engines.admin_url, database),
                "REDIS_URL": engines.redis_database(0), "MAILBOX_DIR": str(Path(folder) / "mail"),
                "STORAGE_DIR": str(Path(folder) / "files"),
                "RATE_LIMIT_FACTOR": "1000000", "LOG_LEVEL": "error", "WORKERS": "2", "THREADS": "4",
                "PROMETHEUS_MULTIPROC_DIR": str(Path(folder) / "metrics"), **settings,
            },
        )  # fmt: skip
        try:
            service.command("db", "upgrade")
            service.command(
                "seed",
                "--accounts",
                str(accounts),
                "--projects-each",
                str(projects_each),
                "--password",
                PASSWORD,
            )
            service.start()
            yield service
        finally:
            service.stop()
            drop_database(engines.admin_url, database)
            drop_roles(engines.admin_url, roles)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it.

    Raises:
        SystemExit: it does not come.
    """
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise SystemExit(what)
        time.sleep(0.05)


def busy() -> str:
    """What a reader of the figures must know of the machine."""
    cores = os.cpu_count() or 1
    return f"{cores} cores, load average {os.getloadavg()[0]:.1f} before the start"
