"""Measures the service beside what a team would pick instead: the same questions, data, engines and number of processes.

Each target starts on fresh data and answers questions of which the answers are known; then all are measured side by side,
a few seconds each in turn. Printed are medians, and ratios of readings that were taken one after the other; only ratios of
one run can be compared, and differences under 15 % say nothing. The file has every reading.
"""

import argparse
import json
import shutil
import sys
from contextlib import ExitStack

from benchmarks import machine
from benchmarks.limits import limits
from benchmarks.load import generator
from benchmarks.options import arguments
from benchmarks.place import Place
from benchmarks.production import FOOT
from benchmarks.rounds import Rounds
from benchmarks.tables import OURS, as_json, tables
from dev.children import end_orphans
from dev.faults import Stopped, finish
from dev.launcher import Launcher
from dev.lock import only_one
from dev.places import make_private, var_dir
from dev.terminal import Steps, say


def bench(options: argparse.Namespace) -> int:
    """Everything in order; what was started ends with us, and the data go unless they are to be kept.

    Returns:
        1 when somebody answered wrongly or with errors, else 0.
    """
    client, load = generator(options.client)
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
        steps.done("PostgreSQL and Valkey started")
        run = Rounds(options, place, load, steps)
        about = machine.about(options, client, place.versions(), run.libraries)
        if options.limits:
            about["limits"] = limits(place, options, load)
        run.run()
        return show(run, about, options)


def show(run: Rounds, about: machine.About, options: argparse.Namespace) -> int:
    """Print the tables, write the file."""
    names = options.scenarios
    say(f"\n{machine.lines(about)}\n\n{tables(run.readings, options.targets, names)}\n")
    others = [each.others for each in run.readings.all] or [0.0]
    say(
        f"  Others took {sorted(others)[len(others) // 2]:.0%} of the machine in the middle, {max(others):.0%} at worst."
    )
    if set(OURS) & set(options.targets):
        say(f"  {FOOT}.")
    for target in options.targets:
        if busy := sum(each.reading.busy for each in run.readings.all if each.target == target):
            say(
                f"  {target} told {busy} who signed in to come again later (503); they did, and count as no error."
            )
    failed = [
        (target, name) for target in options.targets for name in names if run.readings.errors(target, name)
    ]
    told = [
        *run.wrong,
        *(f"{target}: {name} had {run.readings.errors(target, name)} errors" for target, name in failed),
    ]
    for line in told:
        say(f"  NOT VALID  {line}")
    path = options.json or var_dir() / "bench.json"
    report = {"about": about, "not_valid": told, **as_json(run.readings, options.targets, names)}
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    say(f"  written to {path}\n")
    return int(bool(told))


def main() -> int:
    options = arguments(__doc__ or "")

    def story() -> int:
        try:
            return bench(options)
        except Stopped:
            say("\n  Stopped; nothing was measured to the end.")
            return 130

    return finish(story)


if __name__ == "__main__":
    sys.exit(main())
