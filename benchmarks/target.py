"""Whoever is measured, and the service itself among them."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from benchmarks.asking import Answer, ask
from benchmarks.place import Place, python
from benchmarks.production import COLD, SEEDING, environment, production_settings
from benchmarks.scenarios import PASSWORD, Person, address_of, with_projects
from dev.engine_state import free_port
from dev.faults import Fault
from dev.places import ROOT

SIGNED_IN = "holdfast_signed_in"
SERVED = python("gunicorn", "wsgi:app")
AT_ONCE = 2
"""So many sign in at once: one for each process, which is what it takes without answering 503."""
# gunicorn drains for seconds on SIGTERM, as production wants it; nobody is waiting here.
AT_ONCE_GONE = ((signal.SIGQUIT, 5.0), (signal.SIGTERM, 5.0))
PATIENCE = 40.0


class Target(Protocol):
    """Something with the API of this measurement.

    Attributes:
        name: in tables.
        etags: whether it knows 304.
        port: of its server, while it runs.
        processes: their names at the launcher, the server's first.
    """

    name: str
    etags: bool
    port: int
    processes: tuple[str, ...]

    def prepare(self) -> None:
        """Whatever is done once, before the first turn."""

    def start(self) -> None:
        """On fresh data.

        Raises:
            Fault: it does not start.
        """

    def people(self) -> list[Person]:
        """Who may ask, with tokens that are new: they last for ten minutes, which a round of many targets takes longer than."""

    def stop(self) -> None: ...

    def change(self, read: Answer, name: str, who: Person) -> Answer:
        """Rename a project, if it still is what was read."""


class Accounts:
    """The service's data: many accounts, and some that are signed in, so that no turn begins with signing in.

    Args:
        place: of the engines.
        accounts, projects_each: rows.
        people: how many of the accounts take part in the load.
    """

    def __init__(self, place: Place, accounts: int, projects_each: int, people: int) -> None:
        self.place = place
        self.refresh_tokens: list[str] = []
        self._numbers = ("--accounts", str(accounts), "--projects-each", str(projects_each))
        self._seeded = f"holdfast_{accounts}_{projects_each}"
        self._people = people

    def fill(self, database: str, env: Mapping[str, str]) -> None:
        """Fill a database by `flask seed`, or with what an earlier run kept.

        Args:
            database: its name.
            env: of the service that works on it.

        Raises:
            Fault: it did not work.
        """
        seeded = self.place.has(self._seeded)
        self.place.new_database(database, self._seeded if seeded else None)
        self.place.launcher.finish("`flask db upgrade`", python("flask", "db", "upgrade"), env)
        if seeded:
            return
        command = python("flask", "seed", *self._numbers, "--password", PASSWORD)
        done = subprocess.run(command, env={**env, **SEEDING}, cwd=ROOT, check=False)
        if done.returncode:
            raise Fault(f"`flask seed` failed with exit code {done.returncode}; its words are above")
        self.place.keep_as(database, self._seeded)
        self.place.new_database(database, self._seeded)

    def sign_in(self, port: int) -> None:
        """Each of the people, once; their sessions stay in the database."""

        def one(number: int) -> str:
            body = {"email": f"user{number}@bench.example", "password": PASSWORD}
            answer = patient(lambda: ask(port, "POST", "/auth/login", address=address_of(number), body=body))
            return str(answer.told["refresh_token"])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.refresh_tokens = list(pool.map(one, range(1, self._people + 1)))

    def refreshed(self, port: int, refresh_tokens: list[str]) -> list[Person]:
        """The people with fresh access tokens, for sessions that a copy of the database holds.

        Args:
            refresh_tokens: of that copy; the next ones take their places.
        """

        def one(number: int) -> Person:
            body = {"refresh_token": refresh_tokens[number - 1]}
            answer = patient(
                lambda: ask(port, "POST", "/auth/refresh", address=address_of(number), body=body)
            )
            token = str(answer.told["access_token"])
            refresh_tokens[number - 1] = str(answer.told["refresh_token"])
            return with_projects(port, Person(f"user{number}@bench.example", address_of(number), token))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, range(1, self._people + 1)))


class Holdfast:
    """The service in production's configuration, API and worker, as operations would start it."""

    etags = True

    def __init__(self, accounts: Accounts, *, cold: bool) -> None:
        self.name = "holdfast-cold" if cold else "holdfast"
        self.port = free_port()
        self.processes = (f"api@{self.name}", f"worker@{self.name}")
        self._database = f"bench_{self.name}"
        self._accounts, self._place, self._cold = accounts, accounts.place, cold
        self._mails: Controller | None = None
        self._refresh_tokens: list[str] = []

    def prepare(self) -> None:
        if self._accounts.refresh_tokens:
            return
        self._accounts.fill(self._database, self._environment(free_port()))
        self._run()
        self._accounts.sign_in(self.port)
        self.stop()
        self._place.keep_as(self._database, SIGNED_IN)

    def start(self) -> None:
        self._place.new_database(self._database, SIGNED_IN)
        self._refresh_tokens = list(self._accounts.refresh_tokens)
        self._run()

    def people(self) -> list[Person]:
        return self._accounts.refreshed(self.port, self._refresh_tokens)

    def stop(self) -> None:
        for name in self.processes:
            child = self._place.launcher.children.pop(name, None)
            if child:
                child.stop(AT_ONCE_GONE if name == self.processes[0] else AT_ONCE_GONE[1:])
        if self._mails:
            self._mails.stop()
            self._mails = None

    def change(self, read: Answer, name: str, who: Person) -> Answer:
        path, tag = f"/projects/{read.told['id']}", {"If-Match": read.headers["etag"]}
        return ask(
            self.port, "PATCH", path, token=who.token, address=who.address, body={"name": name}, headers=tag
        )

    def _run(self) -> None:
        self._mails = Controller(Sink(), hostname="127.0.0.1", port=free_port())
        self._mails.start()
        env = self._environment(self._mails.port)
        launcher = self._place.launcher
        api, worker = self.processes
        launcher.start(api, SERVED, env)
        launcher.start(worker, python("flask", "worker"), env)
        launcher.wait_ready(f"http://127.0.0.1:{self.port}", api)

    def _environment(self, smtp_port: int) -> dict[str, str]:
        run = self._place.home / "run"
        for old in run.glob(f"metrics@{self.name}-*"):
            shutil.rmtree(old, ignore_errors=True)
        urls = {
            "DATABASE_URL": self._place.app_url(self._database),
            "MIGRATION_DATABASE_URL": self._place.owner_url(self._database),
            "REDIS_URL": self._place.redis_url(self._database),
        }
        settings = production_settings(
            self._place.home, self._place.keys, urls, port=self.port, smtp_port=smtp_port,
            workers=self._place.workers, threads=self._place.threads,
        )  # fmt: skip
        metrics = Path(tempfile.mkdtemp(prefix=f"metrics@{self.name}-", dir=run))
        return environment({**settings, **(COLD if self._cold else {})}, metrics)


def patient(asked: Callable[[], Answer]) -> Answer:
    """Ask again while the answer is 503: somebody else's password is being checked.

    Raises:
        Fault: another answer than 200.
    """
    limit = time.monotonic() + PATIENCE
    while (answer := asked()).status == 503 and time.monotonic() < limit:
        time.sleep(0.2)
    if answer.status != 200:
        raise Fault(f"the service answered {answer.status}: {answer.told}")
    return answer
