"""Everything that is measured, started here: engines as `make run` has them, with data of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.scenarios import PASSWORD
from dev.address import Address
from dev.children import POLITE, Child
from dev.engine_state import EngineState, free_port
from dev.environment import secrets_of, service_settings
from dev.faults import Fault
from dev.launcher import Launcher
from dev.postgres import PostgresServer
from dev.postgres_home import wheel_programs
from dev.roles import Role, Roles, ensure_database, ensure_roles
from dev.valkey import ValkeyServer

HERE = Path(__file__).parent
DATABASE, LIMIT_DATABASE = "holdfast_bench", "pgbench"
PGBENCH_SCALE = 10
# The limits stay switched on and count every request; only the numbers are out of reach.
RAISED = {"RATE_LIMIT_FACTOR": "100000", "ACCESS_TOKEN_SECONDS": "900"}


class Place:
    """The service, its engines and the two limits to compare with, in one folder.

    Args:
        launcher: starts and ends the processes.
        workers, threads: of gunicorn, both for the service and for the bare one.
    """

    def __init__(self, launcher: Launcher, workers: int, threads: int) -> None:
        self._launcher = launcher
        self._home = launcher.home
        self._state = EngineState.load(self._home)
        self._size = {"WORKERS": str(workers), "THREADS": str(threads)}
        self.port = free_port()
        self._postgres = PostgresServer(self._home, self._state)
        self._env: dict[str, str] = {}

    def start_engines(self) -> None:
        """PostgreSQL that writes to disk, Valkey, both on ports of their own; a migrated database."""
        # Before the engines: data must never be there without the keys to them.
        keys = secrets_of(self._home)
        valkey = ValkeyServer(self._home, self._state)
        self._launcher.engine(self._postgres)
        self._launcher.engine(valkey)
        roles = Roles(
            Role("holdfast_owner", self._state.owner_password), Role("holdfast_app", self._state.app_password)
        )
        ensure_roles(self._postgres.admin_url, roles)
        ensure_database(self._postgres.admin_url, DATABASE, roles)
        urls = {
            "DATABASE_URL": roles.app.url(self._postgres.admin_url, DATABASE),
            "MIGRATION_DATABASE_URL": roles.owner.url(self._postgres.admin_url, DATABASE),
            "REDIS_URL": valkey.url,
        }
        for old in (self._home / "run").glob("metrics-*"):
            shutil.rmtree(old, ignore_errors=True)
        settings = service_settings(Address("127.0.0.1", self.port), self._home, keys, urls)
        self._env = {
            **os.environ, **settings, **RAISED, **self._size, "PYTHONUNBUFFERED": "1", "HOLDFAST_ENV_FILE": os.devnull,
            "PROMETHEUS_MULTIPROC_DIR": tempfile.mkdtemp(prefix="metrics-", dir=self._home / "run"),
        }  # fmt: skip
        self._launcher.finish("`flask db upgrade`", _python("flask", "db", "upgrade"), self._env)

    def seed(self, accounts: int, projects_each: int) -> None:
        """Load the accounts, or find them from an earlier run; its words go to the terminal.

        Raises:
            Fault: it did not work.
        """
        command = _python("flask", "seed", "--accounts", str(accounts), "--projects-each", str(projects_each))
        done = subprocess.run([*command, "--password", PASSWORD], env=self._env, cwd=HERE.parent, check=False)
        if done.returncode:
            raise Fault(
                f"`flask seed` failed with exit code {done.returncode}. If {self._home} keeps the data of other numbers, "
                "give those, or remove that folder."
            )

    def start_service(self) -> None:
        """The API and the worker, until `/readyz` is content."""
        self._launcher.start("api", _python("gunicorn", "wsgi:app"), self._env)
        self._launcher.start("worker", _python("flask", "worker"), self._env)
        self._launcher.wait_ready(f"http://127.0.0.1:{self.port}")

    def start_hello(self, port: int) -> Child:
        """A gunicorn of the same size that serves nothing of ours; whoever asked for it ends it with ``end``."""
        size = ("--workers", self._size["WORKERS"], "--threads", self._size["THREADS"])
        command = _python("gunicorn", "hello:app", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", *size,
                          "--keep-alive", "65", "--no-control-socket", "--log-level", "warning")  # fmt: skip
        return Child.start("hello", command, self._home, cwd=HERE)

    def end(self, child: Child) -> None:
        child.stop(POLITE)

    def selects_a_second(self, connections: int, seconds: int) -> float:
        """What pgbench reads by primary key over so many connections (`pgbench -S`), in a database of its own."""
        parts = urlsplit(self._postgres.admin_url)
        program = wheel_programs() / "bin" / "pgbench"
        place = [
            "--host", str(parts.hostname), "--port", str(parts.port), "--username", str(parts.username), LIMIT_DATABASE,
        ]  # fmt: skip
        env = {**os.environ, "PGPASSWORD": parts.password or ""}
        self._make_limit_database(program, place, env)
        load = [
            "--select-only",
            "--no-vacuum",
            "--client",
            str(connections),
            "--jobs",
            "1",
            "--time",
            str(seconds),
        ]
        told = _told([program, *load, *place], env)
        return next(float(line.split()[2]) for line in told.splitlines() if line.startswith("tps = "))

    def _make_limit_database(self, program: Path, place: list[str], env: dict[str, str]) -> None:
        nobody = Role(urlsplit(self._postgres.admin_url).username or "", "")
        ensure_database(self._postgres.admin_url, LIMIT_DATABASE, Roles(nobody, nobody))
        if not (marker := self._home / "pgbench.made").exists():
            _told([program, "--initialize", "--quiet", "--scale", str(PGBENCH_SCALE), *place], env)
            marker.touch()


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _told(command: list[str | Path], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Fault(f"pgbench failed: {done.stderr.strip()}")
    return done.stdout
