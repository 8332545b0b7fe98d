"""Everybody measured side by side: all servers are up at once, and each reading of one is followed by the same of the next.

The machine's speed may move by half for minutes. What is compared is therefore taken seconds apart, and ratios are of such
pairs (`benchmarks.reading`).
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks import scenarios, usage
from benchmarks.load import Load
from benchmarks.peer_libraries import Libraries
from benchmarks.peers import COMMANDS, Peer, PeerData
from benchmarks.place import Place
from benchmarks.reading import Measured, Readings
from benchmarks.rightness import faults, wrong_answers
from benchmarks.scenarios import Person, Scenario
from benchmarks.tables import OURS, figure
from benchmarks.target import Accounts, Holdfast, Target
from dev.faults import Fault
from dev.places import make_private, var_dir
from dev.terminal import Steps

WARM_UP, SETTLE, BREATH = 3, 2, 0.1
DISTURBED = 0.06
"""Share of the machine that others may take during a reading."""


@dataclass
class Entrant:
    """A target that is up, and what is asked of it, by name of the scenario."""

    target: Target
    asked: dict[str, Scenario] = field(default_factory=dict)


class Rounds:
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
        self._sizes = (options.connections, options.sign_in_connections)
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
            try:
                self._round(turn)
            finally:
                for target in self.targets:
                    target.stop()

    def _round(self, turn: int) -> None:
        entrants: list[Entrant] = []
        for target in filter(self._is_right, self.targets):
            with self._noting(target):
                entrants.append(self._started(target))
                self._steps.done(f"round {turn + 1}  {target.name} is up")
        self._place.checkpoint()
        for number in range(self._options.readings):
            for each in self._in_turn(entrants, 0):
                with self._noting(each.target):
                    self._let_in(each)
            for name in self._options.scenarios:
                if name != "sign-in" or not number:
                    self._side_by_side(entrants, name, turn, number)

    def _side_by_side(self, entrants: Sequence[Entrant], name: str, turn: int, number: int) -> None:
        """One reading of everybody; who is first moves on by one each time."""
        asked = [each for each in self._in_turn(entrants, turn + number) if name in each.asked]
        for each in asked if number == 0 else ():
            with self._noting(each.target):
                self._tried(each, name)
        for each in filter(lambda each: self._is_right(each.target), asked):
            with self._noting(each.target):
                # Both processes of a server have to see what the last scenarios changed.
                self._load(each.target.port, each.asked[name], 1)
                self.readings.all.append(self._calmest(each, name, turn, number))
        there = [(each.target.name, self.readings.last(each.target.name, name)) for each in asked]
        told = "  ".join(f"{who} {figure(found.rate)}" for who, found in there if found)
        self._steps.done(f"round {turn + 1}.{number + 1}  {name:8}{told}")

    def _in_turn(self, entrants: Sequence[Entrant], first: int) -> list[Entrant]:
        able = [each for each in entrants if self._is_right(each.target)]
        place = first % max(1, len(able))
        return [*able[place:], *able[:place]]

    def _is_right(self, target: Target) -> bool:
        return not any(line.startswith(f"{target.name}: ") for line in self.wrong)

    @contextmanager
    def _noting(self, target: Target) -> Iterator[None]:
        """A fault of one target is its own: the others are measured all the same."""
        try:
            yield
        except (Fault, OSError) as fault:
            self.wrong.append(f"{target.name}: {fault}")
        if not self._is_right(target):
            target.stop()

    def _started(self, target: Target) -> Entrant:
        target.start()
        if found := faults(target, target.people()):
            self.wrong += [f"{target.name}: {each}" for each in found[1:]]
            raise Fault(found[0])
        entrant = Entrant(target)
        people = self._let_in(entrant)
        # Whoever is asked first would pay for statements and templates that are made once.
        self._load(target.port, scenarios.scenarios(people, ["mixed"], *self._sizes)[0], WARM_UP)
        return entrant

    def _let_in(self, entrant: Entrant) -> list[Person]:
        """Have people with new tokens read what they will read, and ask from then on."""
        target = entrant.target
        people = scenarios.warmed(target.port, target.people(), self._options.hot)
        names = [name for name in self._options.scenarios if name != "304" or target.etags]
        entrant.asked = {each.name: each for each in scenarios.scenarios(people, names, *self._sizes)}
        return people

    def _tried(self, entrant: Entrant, name: str) -> None:
        target, scenario = entrant.target, entrant.asked[name]
        if found := wrong_answers(target.port, scenario):
            self.wrong += [f"{target.name}: {each}" for each in found[1:]]
            raise Fault(found[0])

    def _calmest(self, entrant: Entrant, name: str, turn: int, number: int) -> Measured:
        """A reading; another one where something else took the machine meanwhile, and of these the calmest."""
        found = [self._measured(entrant, name, turn, number)]
        while found[-1].others > DISTURBED and len(found) <= self._options.retries:
            found.append(self._measured(entrant, name, turn, number))
        return min(found, key=lambda each: each.others)

    def _measured(self, entrant: Entrant, name: str, turn: int, number: int) -> Measured:
        target, scenario = entrant.target, entrant.asked[name]
        # Passwords that are being hashed for who has hung up would be in the way of those that are counted.
        self._place.launcher.pause(SETTLE if scenario.polite else BREATH)
        seconds = self._options.seconds
        length = max(4, seconds * self._options.readings) if scenario.polite else seconds
        running = self._place.launcher.children
        server = usage.family(running[target.processes[0]].process.pid)
        rest = [pid for each in running.values() for pid in usage.family(each.process.pid)]
        idle = [pid for pid in rest if pid not in server]

        def now() -> tuple[float, float, float, float, float]:
            engines, known = usage.cpu_seconds(self._place.engine_pids()), usage.own_seconds()
            known += usage.cpu_seconds(idle)
            return usage.cpu_seconds(server), engines, known, usage.machine_seconds(), time.monotonic()

        before = now()
        reading = self._load(target.port, scenario, length)
        own, engines, known, busy, took = (after - was for was, after in zip(before, now(), strict=True))
        if ended := [each for each in target.processes if running[each].ended() is not None]:
            raise Fault(f"{' and '.join(ended)} ended by itself; all of its log: {running[ended[0]].log}")
        cores = took * (os.cpu_count() or 1)
        others = max(0.0, busy - own - engines - known) / cores
        return Measured(
            target.name, name, turn, number, reading, own, engines, round(others, 4), round(busy / cores, 4),
            usage.pss_mib(server),
        )  # fmt: skip
