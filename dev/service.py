"""The whole service on throwaway engines, for tests that speak to it over HTTP: gunicorn, a worker, the demo cast."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.children import Child, Steps, end_orphans, last_lines
from dev.engines import Engines
from dev.environment import secrets_of
from dev.faults import Fault
from dev.identity import Identity
from dev.roles import drop_database, drop_roles, ensure_database, ensure_roles, new_roles

_PREFIX = "holdfast-service-"
_OWNER = "owner.json"
_READY_PATIENCE = 60.0
_COMMAND_PATIENCE = 120.0
_STEPS: Steps = ((signal.SIGTERM, 10.0),)
# The engines given by DATABASE_URL and REDIS_URL are shared; tests count their numbered databases from 0.
_REDIS_DATABASE = 15


@dataclass(frozen=True)
class Service:
    """A running service.

    Attributes:
        url: its address, without a slash at the end.
        env: the environment of its processes, for further commands on the same engines.
        home: folder of its logs and mails; removed at the end.
        restart: kill the API as the kernel would, with all that it has in hand, and start it again at the same address.
    """

    url: str
    env: Mapping[str, str]
    home: Path
    restart: Callable[[], None]

    def command(self, *arguments: str) -> str:
        """Run `flask ...` to its end.

        Returns:
            What it printed.

        Raises:
            Fault: when it fails; its last words are told.
        """
        name = f"command-{secrets.token_hex(3)}"
        child = Child.start(name, [sys.executable, "-m", "flask", *arguments], self.home, env=self.env)
        try:
            code = child.process.wait(_COMMAND_PATIENCE)
        finally:
            child.stop(_STEPS)
        if code:
            raise Fault(f"flask {' '.join(arguments)} failed: {self._end_of(name)}")
        return child.log.read_text(encoding="utf-8")

    def errors(self) -> list[str]:
        """The lines of the service's log that tell of a fault of ours."""
        log = self.home / "log" / "api.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if '"unhandled_error"' in line or line.startswith("Traceback")]

    def _end_of(self, name: str) -> str:
        return "\n".join(last_lines(self.home / "log" / f"{name}.log"))


@contextlib.contextmanager
def throwaway_service(engines: Engines, *, worker: bool = True, **settings: str) -> Iterator[Service]:
    """Start gunicorn, and the worker of jobs, on a database of their own with the demo cast in it.

    Args:
        engines: servers to use.
        worker: whether jobs run, mails for one.
        settings: environment variables of the service, over those of a laptop.

    Raises:
        Fault: when the service does not become ready.
    """
    _reap(Path(tempfile.gettempdir()))
    roles = new_roles("holdfast_http")
    database = f"holdfast_http_{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        _claim(home)
        ensure_roles(engines.admin_url, roles)
        stack.callback(drop_roles, engines.admin_url, roles)
        ensure_database(engines.admin_url, database, roles)
        stack.callback(drop_database, engines.admin_url, database)
        # gunicorn gets the open socket, so nobody can take the port between choosing and using it.
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        env = {
            **{name: value for name, value in os.environ.items() if name not in _OURS},
            **secrets_of(home),
            "APP_ENV": "development",
            "HOLDFAST_ENV_FILE": os.devnull,
            "PUBLIC_URL": url,
            "DATABASE_URL": roles.app.url(engines.admin_url, database),
            "MIGRATION_DATABASE_URL": roles.owner.url(engines.admin_url, database),
            "REDIS_URL": engines.redis_database(_REDIS_DATABASE),
            "MAILBOX_DIR": str(home / "mailbox"),
            "STORAGE_DIR": str(home / "storage"),
            "BCRYPT_COST": "4",
            "RATE_LIMIT_FACTOR": "1000",
            **settings,
        }
        api = _Api(home, env, listener)
        service = Service(url, env, home, lambda: api.restart(url))
        service.command("db", "upgrade")
        service.command("seed")
        if worker:
            stack.callback(_start(home, env, "worker", "flask", "worker").stop, _STEPS)
        stack.callback(api.stop)
        api.start(url)
        yield service


class _Api:
    """gunicorn, which may be started more than once."""

    def __init__(self, home: Path, env: Mapping[str, str], listener: socket.socket) -> None:
        self._home, self._env, self._listener = home, env, listener
        self._child: Child | None = None

    def start(self, url: str) -> None:
        arguments = ("gunicorn", "-b", f"fd://{self._listener.fileno()}", "wsgi:app")
        self._child = _start(self._home, self._env, "api", *arguments, listener=self._listener)
        _wait_until_ready(self._child, url)

    def stop(self, steps: Steps = _STEPS) -> None:
        if self._child:
            self._child.stop(steps)

    def restart(self, url: str) -> None:
        self.stop(())
        self.start(url)


_OURS = {
    "DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS", "APP_ENV",
    "HOST", "PORT", "PUBLIC_URL", "LINK_BASE_URL", "SMTP_URL", "MAILBOX_DIR", "STORAGE", "STORAGE_DIR", "STORAGE_KEYS", "CORS_ORIGINS", "TRUSTED_HOSTS",
    "PROMETHEUS_MULTIPROC_DIR",
}  # fmt: skip
"""What a person's shell may hold for another instance."""


def _claim(home: Path) -> None:
    """Note who we are, so that what we leave behind when killed can be told from what still runs."""
    us = Identity.of(os.getpid())
    if us:
        (home / _OWNER).write_text(json.dumps({"pid": us.pid, "started": us.started}), encoding="utf-8")


def _reap(base: Path) -> None:
    """End and remove services whose program was killed before it could."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            told = json.loads((folder / _OWNER).read_text(encoding="utf-8"))
            if folder.lstat().st_uid == os.geteuid() and not Identity(told["pid"], told["started"]).alive:
                end_orphans(folder)
                shutil.rmtree(folder, ignore_errors=True)


def _start(
    home: Path, env: Mapping[str, str], name: str, *command: str, listener: socket.socket | None = None
) -> Child:
    return Child.start(
        name,
        [sys.executable, "-m", *command],
        home,
        env=env,
        pass_fds=[listener.fileno()] if listener else [],
    )


def _wait_until_ready(api: Child, url: str) -> None:
    limit = time.monotonic() + _READY_PATIENCE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < limit:
        if api.ended() is not None:
            break
        with (
            contextlib.suppress(urllib.error.URLError, TimeoutError),
            opener.open(f"{url}/readyz", timeout=5) as answer,
        ):
            if json.load(answer)["status"] in {"ok", "degraded"}:
                return
        time.sleep(0.05)
    raise Fault("the service did not become ready: " + "\n".join(last_lines(api.log)))
