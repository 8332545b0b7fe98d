"""What one measurement gives."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Reading:
    """Requests of one scenario in one stretch of time.

    Attributes:
        answered: requests that got an answer below 400.
        errors: other answers, cut connections and time-outs.
        seconds: how long it took.
        p50_ms, p99_ms: latencies of all requests.
    """

    answered: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Summary:
    """The readings of one scenario, in short: medians, and the range of the rate."""

    name: str
    connections: int
    rate: float
    slowest: float
    fastest: float
    p50_ms: float
    p99_ms: float
    errors: int

    @classmethod
    def of(cls, name: str, connections: int, readings: Sequence[Reading]) -> "Summary":
        rates = [each.rate for each in readings]
        return cls(
            name,
            connections,
            round(median(rates), 1),
            round(min(rates), 1),
            round(max(rates), 1),
            round(median(each.p50_ms for each in readings), 2),
            round(median(each.p99_ms for each in readings), 2),
            sum(each.errors for each in readings),
        )

    def as_dict(self, hello: float, select: float) -> dict[str, Any]:
        return {**asdict(self), "of_hello": ratio(self.rate, hello), "of_pgbench": ratio(self.rate, select)}


def ratio(rate: float, limit: float) -> float | None:
    return round(rate / limit, 4) if limit else None


def table(summaries: Sequence[Summary], hello: float, select: float) -> str:
    """Aligned columns; the last two say how much of what gunicorn and PostgreSQL can do alone."""
    head = ("", "conns", "req/s", "range", "p50 ms", "p99 ms", "errors", "x hello", "x pgbench")
    rows = [head, *(_row(each, hello, select) for each in summaries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  "
        + row[0].ljust(widths[0])
        + "".join(f"  {cell.rjust(width)}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def _row(each: Summary, hello: float, select: float) -> tuple[str, ...]:
    return (
        each.name,
        str(each.connections),
        f"{each.rate:,.0f}" if each.rate >= 100 else f"{each.rate:.1f}",
        f"{each.slowest:,.0f}-{each.fastest:,.0f}",
        f"{each.p50_ms:.1f}",
        f"{each.p99_ms:.1f}",
        str(each.errors),
        f"{each.rate / hello:.3f}" if hello else "-",
        f"{each.rate / select:.3f}" if select else "-",
    )
