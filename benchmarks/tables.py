"""Readings as tables for the terminal, and as ratios for the file."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.reading import Measured, Readings

FLOOR = "floor"
OURS = ("holdfast", "holdfast-cold")
Cell = float | None
# What is read off a measurement, and whether more of it is better.
KINDS: dict[str, tuple[Callable[[Measured], float], bool]] = {
    "requests a second": (lambda each: each.rate, True),
    "CPU seconds of the server for 1000 requests": (lambda each: each.cpu_per_1000, False),
    "CPU seconds of PostgreSQL and Valkey for 1000 requests": (lambda each: each.engines_per_1000, False),
    "share of the machine that all processes took": (lambda each: each.busy, True),
    "p50, ms": (lambda each: each.reading.p50_ms, False),
    "p99, ms": (lambda each: each.reading.p99_ms, False),
}


def tables(readings: Readings, targets: Sequence[str], names: Sequence[str]) -> str:
    """A table for each kind of figure with the targets in rows, then the ratios."""
    parts = []
    for kind, (what, _) in KINDS.items():
        rows = [(target, [readings.median(target, name, what) for name in names]) for target in targets]
        parts.append(aligned(kind, names, rows))
    memory = ", ".join(f"{target} {readings.memory(target):.0f}" for target in targets)
    parts.append(f"  Memory of the server's processes at most, PSS MiB: {memory}")
    found = ratios(readings, targets, names)
    if found:
        parts.append(aligned("ratios, above 1 is better", names, found))
    return "\n\n".join(parts)


def ratios(readings: Readings, targets: Sequence[str], names: Sequence[str]) -> list[tuple[str, list[Cell]]]:
    """Ours to the best peer with an ORM, and to the floor, by rate and by CPU; and 304 to reading it whole."""
    peers = [target for target in targets if target not in {*OURS, FLOOR}]
    compared = [("best ORM peer", peers), ("floor", [FLOOR] if FLOOR in targets else [])]
    short = {
        "requests a second": "rate",
        "CPU seconds of the server for 1000 requests": "CPU",
        "p99, ms": "p99",
    }
    rows: list[tuple[str, list[Cell]]] = []
    for ours in [target for target in OURS if target in targets]:
        for label, theirs in compared:
            for kind, told in short.items():
                what, most = KINDS[kind]
                if theirs:
                    cells = [readings.ratio_to_best(ours, theirs, name, what, most=most) for name in names]
                    rows.append((f"{ours} / {label}, {told}", cells))
        if {"304", "get"} <= set(names):
            rate, _ = KINDS["requests a second"]
            cell = readings.ratio((ours, "304"), (ours, "get"), rate, most=True)
            rows.append((f"{ours} / itself, get", [cell if name == "304" else None for name in names]))
    return rows


def aligned(title: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> str:
    """Text with the title at the head of the first column."""
    lines = [(title, *names), *((label, *map(figure, cells)) for label, cells in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names) + 1)]
    return "\n".join(
        "  " + "  ".join([line[0].ljust(widths[0]), *(each.rjust(width) for each, width in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )  # fmt: skip


def figure(value: Cell) -> str:
    """Three digits that say something; a dash where nothing was measured."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def as_json(readings: Readings, targets: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Medians, ratios and every reading."""
    return {
        "medians": {
            target: {
                name: {kind: readings.median(target, name, what) for kind, (what, _) in KINDS.items()}
                for name in names
            }
            for target in targets
        },
        "pss_mib": {target: round(readings.memory(target), 1) for target in targets},
        "ratios": {
            label: dict(zip(names, cells, strict=True)) for label, cells in ratios(readings, targets, names)
        },
        "readings": [each.as_dict() for each in readings.all],
    }
