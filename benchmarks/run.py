"""Measures the service beside what a team would pick instead: the same questions, data, engines and number of processes.

Each target starts in turn on fresh data, answers questions of which the answers are known, and is then measured; the
order moves on by one each round. Printed are medians and ratios; only ratios of one run can be compared, and differences
under 15 % say nothing. The file has every reading.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks import machine, scenarios, usage
from benchmarks.limits import limits
from benchmarks.load import Load, generator
from benchmarks.options import arguments
from benchmarks.peer_libraries import Libraries
from benchmarks.peers import COMMANDS, Peer, PeerData
from benchmarks.place import Place
from benchmarks.production import FOOT
from benchmarks.reading import Measured, Readings
from benchmarks.rightness import faults, wrong_answers
from benchmarks.tables import OURS, as_json, figure, tables
from benchmarks.target import Accounts, Holdfast, Target
from dev.children import end_orphans
from dev.faults import Fault, Stopped, finish
from dev.launcher import Launcher
from dev.lock import only_one
from dev.places import make_private, var_dir
from dev.terminal import Steps, say

WARM_UP, SETTLE = 3, 2
DISTURBED = 0.06
"""Share of the machine that others may take during a reading."""


class Bench:
    """One run.

    Args:
        options: of the command line.
        place: with its engines up.
        load: what sends requests.
        steps: where progress is told.
    """

    def __init__(self, options: argparse.Namespace, place: Place, load: Load, steps: Steps) -> None:
        self.readings = Readings()
        self.wrong: list[str] = []
        self._options, self._place, self._load, self._steps = options, place, load, steps
        numbers = (options.accounts, options.projects_each, options.people)
        accounts, peers = Accounts(place, *numbers), PeerData(place, *numbers)
        self.libraries = Libraries(make_private(var_dir() / "peers"))
        self.targets: list[Target] = [
            Peer(name, peers, self.libraries)
            if name in COMMANDS
            else Holdfast(accounts, cold=name == OURS[1])
            for name in options.targets
        ]

    def run(self) -> None:
        """All rounds; who answers wrongly or does not start is told of, and left out from then on."""
        for target in self.targets:
            with self._noting(target):
                target.prepare()
                self._steps.done(f"{target.name} is prepared")
        for turn in range(self._options.rounds):
            place = turn % len(self.targets)
            for target in (*self.targets[place:], *self.targets[:place]):
                if not any(line.startswith(f"{target.name}: ") for line in self.wrong):
                    with self._noting(target):
                        self._turn(target, turn)

    @contextmanager
    def _noting(self, target: Target) -> Iterator[None]:
        """A fault of one target is its own: the others are measured all the same."""
        try:
            yield
        except (Fault, OSError) as fault:
            self.wrong.append(f"{target.name}: {fault}")
        finally:
            target.stop()

    def _turn(self, target: Target, turn: int) -> None:
        people = target.start()
        if found := faults(target, people):
            self.wrong += [f"{target.name}: {each}" for each in found]
            return
        names = [name for name in self._options.scenarios if name != "304" or target.etags]
        people = scenarios.warmed(target.port, people, self._options.hot)
        sizes = (self._options.connections, self._options.sign_in_connections)
        # Whoever is asked first would pay for statements and templates that are made once.
        self._load(target.port, scenarios.scenarios(people, ["mixed"], *sizes)[0], WARM_UP)
        for each in scenarios.scenarios(people, names, *sizes):
            if found := wrong_answers(target.port, each):
                self.wrong += [f"{target.name}: {line}" for line in found]
                return
            self._load(target.port, each, 1)
            once = each.name == "sign-in"
            # Passwords that are being hashed for who has hung up would be in the way of those that are counted.
            self._place.launcher.pause(SETTLE if once else 0)
            length = max(4, self._options.seconds * self._options.readings) if once else self._options.seconds
            for _ in range(1 if once else self._options.readings):
                self._place.launcher.pause(0)
                self._place.launcher.check_alive()
                self.readings.all.append(self._calmest(target, each, turn, length))
            rate = self.readings.median(target.name, each.name, lambda one: one.rate)
            self._steps.done(f"round {turn + 1}  {target.name:16}{each.name:9}{figure(rate):>8} a second")

    def _calmest(self, target: Target, scenario: scenarios.Scenario, turn: int, seconds: int) -> Measured:
        """A reading; another one where something else took the machine meanwhile, and of these the calmest."""
        found = [self._measured(target, scenario, turn, seconds)]
        while found[-1].others > DISTURBED and len(found) <= self._options.retries:
            found.append(self._measured(target, scenario, turn, seconds))
        return min(found, key=lambda each: each.others)

    def _measured(self, target: Target, scenario: scenarios.Scenario, turn: int, seconds: int) -> Measured:
        children = self._place.launcher.children
        server = usage.family(children["api"].process.pid)
        worker = usage.family(children["worker"].process.pid) if "worker" in children else []

        def now() -> tuple[float, float, float, float]:
            beside = usage.cpu_seconds([*self._place.engine_pids(), *worker]) + usage.own_seconds()
            return usage.cpu_seconds(server), beside, usage.machine_seconds(), time.monotonic()

        before = now()
        reading = self._load(target.port, scenario, seconds)
        own, beside, busy, took = (after - was for was, after in zip(before, now(), strict=True))
        others = max(0.0, busy - own - beside) / took / (os.cpu_count() or 1)
        return Measured(
            target.name, scenario.name, turn, reading, own, round(others, 4), usage.pss_mib(server)
        )


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
        run = Bench(options, place, load, steps)
        about = machine.about(options, client, place.versions(), run.libraries)
        if options.limits:
            about["limits"] = limits(place, options, load)
        run.run()
        return show(run, about, options)


def show(run: Bench, about: machine.About, options: argparse.Namespace) -> int:
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
