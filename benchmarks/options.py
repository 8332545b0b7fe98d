"""What `make bench ARGS=...` may be told."""

import argparse
from pathlib import Path

from benchmarks.peers import COMMANDS
from benchmarks.scenarios import ORDER
from benchmarks.tables import OURS

TARGETS = (*OURS, *COMMANDS)


def arguments(about: str, words: list[str] | None = None) -> argparse.Namespace:
    """Read them.

    Args:
        about: what the program does.
        words: instead of those of the command line.

    Raises:
        SystemExit: they make no sense; why is told.
    """
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=about)
    parser.add_argument("--targets", default=",".join(TARGETS), help=f"some of {','.join(TARGETS)}")
    parser.add_argument("--scenarios", default=",".join(ORDER), help=f"some of {','.join(ORDER)}")
    parser.add_argument("--rounds", type=int, default=3, help="each on fresh data (3)")
    parser.add_argument(
        "--readings", type=int, default=3, help="of a scenario in a round, each over new connections (3)"
    )
    parser.add_argument("--seconds", type=int, default=2, help="length of one reading (2)")
    parser.add_argument(
        "--retries", type=int, default=2, help="of a reading that something else disturbed (2)"
    )
    parser.add_argument("--accounts", type=int, default=1_000, help="accounts to load (1000)")
    parser.add_argument("--projects-each", type=int, default=200, help="projects of each (200)")
    parser.add_argument("--people", type=int, default=256, help="how many of them take part (256)")
    parser.add_argument(
        "--hot", type=int, default=8, help="projects of each that are read, all of them once before (8)"
    )
    parser.add_argument("--connections", type=int, default=16, help="at once (16)")
    parser.add_argument("--sign-in-connections", type=int, default=4, help="at once for signing in (4)")
    parser.add_argument("--workers", type=int, default=2, help="processes of every server (2)")
    parser.add_argument("--threads", type=int, default=4, help="threads of each on gunicorn (4)")
    parser.add_argument(
        "--client", choices=["auto", "wrk", "python"], default="auto", help="what sends the requests"
    )
    parser.add_argument("--limits", action="store_true", help="also what gunicorn and PostgreSQL do alone")
    parser.add_argument("--keep", action="store_true", help="keep the data for the next run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go (var/bench.json)")
    chosen = parser.parse_args(words)
    for name, known in (("targets", TARGETS), ("scenarios", ORDER)):
        wanted = [each for each in known if each in getattr(chosen, name).split(",")]
        if unknown := set(getattr(chosen, name).split(",")) - set(known):
            parser.error(f"no such {name}: {', '.join(sorted(unknown))}")
        setattr(chosen, name, wanted)
    if chosen.projects_each < 60:
        parser.error(
            "projects-each must be at least 60: pages of 20 are read, and half of the projects stay as they are"
        )
    if not 2 <= chosen.people <= chosen.accounts or min(chosen.rounds, chosen.readings, chosen.seconds) < 1:
        parser.error(
            "people must be 2 or more and no more than accounts; rounds, readings and seconds at least 1"
        )
    return chosen
