"""What the two things below a service do alone: gunicorn with nothing to serve, and PostgreSQL's own pgbench."""

import argparse
import socket
import time
from collections.abc import Callable

from benchmarks.load import Load
from benchmarks.place import Place
from benchmarks.scenarios import hello
from dev.engine_state import free_port
from dev.faults import Fault
from dev.launcher import Launcher


def limits(place: Place, options: argparse.Namespace, load: Load) -> dict[str, float]:
    """Requests and selects a second, over as many connections as everybody is measured with."""
    port = free_port()
    child = place.start_hello(port)
    try:
        _until(lambda: _listens(port), place.launcher)
        scenario = hello(options.connections)
        load(port, scenario, 1)
        found = load(port, scenario, 2 * options.seconds)
    finally:
        place.end(child)
    selects = place.selects_a_second(options.connections, 2 * options.seconds)
    return {"bare gunicorn": round(found.rate), "pgbench -S": round(selects)}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(condition: Callable[[], bool], launcher: Launcher) -> None:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise Fault("the bare gunicorn did not start")
        launcher.pause(0.05)
