"""What the gunicorn master does at start, at SIGHUP, at SIGTERM and when a worker has died."""

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from prometheus_client import multiprocess

from app.config import ConfigError, Settings, load_settings
from app.core.boot import database_faults
from app.web import drain
from app.web.connection_counts import counts

EX_CONFIG = 78
"""Exit code for a configuration that cannot work (sysexits.h)."""


def settings_or_exit() -> Settings:
    """Load the settings before anything is forked.

    Raises:
        SystemExit: with 78, after one line per fault on standard error (SEC-56).
    """
    settings, faults = _load()
    if settings is None:
        _refuse(faults)
    return settings


def refuse_database_at_fault(settings: Settings) -> None:
    """Look into the database, if it answers, before anything is forked.

    Raises:
        SystemExit: with 78, after one line per fault on standard error (SEC-56, REL-04).
    """
    faults = database_faults(settings)
    if faults:
        _refuse(faults)


def load_modules() -> None:
    """Load the application's modules in the master, so that the workers share their memory and start at once.

    The application itself is made in each worker: no connection is ever opened before a fork (trap T21).
    """
    importlib.import_module("app.application")


def _refuse(faults: list[str]) -> NoReturn:
    for fault in faults:
        print(fault, file=sys.stderr)
    raise SystemExit(EX_CONFIG)


def _load() -> tuple[Settings | None, list[str]]:
    try:
        return load_settings(), []
    except ConfigError as error:
        return None, error.faults


def mend_signals(server: Any, drain_seconds: float) -> None:
    """Make the master stop and reload as a service should; call it before the first fork.

    Args:
        server: gunicorn's arbiter.
        drain_seconds: see ``_drain_before_stop``.
    """
    _stop_unborn_workers(server)
    _guard_reload(server)
    _drain_before_stop(server, drain_seconds)


def _stop_unborn_workers(server: Any) -> None:
    """Let a worker that is told to stop before it has handlers of its own die at once.

    Until then it has the master's, which would only note the signal in a queue that nobody reads: a stop shortly
    after a start (or after a worker was replaced) would take the whole ``graceful_timeout``.
    """

    def handle(number: int, frame: Any) -> None:
        if os.getpid() != server.pid:
            os._exit(0)
        server.signal(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, handle)


def _guard_reload(server: Any) -> None:
    """Make SIGHUP keep the running workers when the new configuration is faulty.

    gunicorn would start workers that cannot boot, and take that as a reason to stop altogether.
    """
    reload = server.handle_hup

    def handle_hup() -> None:
        settings, faults = _load()
        if settings is not None:
            faults = database_faults(settings)
        for fault in faults:
            server.log.error("Not reloaded: %s", fault)
        if not faults:
            reload()

    server.handle_hup = handle_hup


def _drain_before_stop(server: Any, seconds: float) -> None:
    """Make SIGTERM serve on for a while with /readyz at 503, before gunicorn closes the listener (REL-05).

    A load balancer needs that time to notice. Further SIGTERMs change nothing; SIGINT and SIGQUIT stop at once.

    Args:
        server: gunicorn's arbiter.
        seconds: from the first SIGTERM to the usual graceful stop; 0 to skip.
    """
    stop = server.handle_term
    ends: list[float] = []

    def handle_term() -> None:
        now = time.monotonic()
        if not ends:
            drain.begin()
            ends.append(now + seconds)
            if seconds:
                server.log.info("Draining for %s s before the stop", seconds)
                _after(seconds, lambda: server.SIG_QUEUE.put_nowait(signal.SIGTERM))
        if now >= ends[0]:
            stop()

    server.handle_term = handle_term


def _after(seconds: float, call: Callable[[], None]) -> None:
    # A timer signal and not a thread: this process still forks workers.
    signal.signal(signal.SIGALRM, lambda _signal, _frame: call())
    signal.setitimer(signal.ITIMER_REAL, seconds + 0.01)


def give_slot(server: Any, worker: Any) -> None:
    """Give a worker that is about to be forked a place to tell how many connections it has."""
    worker.slot = counts.vacant(other.slot for other in server.WORKERS.values())


def release_late(worker: Any) -> None:
    """Let a process that answers requests tell of changes with whatever it asks of Redis next.

    Args:
        worker: with its application. Another one than Holdfast tells of nothing, and a worker that knows no chores would not see to it.
    """
    parts = getattr(worker.wsgi, "extensions", {}).get("holdfast")
    if parts is not None and hasattr(worker, "chores"):
        worker.chores = parts.late_releases.begin()


def prepare_metrics() -> None:
    """Make the folder for the workers' metrics, without what processes left there that no longer live."""
    if not (named := os.environ.get("PROMETHEUS_MULTIPROC_DIR")):
        return
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _alive(int(pid)):
            file.unlink(missing_ok=True)


def forget_worker(worker: Any) -> None:
    """Let nobody wait for a dead worker, and take its live gauges out of the metrics; its counters stay, so that sums never fall."""
    counts.clear(worker.slot)
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # brings no types


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
