"""What processes took of the machine, from /proc; nothing where there is none (macOS)."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")
MIB = 1024


def family(root: int) -> list[int]:
    """A process and all that it started, and they."""
    found = [root]
    for pid in found:
        for task in PROC.glob(f"{pid}/task/*/children"):
            with contextlib.suppress(OSError):
                found += map(int, task.read_text(encoding="ascii").split())
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time until now; of ended children too, once they were waited for."""
    return sum(map(_cpu_of, pids))


def pss_mib(pids: Iterable[int]) -> float:
    """Memory, what is shared counted in parts."""
    return sum(map(_pss_of, pids)) / MIB


def machine_seconds() -> float:
    """What all cores together have worked since the start of the machine."""
    try:
        line = (PROC / "stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return 0.0
    fields = [int(field) for field in line.split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def own_seconds() -> float:
    """Of this process and the children that it waited for, the load generator among them."""
    return sum(os.times()[:4])


def _cpu_of(pid: int) -> float:
    try:
        told = (PROC / str(pid) / "stat").read_text(encoding="latin-1")
    except OSError:
        return 0.0
    # The name in the second field may hold anything, so count from its end; utime, stime, cutime, cstime.
    return sum(map(int, told.rpartition(")")[2].split()[11:15])) / TICK


def _pss_of(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
