"""`make test`: the suite in parallel on real engines; COVERAGE=1 measures what of the service it runs, and wants enough."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.engines import engines_for_tests
from dev.faults import Fault, finish
from dev.places import ROOT

COVERAGE_WANTED = 95.0
_SELECTING = ("-k", "-m", "--lf", "--last-failed", "--deselect", "--collect-only", "--co")


def test() -> int:
    """Run pytest with what follows on the command line.

    With COVERAGE=1, coverage is measured by line and by branch (which takes half as long again), and is gated when all
    tests run.

    Returns:
        pytest's exit code, or 1 when the coverage is too low.

    Raises:
        Fault: when the engines cannot be had.
    """
    arguments = sys.argv[1:]
    measured = os.environ.get("COVERAGE", "") not in {"", "0"} and not any(
        not word.startswith("-") or word.startswith(_SELECTING) for word in arguments
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with (
        engines_for_tests(),
        tempfile.TemporaryDirectory(prefix="holdfast-coverage-") as folder,
    ):
        report = Path(folder) / "coverage.json"
        coverage = ("--cov=app", "--cov-branch", "--cov-report=term-missing", f"--cov-report=json:{report}")
        command = [
            sys.executable,
            "-m",
            "pytest",
            f"--numprocesses={cores}",
            "--dist=worksteal",  # a long test at the end would leave the other cores idle
            *(coverage if measured else ()),
            *arguments,
        ]
        # What a running `make run` left in var/ must not change what the tests see. Bytecode is kept even where the user
        # would have none: two workers and more than a hundred processes of their tests read the same modules.
        code = _run(
            command,
            {
                "HOLDFAST_ENV_FILE": os.devnull,
                "COVERAGE_FILE": str(Path(folder) / "data"),
                "PYTHONDONTWRITEBYTECODE": "",
            },
        )
        if code or not measured:
            return code
        return _gate(json.loads(report.read_text(encoding="utf-8"))["totals"])


def _run(command: list[str], extra: dict[str, str]) -> int:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **extra})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal told pytest as well; it ends its workers and reports before it goes.
            continue


def _gate(totals: dict[str, int]) -> int:
    """Say the figures, and whether they are good enough."""
    lines = 100.0 * totals["covered_lines"] / max(1, totals["num_statements"])
    branches = 100.0 * totals["covered_branches"] / max(1, totals["num_branches"])
    print(f"coverage of app/: {lines:.1f} % of the lines, {branches:.1f} % of the branches")
    if min(lines, branches) < COVERAGE_WANTED:
        raise Fault(f"the coverage is below {COVERAGE_WANTED:.0f} %; the table above names what no test runs")
    return 0


if __name__ == "__main__":
    sys.exit(finish(test))
