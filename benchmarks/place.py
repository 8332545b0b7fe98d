"""The engines of a measurement: PostgreSQL that writes to disk and Valkey, as `make run` has them, with data of their own."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import redis

from benchmarks.scenarios import PASSWORD
from benchmarks.usage import family
from dev.children import POLITE, Child
from dev.engine_state import EngineState
from dev.environment import secrets_of
from dev.faults import Fault
from dev.launcher import Launcher
from dev.postgres import PostgresServer
from dev.postgres_home import wheel_programs
from dev.roles import Role, Roles, drop_database, ensure_database, ensure_roles, statements
from dev.valkey import ValkeyServer

__all__ = ["PASSWORD", "Place", "python"]

HERE = Path(__file__).parent
LIMIT_DATABASE, PGBENCH_SCALE = "pgbench", 10


class Place:
    """Engines in one folder, with the databases that targets work on.

    Each target has a database and a numbered database of Valkey of its own, both fresh for each round, so that nobody
    works on what another left.

    Args:
        launcher: starts and ends the processes.
        workers, threads: of every server on gunicorn; the others have as many processes.
    """

    def __init__(self, launcher: Launcher, workers: int, threads: int) -> None:
        self.launcher, self.home = launcher, launcher.home
        self.workers, self.threads = workers, threads
        self._state = EngineState.load(self.home)
        # Before the engines: data must never be there without the keys to them.
        self.keys = secrets_of(self.home)
        # All targets are there at once, each with its pool.
        self._postgres = PostgresServer(self.home, self._state, more=("max_connections=250",))
        self._valkey = ValkeyServer(self.home, self._state)
        self._numbers: dict[str, int] = {}
        self.roles = Roles(
            Role("holdfast_owner", self._state.owner_password), Role("holdfast_app", self._state.app_password)
        )

    def start_engines(self) -> None:
        self.launcher.engine(self._postgres)
        self.launcher.engine(self._valkey)
        ensure_roles(self._postgres.admin_url, self.roles)

    def redis_url(self, database: str) -> str:
        """Of the numbered database of Valkey that goes with a database of this name."""
        number = self._numbers.setdefault(database, len(self._numbers))
        return f"{self._valkey.url.rpartition('/')[0]}/{number}"

    def app_url(self, database: str) -> str:
        return self.roles.app.url(self._postgres.admin_url, database)

    def owner_url(self, database: str) -> str:
        return self.roles.owner.url(self._postgres.admin_url, database)

    def engine_pids(self) -> list[int]:
        children = [each.child for each in (self._postgres, self._valkey) if each.child]
        return [pid for child in children for pid in family(child.process.pid)]

    def has(self, database: str) -> bool:
        with statements(self._postgres.admin_url) as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            return cursor.fetchone() is not None

    def new_database(self, name: str, template: str | None = None) -> None:
        """Make it anew, empty or as the template is; Valkey forgets what belongs to it.

        Raises:
            Fault: when that cannot be.
        """
        drop_database(self._postgres.admin_url, name)
        ensure_database(self._postgres.admin_url, name, self.roles, template=template)
        with redis.Redis.from_url(self.redis_url(name)) as cache:
            cache.flushdb()

    def keep_as(self, database: str, template: str) -> None:
        """Give a database that nobody uses any more another name."""
        drop_database(self._postgres.admin_url, template)
        with statements(self._postgres.admin_url) as cursor:
            cursor.execute(f'ALTER DATABASE "{database}" RENAME TO "{template}"')

    def checkpoint(self) -> None:
        """Write down what copying left in memory, so that no reading pays for it."""
        with statements(self._postgres.admin_url) as cursor:
            cursor.execute("CHECKPOINT")

    def versions(self) -> dict[str, str]:
        with statements(self._postgres.admin_url) as cursor:
            cursor.execute("SHOW server_version")
            postgres = cursor.fetchone()[0]
        with redis.Redis.from_url(self._valkey.url) as cache:
            told = cache.info("server")
        return {"postgresql": postgres, "valkey": told.get("valkey_version", told["redis_version"])}

    def start_hello(self, port: int) -> Child:
        """A gunicorn of the same size that serves nothing of ours; whoever asked for it ends it with ``end``."""
        command = python(
            "gunicorn", "hello:app", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", str(self.workers),
            "--threads", str(self.threads), "--keep-alive", "65", "--no-control-socket", "--log-level", "warning",
        )  # fmt: skip
        return Child.start("hello", command, self.home, cwd=HERE)

    def end(self, child: Child) -> None:
        child.stop(POLITE)

    def selects_a_second(self, connections: int, seconds: int) -> float:
        """What pgbench reads by primary key over so many connections (`pgbench -S`), in a database of its own."""
        parts = urlsplit(self._postgres.admin_url)
        program = wheel_programs() / "bin" / "pgbench"
        where = [
            "--host", str(parts.hostname), "--port", str(parts.port), "--username", str(parts.username), LIMIT_DATABASE,
        ]  # fmt: skip
        env = {**os.environ, "PGPASSWORD": parts.password or ""}
        if not self.has(LIMIT_DATABASE):
            nobody = Role(parts.username or "", "")
            ensure_database(self._postgres.admin_url, LIMIT_DATABASE, Roles(nobody, nobody))
            _told([program, "--initialize", "--quiet", "--scale", str(PGBENCH_SCALE), *where], env)
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
        told = _told([program, *load, *where], env)
        return next(float(line.split()[2]) for line in told.splitlines() if line.startswith("tps = "))


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _told(command: list[str | Path], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Fault(f"pgbench failed: {done.stderr.strip()}")
    return done.stdout
