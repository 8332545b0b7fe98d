"""Puts load on a port: with Debian's `wrk` when it is there, else with the client beside this file."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import client
from benchmarks.reading import Reading
from benchmarks.scenarios import Scenario
from dev.faults import Fault

Load = Callable[[int, Scenario, float], Reading]
"""Port, what to send, seconds."""
SCRIPT = Path(__file__).with_name("wrk.lua")


def generator(wanted: str) -> tuple[str, Load]:
    """Its name and how to call it.

    Args:
        wanted: ``wrk``, ``python`` or ``auto``.

    Raises:
        Fault: wrk is wanted and not installed.
    """
    there = shutil.which("wrk")
    if wanted == "wrk" and not there:
        raise Fault("wrk is not installed (Debian: apt-get install wrk); leave --client out to do without")
    if wanted != "python" and there:
        return "wrk", _wrk
    return "the Python client", client.run


def _wrk(port: int, scenario: Scenario, seconds: float) -> Reading:
    with tempfile.NamedTemporaryFile(prefix="holdfast-requests-") as file:
        file.write(b"\1".join(scenario.requests))
        file.flush()
        done = subprocess.run(
            [
                "wrk", "-t1", f"-c{scenario.connections}", f"-d{max(1, round(seconds))}s", "--timeout", "15s",
                "-s", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", file.name, "polite" if scenario.polite else "",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    reading = reading_of(done.stdout)
    if reading is None:
        raise Fault(f"wrk did not work: {(done.stderr or done.stdout).strip()}")
    return reading


def reading_of(told: str) -> Reading | None:
    """What the script's last line says."""
    for line in told.splitlines():
        if line.startswith("READING "):
            sent, refused, busy, broken, late, took, p50, p99 = map(float, line.split()[1:])
            answered = int(sent - refused - busy)
            return Reading(answered, int(refused + broken + late), took, p50, p99, int(busy))
    return None
