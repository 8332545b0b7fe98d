"""What a page of projects costs as the table grows, and for somebody with very many of them.

    .venv/bin/python -m benchmarks.list_growth [--accounts 100000] [--rounds 40]

Starts engines of its own and asks the service in this process. First with 2,000 projects, then with 20 for each account
(2,000,000), and two and a half memberships to a project: the page of somebody with 20 projects, and in the large table that of
somebody with 10,000, a hundred of them with more members than their order is copied to. Printed are medians, the ratio of
large to small, and how many rows PostgreSQL sorted. The exit code is 1 when a ratio is above 1.5, or when a list by time sorts
more than a page and the crowded projects.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Connection

from app.cli import bulk_database as database
from app.cli.bulk import BulkSeed
from app.core.access import Actor, SiteRole
from app.core.ids import new_id
from app.core.pagination import PageRequest
from app.core.passwords import PasswordHasher
from app.core.schema import owner_url
from app.projects.filters import ProjectFilters
from app.projects.service import ProjectService
from benchmarks.place import PASSWORD
from benchmarks.timing_equality import application
from dev.engines import engines_for_tests

EACH, SMALL, CALLERS, MORE = 20, 100, 10, 30
MANY, CROWDED, PAGE, DEEP = 10_000, 100, 20, 250
RATIO = 1.5
BY_TIME = ("-updated_at", "updated_at", "-created_at", "created_at")
LISTS: dict[str, ProjectFilters] = {
    **{sort: ProjectFilters(sort=sort) for sort in (*BY_TIME, "name")},
    "q, found as typed": ProjectFilters(q="harbour"),
    "q, mistyped": ProjectFilters(q="harbuor"),
}
NUMBERED = (
    "CREATE TEMP TABLE people AS SELECT row_number() OVER (ORDER BY created_at, id) - 1 AS n, id FROM users",
    (
        "CREATE TEMP TABLE works AS"
        " SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, created_at, updated_at FROM projects"
    ),
    "CREATE UNIQUE INDEX ON works (n)",
    "ANALYZE people, works",
)
PEOPLE = b"SELECT id FROM people WHERE n <= 10 ORDER BY n"
COUNTS = (
    b"SELECT count(*), (SELECT count(*) FROM project_members), count(*) FILTER (WHERE crowded) FROM projects"
)
COPIED = "INSERT INTO project_members (project_id, user_id, role, joined_at, project_created_at, project_updated_at)"
SHARED = f"""
{COPIED} SELECT w.id, p.id, 'editor', w.created_at, w.created_at, w.updated_at
FROM people p CROSS JOIN generate_series(1, {MORE}) AS k
JOIN works w ON w.n = (p.n * 7919 + k * 15485863) % (SELECT count(*) FROM works)
WHERE p.n > {CALLERS} ON CONFLICT DO NOTHING
"""
VERY_MANY = f"""
{COPIED} SELECT w.id, p.id, 'viewer', w.created_at, w.created_at, w.updated_at
FROM people p JOIN works w ON w.n % greatest(1, (SELECT count(*) FROM works) / {MANY}) = 0
WHERE p.n = {CALLERS} ON CONFLICT DO NOTHING
"""
CROWDS = f"""
INSERT INTO project_members (project_id, user_id, role, joined_at)
SELECT c.project_id, p.id, 'viewer', c.project_created_at FROM (
    SELECT m.project_id, m.project_created_at, row_number() OVER (ORDER BY m.project_id) AS n FROM project_members m
    WHERE m.user_id = (SELECT id FROM people WHERE n = {CALLERS}) AND m.role = 'viewer'
) AS c JOIN people p ON p.n BETWEEN {CALLERS} + 1 AND {CALLERS} + 30
WHERE c.n % ({MANY} / {CROWDED}) = 0 ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Cost:
    """Of one list: milliseconds a page, and the most rows that a step of its plan sorted."""

    milliseconds: float
    rows_sorted: int


class Lists:
    """The service with so many projects in its tables.

    Args:
        app: on an empty database.
        accounts: with 20 projects each.
    """

    def __init__(self, app: Flask, accounts: int) -> None:
        parts = app.extensions["holdfast"]
        self._service = parts.services[ProjectService]
        self._engine = parts.engines.engine
        BulkSeed(parts.settings, parts.services[PasswordHasher], parts.clock).run(accounts, EACH, PASSWORD)
        with database.link(owner_url(parts.settings)) as owner:
            for statement in (*NUMBERED, SHARED, VERY_MANY, CROWDS):
                owner.execute(statement.encode())
            people = [row[0] for row in owner.execute(PEOPLE)]
            self.counts = owner.execute(COUNTS).fetchone() or ()
            owner.execute("VACUUM (ANALYZE) users, projects, project_members")
        *self.callers, self.rich = [Actor(each, new_id(), SiteRole.user) for each in people]

    def page(self, filters: ProjectFilters, number: int) -> float:
        """Milliseconds of the first page of somebody with 20 projects, of another person each time."""
        actor = self.callers[number % CALLERS]
        began = time.perf_counter()
        self._service.list_visible(actor, filters, PageRequest(PAGE))
        return (time.perf_counter() - began) * 1000

    def rows_sorted(self, filters: ProjectFilters) -> int:
        return self._sorted(self.callers[0], filters, None)

    def page_of_many(self, filters: ProjectFilters, cursor: str | None, rounds: int) -> Cost:
        """A page of somebody with 10,000."""
        taken = []
        for _ in range(rounds):
            began = time.perf_counter()
            self._service.list_visible(self.rich, filters, PageRequest(PAGE, cursor))
            taken.append(time.perf_counter() - began)
        return Cost(median(taken) * 1000, self._sorted(self.rich, filters, cursor))

    def deep(self, filters: ProjectFilters) -> str | None:
        """The cursor after many pages."""
        cursor = None
        for _ in range(DEEP * PAGE // 100):
            cursor = self._service.list_visible(self.rich, filters, PageRequest(100, cursor)).next_cursor
        return cursor

    def _sorted(self, actor: Actor, filters: ProjectFilters, cursor: str | None) -> int:
        seen: list[str] = []

        def note(_link: Connection, handle: Any, statement: str, values: Any, *_rest: Any) -> None:
            seen.append(handle.mogrify(statement, values).decode())

        event.listen(self._engine, "before_cursor_execute", note)
        try:
            self._service.list_visible(actor, filters, PageRequest(PAGE, cursor))
        finally:
            event.remove(self._engine, "before_cursor_execute", note)
        with self._engine.connect() as link:
            explained = link.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {seen[-1]}".replace("%", "%%"))
            plan = explained.scalar()
        found = plan if isinstance(plan, list) else json.loads(plan)
        return max(rows_sorted(found[0]["Plan"]), default=0)


def in_turns(small: Lists, large: Lists, filters: ProjectFilters, rounds: int) -> tuple[float, float]:
    """Medians of both tables, measured by turns: a machine is not equally fast all the time."""
    taken = [(small.page(filters, number), large.page(filters, number)) for number in range(CALLERS + rounds)]
    before, after = zip(*taken[CALLERS:], strict=True)
    return median(before), median(after)


def rows_sorted(plan: dict[str, Any]) -> Iterator[int]:
    """How many rows went into each step that sorts."""
    for child in plan.get("Plans", ()):
        if plan["Node Type"] in {"Sort", "Incremental Sort"}:
            yield round(child["Actual Rows"] * child["Actual Loops"])
        yield from rows_sorted(child)


def main() -> int:
    """The exit code: 0 when a page's cost depends on the caller's own projects."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=100_000, help="in the large table, 20 projects each")
    parser.add_argument("--rounds", type=int, default=40, help="pages of each list")
    options = parser.parse_args()
    faults = []
    with engines_for_tests(), application(4, cached=False) as little, application(4, cached=False) as much:
        small, large = Lists(little, SMALL), Lists(much, options.accounts)
        projects, members, crowded = large.counts
        print(
            f"\nSomebody with {EACH} projects, {small.counts[0]:,} and {projects:,} in the table"
            f" ({members:,} memberships): ms a page of {PAGE}"
        )
        print(f"  {'':20}{'small':>9}{'large':>9}{'ratio':>8}{'sorted':>9}")
        for name, filters in LISTS.items():
            before, after = in_turns(small, large, filters, options.rounds)
            ratio = after / before
            print(f"  {name:20}{before:9.2f}{after:9.2f}{ratio:8.2f}{large.rows_sorted(filters):9}")
            if ratio > RATIO:
                faults.append(f"{name}: {ratio:.2f} times the cost")
        print(f"\nSomebody with {MANY:,}, {crowded} of them crowded: ms a page of {PAGE}, first and {DEEP}th")
        print(f"  {'':20}{'first':>9}{'sorted':>9}{f'{DEEP}th':>9}{'sorted':>9}")
        for name, filters in LISTS.items():
            first = large.page_of_many(filters, None, options.rounds)
            later = large.page_of_many(filters, large.deep(filters), options.rounds)
            print(
                f"  {name:20}{first.milliseconds:9.2f}{first.rows_sorted:9}"
                f"{later.milliseconds:9.2f}{later.rows_sorted:9}"
            )
            if name in BY_TIME and max(first.rows_sorted, later.rows_sorted) > PAGE + 1 + crowded:
                faults.append(f"{name}: sorts more than a page")
    print("\n" + ("\n".join(faults) or "A page costs what the caller's own projects cost."))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
