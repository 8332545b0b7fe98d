"""The engines of a laptop and of a test run: those named by the environment, else real ones from wheels.

For tests, a conftest does:

    def pytest_configure(config):
        if not hasattr(config, "workerinput"):              # workers share what the controller started
            config.stash[ENGINES] = ExitStack()
            config.stash[ENGINES].enter_context(engines_for_tests())

    def pytest_unconfigure(config):
        if not hasattr(config, "workerinput"):
            config.stash[ENGINES].close()

and anywhere, workers included, `engines_for_tests()` gives the same servers again.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev.engine_state import EngineState
from dev.faults import Fault
from dev.places import ROOT
from dev.postgres import PostgresServer
from dev.roles import require_admin
from dev.valkey import ValkeyServer

ADMIN_URL = "HOLDFAST_TEST_ADMIN_URL"
REDIS_URL = "HOLDFAST_TEST_REDIS_URL"
_SERVICE_URLS = ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Engines:
    """Where the servers of a test run are.

    Attributes:
        admin_url: PostgreSQL, as a role that may make databases and roles.
        redis_url: Valkey or Redis, database 0; throwaway ones have 64.
    """

    admin_url: str
    redis_url: str

    def redis_database(self, number: int) -> str:
        """The URL of another numbered database of the same server, one for each test worker."""
        base, _, query = self.redis_url.partition("?")
        head, slash, tail = base.rpartition("/")
        base = head if slash and tail.isdigit() else base.rstrip("/")
        return f"{base}/{number}" + (f"?{query}" if query else "")


@contextlib.contextmanager
def engines_for_tests() -> Iterator[Engines]:
    """Give a test run its servers; the outermost use in the outermost process starts and ends them.

    `DATABASE_URL` and `REDIS_URL` in the environment are used when given; each that is missing is started from
    its wheel in a temporary folder, without fsync, and ends with this process however it ends. Meanwhile the
    service's own variables are taken out of the environment, so that no test reaches them by accident.

    Raises:
        Fault: when a server does not start, or the given role may not make databases and roles.
    """
    if ADMIN_URL in os.environ:
        yield Engines(os.environ[ADMIN_URL], os.environ[REDIS_URL])
        return
    kept = {name: os.environ.pop(name) for name in _SERVICE_URLS if name in os.environ}
    try:
        admin_url, redis_url = kept.get("DATABASE_URL"), kept.get("REDIS_URL")
        wanted = (*(() if admin_url else ("postgres",)), *(() if redis_url else ("valkey",)))
        if admin_url:
            require_admin(admin_url)
        with throwaway(*wanted) as started:
            engines = Engines(admin_url or started["postgres"], redis_url or started["valkey"])
            os.environ |= {ADMIN_URL: engines.admin_url, REDIS_URL: engines.redis_url}
            yield engines
    finally:
        for name in (ADMIN_URL, REDIS_URL):
            os.environ.pop(name, None)
        os.environ |= kept


@contextlib.contextmanager
def throwaway(*names: str) -> Iterator[dict[str, str]]:
    """Start throwaway servers in a process that ends them when we end, even by SIGKILL.

    Args:
        names: `postgres`, `valkey`, or both.

    Yields:
        The URL of each.

    Raises:
        Fault: when one does not start.
    """
    if not names:
        yield {}
        return
    # The keeper reads its standard input; the kernel closes it for us when we are killed.
    with subprocess.Popen(
        [sys.executable, "-m", "dev.keeper", *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    ) as keeper:
        try:
            line = keeper.stdout.readline() if keeper.stdout else b""
            told = json.loads(line or b'{"fault": "the process that keeps the engines ended at once"}')
            if "fault" in told:
                raise Fault(told["fault"])
            yield told
        finally:
            if keeper.stdin:
                keeper.stdin.close()


@contextlib.contextmanager
def valkey_in(folder: Path) -> Iterator[ValkeyServer]:
    """A Valkey of a test's own, which the test may stop and start again on the same port."""
    server = ValkeyServer(folder, EngineState.load(folder), throwaway=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def postgres_in(folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL of a test's own, which the test may stop and start again on the same port."""
    server = PostgresServer(folder, EngineState.load(folder), throwaway=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
