"""What a request costs as everything grows: projects in the table, members of a project, pages before the one that is read.

    .venv/bin/python -m benchmarks.growth [--small 1000] [--large 10000] [--rounds 200]

Starts engines of its own, fills two databases as `flask seed` does, 200 projects to an account, and asks the application in this
process, its cache off, small and large by turns, since a machine is not equally fast all the time. In the large one a project
gets up to 10,000 members, and somebody a membership in 100,020 projects, which are 5,001 pages. Printed are medians in
milliseconds and the ratio; the exit code is 1 when a ratio is above 1.2. `benchmarks.list_growth` looks closer at lists, at
their plans too.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from flask import Flask
from werkzeug.test import Client, EnvironBuilder

from app.cli import bulk_database as database
from app.cli.bulk import BulkSeed
from app.core.passwords import PasswordHasher
from app.core.schema import owner_url
from benchmarks.scenarios import PASSWORD
from benchmarks.served import busy
from benchmarks.timing_equality import application
from dev.engines import engines_for_tests

API, EACH, CALLERS, PAGE, PAGES = "/api/v1", 200, 8, 20, 5_000
FEW, MANY = 10, 10_000
RATIO, WARM_UP = 1.2, 20
TO_MANY = """
INSERT INTO project_members (project_id, user_id, role, joined_at)
SELECT p.id, u.id, 'editor', p.created_at FROM projects p
CROSS JOIN (SELECT id FROM users ORDER BY id LIMIT {number}) AS u WHERE p.id = '{project}' ON CONFLICT DO NOTHING
"""
TO_ONE = """
INSERT INTO project_members (project_id, user_id, role, joined_at, project_created_at, project_updated_at)
SELECT p.id, u.id, 'viewer', p.created_at, p.created_at, p.updated_at
FROM users u CROSS JOIN (SELECT * FROM projects LIMIT {number}) AS p WHERE u.email = '{email}' ON CONFLICT DO NOTHING
"""
Ask = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Somebody:
    """An account that is signed in, and its own newest projects."""

    email: str
    token: str
    projects: list[str]


class Grown:
    """The service with so many accounts in its tables.

    Args:
        app: on an empty database.
        accounts: with 200 projects each.
    """

    def __init__(self, app: Flask, accounts: int) -> None:
        parts = app.extensions["holdfast"]
        BulkSeed(parts.settings, parts.services[PasswordHasher], parts.clock).run(accounts, EACH, PASSWORD)
        self.app, self.accounts = app, accounts
        self._owner_url = owner_url(parts.settings)
        self.callers = [self.somebody(number) for number in range(1, CALLERS + 1)]
        self._numbers = itertools.count()

    def somebody(self, number: int) -> Somebody:
        proof = {"email": f"user{number}@bench.example", "password": PASSWORD}
        token = Client(self.app).post(f"{API}/auth/login", json=proof).get_json()["access_token"]
        page = self.ask("GET", "/projects?limit=100", token)
        return Somebody(proof["email"], token, [item["id"] for item in page["items"]])

    def ask(self, method: str, path: str, token: str) -> Any:
        answer = Client(self.app).open(**self.environ(method, path, token))
        return answer.get_json()

    def environ(self, method: str, path: str, token: str, name: str = "") -> dict[str, Any]:
        """Args: name: of a project, for writes; a number makes each another."""
        body = {"name": f"{name} {next(self._numbers)}"} if name else None
        return {
            "method": method,
            "path": API + path,
            "headers": {"Authorization": f"Bearer {token}"},
            "json": body,
        }

    def milliseconds(self, asked: dict[str, Any]) -> float:
        """Of the application's answer, as a server would take it."""
        environ = EnvironBuilder(**asked).get_environ()
        statuses: list[str] = []

        def start(status: str, _headers: Any, _fault: Any = None) -> Any:
            statuses.append(status)

        began = time.perf_counter()
        body: Any = self.app(environ, start)
        b"".join(body)
        body.close()
        taken = (time.perf_counter() - began) * 1000
        if not statuses[0].startswith("2"):
            raise SystemExit(f"{asked['method']} {asked['path']}: {statuses[0]}")
        return taken

    def requests(self) -> dict[str, Ask]:
        """Of other people and projects each time, as PostgreSQL would not know them by heart either."""
        turns = itertools.count()

        def who() -> Somebody:
            return self.callers[next(turns) % CALLERS]

        def one() -> tuple[str, str]:
            number = next(turns)
            each = self.callers[number % CALLERS]
            return each.projects[number // CALLERS % len(each.projects)], each.token

        def of_one(method: str, name: str = "") -> dict[str, Any]:
            key, token = one()
            return self.environ(method, f"/projects/{key}", token, name)

        return {
            "get one": lambda: of_one("GET"),
            f"list {PAGE}": lambda: self.environ("GET", f"/projects?limit={PAGE}", who().token),
            "create": lambda: self.environ("POST", "/projects", who().token, "Reef"),
            "patch": lambda: of_one("PATCH", "Reef"),
        }

    def with_members(self, whose: Somebody, number: int) -> dict[str, Ask]:
        """What an owner asks of a project with so many members."""
        project = whose.projects[number % len(whose.projects)]
        self._run(TO_MANY.format(number=number, project=project))
        at = f"/projects/{project}"

        def afresh() -> dict[str, Any]:
            Client(self.app).open(**self.environ("PATCH", at, whose.token, "Crowd"))
            return self.environ("GET", at, whose.token)

        return {
            "patch": lambda: self.environ("PATCH", at, whose.token, "Crowd"),
            "get one": afresh,
            f"{FEW} members": lambda: self.environ("GET", f"{at}/members?limit={FEW}", whose.token),
            f"list {PAGE}": lambda: self.environ("GET", f"/projects?limit={PAGE}", whose.token),
        }

    def with_pages(self, number: int) -> tuple[Ask, Ask]:
        """The first page and the one after so many, of somebody with more."""
        rich = self.somebody(self.accounts)
        self._run(TO_ONE.format(number=number * PAGE + PAGE, email=rich.email))
        cursor = ""
        for _ in range(number * PAGE // 100):
            page = self.ask("GET", f"/projects?limit=100{cursor}", rich.token)
            if page["next_cursor"] is None:
                raise SystemExit(f"fewer than {number} pages: give --large more accounts")
            cursor = f"&cursor={page['next_cursor']}"
        first = f"/projects?limit={PAGE}"
        return lambda: self.environ("GET", first, rich.token), lambda: self.environ(
            "GET", first + cursor, rich.token
        )

    def _run(self, statement: str) -> None:
        with database.link(self._owner_url) as owner:
            owner.execute(statement.encode())
            owner.execute("VACUUM (ANALYZE) projects, project_members")


def in_turns(little: tuple[Grown, Ask], much: tuple[Grown, Ask], rounds: int) -> tuple[float, float]:
    """Medians of both, each first every other time."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + rounds):
        for place in (0, 1) if number % 2 else (1, 0):
            grown, ask = (little, much)[place]
            taken[place].append(grown.milliseconds(ask()))
    return median(taken[0][WARM_UP:]), median(taken[1][WARM_UP:])


def rows(small: Grown, large: Grown, rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """What grew, the request, and its milliseconds before and after."""
    grew = f"{small.accounts * EACH:,} -> {large.accounts * EACH:,} projects"
    before, after = small.requests(), large.requests()
    for name, ask in before.items():
        yield grew, name, *in_turns((small, ask), (large, after[name]), rounds)
    many = min(MANY, large.accounts)
    grew = f"{FEW} -> {many:,} members"
    before, after = large.with_members(large.callers[0], FEW), large.with_members(large.callers[1], many)
    for name, ask in before.items():
        yield grew, name, *in_turns((large, ask), (large, after[name]), rounds)
    pages = min(PAGES, large.accounts * EACH // PAGE // 2)
    first, later = large.with_pages(pages)
    yield f"page 1 -> {pages:,}", f"list {PAGE}", *in_turns((large, first), (large, later), rounds)


def main() -> int:
    """The exit code: 0 when nothing costs more than 1.2 times as much."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=1_000, help="accounts, of 200 projects each (1000)")
    parser.add_argument("--large", type=int, default=10_000, help="accounts, of 200 projects each (10000)")
    parser.add_argument("--rounds", type=int, default=200, help="of each request (200)")
    options = parser.parse_args()
    if min(options.small, options.large) <= CALLERS + FEW:
        parser.error(f"give more than {CALLERS + FEW} accounts")
    print(busy())
    over = 0
    with engines_for_tests(), application(4, cached=False) as little, application(4, cached=False) as much:
        small, large = Grown(little, options.small), Grown(much, options.large)
        print(f"\n  {'what grew':36}{'request':14}{'ms':>8}{'ms':>8}{'ratio':>8}")
        for grew, name, before, after in rows(small, large, options.rounds):
            over += after / before > RATIO
            print(f"  {grew:36}{name:14}{before:8.2f}{after:8.2f}{after / before:8.2f}", flush=True)
    print(f"\n{over} of them over {RATIO}" if over else f"\nNothing costs more than {RATIO} times as much.")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
