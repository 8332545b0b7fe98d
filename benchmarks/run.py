"""Starts the service, fills it, measures it, and prints what came out beside what gunicorn and PostgreSQL do alone."""

import argparse
import json
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import scenarios
from benchmarks.load import Load, generator
from benchmarks.place import Place
from benchmarks.reading import Reading, Summary, table
from dev.children import end_orphans
from dev.engine_state import free_port
from dev.faults import Fault, Stopped, finish
from dev.launcher import Launcher
from dev.lock import only_one
from dev.places import make_private, var_dir
from dev.terminal import Steps, say

ORDER = ("get", "list", "create", "patch", "sign-in")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000, help="accounts to load (1000)")
    parser.add_argument("--projects-each", type=int, default=200, help="projects of each (200)")
    parser.add_argument("--people", type=int, default=32, help="how many of them take part (32)")
    parser.add_argument("--connections", type=int, default=16, help="at once (16)")
    parser.add_argument("--sign-in-connections", type=int, default=4, help="at once for signing in (4)")
    parser.add_argument("--workers", type=int, default=2, help="processes of gunicorn (2)")
    parser.add_argument("--threads", type=int, default=4, help="threads of each (4)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="readings of each; the table has their median (3)"
    )
    parser.add_argument("--seconds", type=int, default=5, help="length of one reading (5)")
    parser.add_argument("--only", default=",".join(ORDER), help=f"some of {','.join(ORDER)}")
    parser.add_argument(
        "--client", choices=["auto", "wrk", "python"], default="auto", help="what sends the requests"
    )
    parser.add_argument("--keep", action="store_true", help="keep the data for the next run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go (var/bench.json)")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    if unknown := set(chosen.only) - set(ORDER):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if (
        min(chosen.people, chosen.projects_each, chosen.rounds, chosen.seconds) < 1
        or chosen.people > chosen.accounts
    ):
        parser.error(
            "people, projects, rounds and seconds must be at least 1, and people no more than accounts"
        )
    return chosen


def bench(options: argparse.Namespace) -> int:
    """Everything in order; what was started ends with us, and the data go unless they are to be kept."""
    name, load = generator(options.client)
    home = make_private(var_dir() / "bench")
    launcher = Launcher(home)
    steps = Steps()
    with ExitStack() as stack:
        stack.enter_context(only_one(home, "measuring"))
        if not options.keep:
            stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(launcher.close)
        end_orphans(home)
        place = Place(launcher, options.workers, options.threads)
        place.start_engines()
        steps.done("PostgreSQL and Valkey started, database migrated")
        place.seed(options.accounts, options.projects_each)
        told = _measure(launcher, place, options, load, steps)
        _show(told, name, options)
    return 0


def _measure(
    launcher: Launcher, place: Place, options: argparse.Namespace, load: Load, steps: Steps
) -> dict[str, Any]:
    pgbench = place.selects_a_second(options.connections, options.seconds)
    steps.done(f"pgbench -S: {pgbench:,.0f} a second")
    hello = _bare_gunicorn(launcher, place, options, load)
    steps.done(f"bare gunicorn: {hello.rate:,.0f} a second")
    place.start_service()
    people = scenarios.sign_in_people(place.port, options.people)
    steps.done(f"the service is ready, {len(people)} people signed in")
    prepared = scenarios.scenarios(people, options.connections, options.sign_in_connections)
    chosen = [each for each in prepared if each.name in options.only]
    found: dict[str, list[Reading]] = {each.name: [] for each in chosen}
    loads = [os.getloadavg()[0]]
    for turn in range(options.rounds):
        # Another order each time, so that nobody always comes after the same neighbour.
        for each in chosen[turn % len(chosen) :] + chosen[: turn % len(chosen)]:
            launcher.pause(0)
            launcher.check_alive()
            load(place.port, each, 1)
            found[each.name].append(load(place.port, each, options.seconds))
        loads.append(os.getloadavg()[0])
        steps.done(f"round {turn + 1} of {options.rounds}")
    summaries = [Summary.of(each.name, each.connections, found[each.name]) for each in chosen]
    return {"summaries": summaries, "hello": hello.rate, "pgbench": pgbench, "loads": loads}


def _bare_gunicorn(launcher: Launcher, place: Place, options: argparse.Namespace, load: Load) -> Reading:
    port = free_port()
    child = place.start_hello(port)
    try:
        _until(lambda: _listens(port), launcher)
        scenario = scenarios.hello(options.connections)
        load(port, scenario, 1)
        return load(port, scenario, options.seconds)
    finally:
        place.end(child)


def _show(told: dict[str, Any], client: str, options: argparse.Namespace) -> None:
    loads = ", ".join(f"{each:.1f}" for each in told["loads"])
    about = {
        "client": client, "cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(),
        "rows": options.accounts * options.projects_each, "workers": options.workers, "threads": options.threads,
        "rounds": options.rounds, "seconds": options.seconds, "load_average": [round(each, 2) for each in told["loads"]],
    }  # fmt: skip
    say(
        f"\n  {about['cores']} cores, Python {about['python']}, {options.workers} x {options.threads}, "
        f"{about['rows']:,} projects; sent by {client}; {options.rounds} x {options.seconds} s; load average {loads}\n"
    )
    say(table(told["summaries"], told["hello"], told["pgbench"]))
    say(
        f"\n  alone: gunicorn {told['hello']:,.0f}/s, pgbench -S {told['pgbench']:,.0f}/s, at {options.connections} connections"
    )
    if any(each.errors for each in told["summaries"]):
        say(
            "  errors are answers of 400 and above; sign-in answers 503 `overloaded` to what it cannot do in time"
        )
    report = {
        "about": about,
        "limits": {"hello": round(told["hello"], 1), "pgbench": round(told["pgbench"], 1)},
        "scenarios": [each.as_dict(told["hello"], told["pgbench"]) for each in told["summaries"]],
    }
    path = options.json or var_dir() / "bench.json"
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    say(f"  written to {path}\n")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(condition: Callable[[], bool], launcher: Launcher) -> None:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise Fault("the bare gunicorn did not start")
        launcher.pause(0.05)


def main() -> int:
    options = arguments()

    def story() -> int:
        try:
            return bench(options)
        except Stopped:
            say("\n  Stopped; nothing was measured to the end.")
            return 130

    return finish(story)


if __name__ == "__main__":
    sys.exit(main())
