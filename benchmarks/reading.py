"""What one measurement gives, and what many of them say."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Reading:
    """Requests of one scenario in one stretch of time, as the load generator saw them.

    Attributes:
        answered: requests that got an answer below 400.
        errors: other answers, cut connections and time-outs.
        seconds: how long it took.
        p50_ms, p99_ms: latencies of all requests.
        busy: answers 503 with the time to come again, where the sender heeds that; neither good nor an error.
    """

    answered: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    busy: int = 0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Measured:
    """A reading, and what it took of the machine meanwhile.

    Attributes:
        turn, number: the round, and which of its readings: readings of two targets that agree in both were taken seconds apart.
        cpu_seconds: of the server's processes.
        engine_seconds: of CPU, of PostgreSQL and Valkey.
        others: share of the machine that processes took which have no part in this.
        busy: share of the machine that all processes together took.
        pss_mib: memory of the server's processes after it.
    """

    target: str
    scenario: str
    turn: int
    number: int
    reading: Reading
    cpu_seconds: float
    engine_seconds: float
    others: float
    busy: float
    pss_mib: float

    @property
    def rate(self) -> float:
        return self.reading.rate

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds for a thousand requests: steadier than the rate where other work comes and goes."""
        return self._per_1000(self.cpu_seconds)

    @property
    def engines_per_1000(self) -> float:
        """The same of PostgreSQL and Valkey."""
        return self._per_1000(self.engine_seconds)

    def _per_1000(self, seconds: float) -> float:
        return 1000 * seconds / max(1, self.reading.answered + self.reading.errors)

    def as_dict(self) -> dict[str, Any]:
        told = {**asdict(self), **asdict(self.reading)}
        del told["reading"]
        return {
            **told,
            "rate": round(self.rate, 2),
            "cpu_per_1000": round(self.cpu_per_1000, 4),
            "engines_per_1000": round(self.engines_per_1000, 4),
        }


class Readings:
    """All that was measured in one run."""

    def __init__(self, all_of_them: Iterable[Measured] = ()) -> None:
        self.all = list(all_of_them)

    def of(self, target: str, scenario: str) -> list[Measured]:
        return [each for each in self.all if (each.target, each.scenario) == (target, scenario)]

    def median(self, target: str, scenario: str, what: Callable[[Measured], float]) -> float | None:
        """None where there is no reading, or where the scenario had errors: such a number would say nothing."""
        found = self.of(target, scenario)
        return median(map(what, found)) if found and not self.errors(target, scenario) else None

    def errors(self, target: str, scenario: str) -> int:
        return sum(each.reading.errors for each in self.of(target, scenario))

    def last(self, target: str, scenario: str) -> Measured | None:
        found = self.of(target, scenario)
        return found[-1] if found else None

    def memory(self, target: str) -> float:
        return max((each.pss_mib for each in self.all if each.target == target), default=0.0)

    def ratio(
        self, ours: tuple[str, str], theirs: tuple[str, str], what: Callable[[Measured], float], *, most: bool
    ) -> float | None:
        """The median of ratios of readings that were taken one after the other; above 1 where ours is better.

        Args:
            ours, theirs: target and scenario.
            what: is compared.
            most: whether more of it is better.
        """
        if self.errors(*ours) or self.errors(*theirs):
            return None
        mine = {(each.turn, each.number): what(each) for each in self.of(*ours)}
        pairs = [(mine.get((each.turn, each.number)), what(each)) for each in self.of(*theirs)]
        found = [mine / their if most else their / mine for mine, their in pairs if mine and their]
        return median(found) if found else None

    def ratio_to_best(
        self,
        ours: str,
        theirs: Sequence[str],
        scenario: str,
        what: Callable[[Measured], float],
        *,
        most: bool,
    ) -> float | None:
        """To the one among them beside whom ours looks worst."""
        found = [self.ratio((ours, scenario), (each, scenario), what, most=most) for each in theirs]
        return min((each for each in found if each is not None), default=None)
