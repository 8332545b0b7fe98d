"""Processes of ours: started in a session of their own, on record in `var/run`, ended in order."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.identity import Identity
from dev.places import ROOT, write_private

Steps = tuple[tuple[signal.Signals, float], ...]

POLITE: Steps = ((signal.SIGTERM, 8.0),)
POSTGRES_FAST: Steps = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0))
POSTGRES_NOW: Steps = ((signal.SIGQUIT, 3.0),)
STOP_ORDER = ("api", "worker", "command", "valkey", "postgres")
"""Who goes first: those that use a thing end before it. Several of a kind have names like `api@cold`."""

_KEPT_LOG = 10 * 1024 * 1024


@dataclass
class Child:
    """A process that we started.

    It leads its own session, so that a Ctrl-C in the terminal reaches the launcher alone, which then
    ends its children in their order. What it prints goes straight to a file: no pipe can break under it.
    """

    name: str
    process: subprocess.Popen[bytes]
    identity: Identity | None
    record: Path
    log: Path

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        home: Path,
        *,
        env: Mapping[str, str] | None = None,
        **popen: Any,
    ) -> "Child":
        """Start a process.

        Args:
            name: names the record `run/<name>.json` and the log `log/<name>.log` under home.
            command: program and arguments.
            home: `var/`, or the folder of throwaway engines.
            env: its whole environment; ours when missing.
            popen: anything else for `subprocess.Popen`.
        """
        record, log = home / "run" / f"{name}.json", home / "log" / f"{name}.log"
        for folder in (record.parent, log.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _KEPT_LOG:
            log.replace(log.with_suffix(".log.1"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                start_new_session=True,
                **{"cwd": ROOT, **popen},
            )
        finally:
            os.close(descriptor)
        identity = Identity.of(process.pid)
        if identity:
            try:
                write_private(
                    record, json.dumps({"name": name, "pid": identity.pid, "started": identity.started})
                )
            except BaseException:
                # Without a record nobody would ever end it: a full disk must leave no orphan.
                identity.end(())
                process.wait()
                raise
        return cls(name, process, identity, record, log)

    def ended(self) -> int | None:
        """Its exit code once it is gone (negative: the signal), else None."""
        return self.process.poll()

    def stop(self, steps: Steps, hurry: Callable[[], bool] = lambda: False) -> None:
        """End it and forget the record."""
        if self.identity and self.process.poll() is None:
            self.identity.end(steps, hurry)
        self.process.wait()
        self.record.unlink(missing_ok=True)


def stop_rank(name: str) -> int:
    """Its place in the order of ending; what no launcher of ours starts goes first."""
    kind = name.partition("@")[0]
    return STOP_ORDER.index(kind) if kind in STOP_ORDER else 0


def last_lines(log: Path, count: int = 15, *, offset: int = 0) -> list[str]:
    """The end of a log.

    Args:
        log: the file, which may be missing.
        count: how many lines at most.
        offset: byte from which the lines of this start begin.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(offset, log.stat().st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def end_orphans(home: Path) -> list[str]:
    """End what an earlier launcher, killed before it could clean up, left running.

    Only a process whose pid *and* start time are on record is touched.

    Returns:
        The names of those that were still alive.
    """
    found: dict[str, Identity] = {}
    records = sorted((home / "run").glob("*.json"))
    for record in records:
        try:
            told = json.loads(record.read_text(encoding="utf-8"))
            found[str(told["name"])] = Identity(int(told["pid"]), str(told["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    alive = sorted(
        (name for name, identity in found.items() if identity.alive),
        key=stop_rank,
    )
    for name in alive:
        # The service's processes are told all at once, its engines when they are gone.
        if name not in {"valkey", "postgres"}:
            found[name].send(signal.SIGTERM)
    for name in alive:
        found[name].end(POSTGRES_FAST if name == "postgres" else ((signal.SIGTERM, 4.0),))
    for record in records:
        record.unlink(missing_ok=True)
    return alive
