"""Which process is which: a pid alone is reused, a pid with its start time is not."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
_START_TIME = 19  # the 22nd field of /proc/<pid>/stat, counted after "pid (name) " (proc_pid_stat(5))


def started_at(pid: int) -> str | None:
    """When a process began, as a mark that no later process with the same pid shares.

    Returns:
        The boot and the clock ticks since then on Linux, the start time that `ps` tells elsewhere;
        None when there is no such process or it is only waiting to be collected.
    """
    if pid <= 0:
        return None
    if _BOOT_ID.exists():
        try:
            fields = (
                (_PROC / str(pid) / "stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
        except OSError:
            return None
        if fields[0] in "ZX":
            return None
        return f"{_BOOT_ID.read_text().strip()}:{fields[_START_TIME]}"
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": os.defpath},
    ).stdout.split()
    return None if not told or told[0].startswith("Z") else " ".join(told[1:])


def command_of(pid: int) -> str:
    """The command line of a process, empty when it cannot be read."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    asked = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


@dataclass(frozen=True)
class Identity:
    """One process that ran at one time."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        started = started_at(pid)
        return cls(pid, started) if started else None

    @property
    def alive(self) -> bool:
        return started_at(self.pid) == self.started

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to this process (or to the session it leads), never to a later one with its pid."""
        if not self.alive:
            return
        try:
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def wait_gone(self, seconds: float, hurry: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the process is gone.

        Args:
            seconds: patience.
            hurry: asked again and again; true ends the wait early.

        Returns:
            Whether it is gone.
        """
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() >= deadline or hurry():
                return False
            time.sleep(0.02)
        return True

    def end(
        self, steps: tuple[tuple[signal.Signals, float], ...], hurry: Callable[[], bool] = lambda: False
    ) -> None:
        """End the process: each step is a signal and the seconds it is given; then SIGKILL to all of its session.

        Args:
            steps: from polite to firm.
            hurry: true skips what is left of the waiting.
        """
        for number, seconds in steps:
            self.send(number)
            if self.wait_gone(seconds, hurry):
                return
        self.send(signal.SIGKILL, group=True)
        self.wait_gone(5)
