"""What a reader of figures must know: the machine, the versions, the size of it all."""

import argparse
import os
import platform
import sysconfig
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peer_libraries import Libraries
from benchmarks.peers import COMMANDS

About = dict[str, Any]
OURS = (
    "flask",
    "flask-smorest",
    "marshmallow",
    "sqlalchemy",
    "psycopg2-binary",
    "redis",
    "gunicorn",
    "orjson",
)


def about(options: argparse.Namespace, client: str, engines: dict[str, str], libraries: Libraries) -> About:
    """For the file and for the head of the tables.

    Args:
        options: of the command line.
        client: what sends the requests.
        engines: versions of the two.
        libraries: of the peers.
    """
    folders = {name: COMMANDS[name][0] for name in options.targets if name in COMMANDS}
    return {
        "machine": platform.machine(), "processor": processor(), "cores": os.cpu_count(),
        "load_average_before": round(os.getloadavg()[0], 2), "python": platform.python_version(),
        "python_optimised": optimised(), "client": client, "engines": engines,
        "versions": {name: version(name) for name in OURS},
        "peers": {name: libraries.versions(folder) for name, folder in folders.items()},
        "accounts": options.accounts, "projects": options.accounts * options.projects_each, "people": options.people, "hot": options.hot,
        "connections": options.connections, "sign_in_connections": options.sign_in_connections,
        "workers": options.workers, "threads": options.threads,
        "rounds": options.rounds, "readings": options.readings, "seconds": options.seconds,
    }  # fmt: skip


def lines(told: About) -> str:
    """The head of the tables."""
    kind = "" if told["python_optimised"] else " whose build flags name no profile-guided optimisation"
    engines = ", ".join(f"{name} {number}" for name, number in told["engines"].items())
    limits = "".join(f"; {name} {rate:,} a second" for name, rate in told.get("limits", {}).items())
    return (
        f"  {told['cores']} cores ({told['processor']}), Python {told['python']}{kind}, {engines}\n"
        f"  {told['projects']:,} projects, {told['people']} people who read {told['hot']} of theirs, over {told['connections']} connections "
        f"({told['sign_in_connections']} for signing in), sent by {told['client']}\n"
        f"  {told['workers']} processes each, of {told['threads']} threads on gunicorn; "
        f"{told['rounds']} rounds of {told['readings']} x {told['seconds']} s{limits}"
    )


def optimised() -> bool:
    """Whether this Python, which the peers share, says that it was built by a profile. Debian's was, and does not say so."""
    flags = f"{sysconfig.get_config_var('CONFIG_ARGS') or ''} {sysconfig.get_config_var('PGO_PROF_USE_FLAG') or ''}"
    return "--enable-optimizations" in flags


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return named[0] if named else platform.machine()
