"""Many at once on the same few projects, proved: what was acknowledged is there once, and nothing else is.

    .venv/bin/python -m benchmarks.storm [--seconds 60] [--clients 64] [--projects 10] [--threads 8] [--pause 0]

Real gunicorn, two processes, with PostgreSQL and Valkey. Twenty people, shared by the clients, create, edit with and without
If-Match, give roles, invite, accept, remove, leave, transfer, archive, trash and restore, one by one and in bulk in opposite
orders; four at once send the same Idempotency-Key or base an edit on the same version. Meanwhile four more accounts, members
everywhere, are erased. At the end the events are replayed: each acknowledged change has its own, once, was permitted at that
moment and left the version that the answer told; each refusal had its reason; the rows are what the replay says. The exit code
is 1 when anything is wrong, when the invariants did not hold at some moment, or when an answer was a 500 or in no document.
"""

import argparse
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg2
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.core.db_errors import RetryableConflict
from app.deletion.purge import AccountPurge
from benchmarks.served import Served, busy, served
from benchmarks.storm_checks import Checks
from benchmarks.storm_clients import Crowd
from benchmarks.storm_history import History
from benchmarks.storm_journal import Answer, Journal, Person
from dev.roles import plain_url

PEOPLE, GUESTS = 20, 4
INVARIANTS = {
    "not exactly one owner, who is owner_id": "SELECT count(*) FROM projects p WHERE ARRAY[p.owner_id] IS DISTINCT FROM"
    " (SELECT array_agg(m.user_id) FROM project_members m WHERE m.project_id = p.id AND m.role = 'owner')",
    "times of a membership are not the project's": "SELECT count(*) FROM projects p JOIN project_members m"
    " ON m.project_id = p.id WHERE m.project_created_at <> p.created_at OR m.project_updated_at"
    " IS DISTINCT FROM CASE WHEN p.crowded THEN NULL ELSE p.updated_at END",
    "crowded is not told": "SELECT count(*) FROM projects p WHERE NOT p.crowded"
    " AND (SELECT count(*) FROM project_members m WHERE m.project_id = p.id) > 20",
    "a project that nobody was told of": "SELECT count(*) FROM projects p WHERE 1 <> (SELECT count(*) FROM events e"
    " WHERE e.project_id = p.id AND e.kind = 'project.created')",
    "a role that does not exist": "SELECT count(*) FROM project_members WHERE role NOT IN"
    " ('viewer', 'editor', 'admin', 'owner')",
    "status and times differ": "SELECT count(*) FROM projects WHERE (status = 'deleted') <> (deleted_at IS NOT NULL)"
    " OR (status = 'archived' AND archived_at IS NULL) OR (status = 'active' AND archived_at IS NOT NULL)",
}
ROWS = "SELECT id, name, status, version, owner_id FROM projects"
MEMBERS = "SELECT project_id, user_id, role FROM project_members"
EVENTS = "SELECT * FROM events WHERE project_id IS NOT NULL AND seq > :seq ORDER BY seq"
SEEDED = "SELECT coalesce(max(seq), 0) FROM events"
SERVER = (
    "SELECT deadlocks, xact_commit, xact_rollback FROM pg_stat_database WHERE datname = current_database()"
)
DUE = (
    "UPDATE account_deletions SET due_at = created_at WHERE user_id = CAST(:person AS uuid)",
    "UPDATE users SET deletion_scheduled_at = updated_at WHERE id = CAST(:person AS uuid)",
)

SLOWED = ("projects", "project_members", "invitations", "events")
SLOW = """
CREATE FUNCTION storm_pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(random() * {seconds}); RETURN NULL; END $$
"""
SLOW_ONE = (
    "CREATE TRIGGER storm_pause AFTER INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION storm_pause()"
)


class Watch:
    """Beside the storm: looks at the invariants all the time, and erases the guests one after the other."""

    def __init__(self, parts: Any, journal: Journal, done: threading.Event, pause: float) -> None:
        self.faults: list[str] = []
        self.looks = self.erased = self.erased_again = 0
        self._parts, self._journal, self._done, self._pause = parts, journal, done, pause

    def look(self) -> None:
        while not self._done.wait(0.5):
            self.look_once()

    def look_once(self) -> None:
        with self._parts.uow.reading() as session:
            for what, statement in INVARIANTS.items():
                wrong = session.scalar(text(statement))
                if wrong:
                    self.faults.append(f"{what}: {wrong} rows")
        self.looks += 1

    def erase(self) -> None:
        """As the job does: leaving is asked for over HTTP, its grace is over at once."""
        for guest in self._journal.guests:
            self._done.wait(self._pause)
            self._journal.ask("delete account", "deleteMe", "DELETE", "/me", guest)
            with self._parts.uow:
                for statement in DUE:
                    self._parts.uow.session.execute(text(statement), {"person": guest.id})
            while True:
                try:
                    self.erased += self._parts.services[AccountPurge].erase(UUID(guest.id))
                    break
                except RetryableConflict:
                    self.erased_again += 1


def prepared(service: Served, projects: int) -> Crowd:
    """So many shared projects, made and joined over HTTP: some crowded, some about to be, some small."""
    told = [service.sign_in(number) for number in range(1, PEOPLE + GUESTS + 1)]
    everybody = [
        Person(each["user"]["id"], f"user{number}@bench.example", each["access_token"])
        for number, each in enumerate(told, 1)
    ]
    journal = Journal(service, everybody[:PEOPLE], everybody[PEOPLE:])
    crowd = Crowd(journal)
    for number in range(projects):
        owner, others = journal.people[number % PEOPLE], journal.people[:]
        others.remove(owner)
        joining = [*journal.guests, *others[: (19, 16, 8, 4)[number % 4]]]
        made = crowd.create(owner, f"Project {number}").told["id"]
        journal.follow(made, owner)
        for place, person in enumerate(joining):
            role = ("admin", "editor", "viewer")[(place + number) % 3]
            invitation = crowd.invite(made, owner, person, role).told["id"]
            crowd.accept(invitation, made, person, person)
    return crowd


def slow_down(service: Served, seconds: float) -> None:
    """Let every writing statement rest in PostgreSQL: locks are held longer, and more transactions meet."""
    owner = psycopg2.connect(plain_url(service.env["MIGRATION_DATABASE_URL"]))
    with closing(owner), owner, owner.cursor() as cursor:
        cursor.execute(SLOW.format(seconds=seconds))
        for table in SLOWED:
            cursor.execute(SLOW_ONE.format(table=table))


def storm(crowd: Crowd, watch: Watch, done: threading.Event, clients: int, seconds: int) -> None:
    """Everybody at once, for so long; who watches stops after the last client."""
    clients_at_work = [threading.Thread(target=crowd.live, args=(number,)) for number in range(clients)]
    beside = [threading.Thread(target=watch.look), threading.Thread(target=watch.erase)]
    for thread in (*clients_at_work, *beside):
        thread.start()
    time.sleep(seconds)
    crowd.end()
    for thread in clients_at_work:
        thread.join()
    done.set()
    for thread in beside:
        thread.join()
    watch.look_once()


def replayed(session: Any, journal: Journal, seeded: int) -> tuple[dict[str, list[Any]], dict[str, History]]:
    """The events by request and the histories by project."""
    by_request, by_project = defaultdict(list), defaultdict(list)
    for event in session.execute(text(EVENTS), {"seq": seeded}).all():
        by_request[event.request_id].append(event)
        by_project[str(event.project_id)].append(event)
    addressees = {
        line.told["id"]: line.asked["target"]
        for line in journal.lines
        if line.operation == "createInvitation" and line.good
    }
    passive = {guest.id for guest in journal.guests}
    return dict(by_request), {key: History(each, addressees, passive) for key, each in by_project.items()}


def compared(session: Any, histories: dict[str, History], erased: set[str]) -> list[str]:
    """Where rows are not what their history says; the memberships of guests have none once they are erased."""
    rows = {
        str(row.id): (row.name, row.status, row.version, str(row.owner_id))
        for row in session.execute(text(ROWS))
    }
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for row in session.execute(text(MEMBERS)):
        roles[str(row.project_id)][str(row.user_id)] = row.role
    faults = []
    for key, history in histories.items():
        last = history.last
        if rows.get(key) != (last.name, last.status, last.version, last.owner):
            faults.append(f"{key} is {rows.get(key)}, should be {last}")
        if {who: role for who, role in roles[key].items() if who not in erased} != last.roles:
            faults.append(f"{key} has {roles[key]}, should have {last.roles}")
    return faults


def undocumented(service: Served, app: Any, lines: list[Answer]) -> list[str]:
    """Answers whose status is not in the OpenAPI document of their operation, or whose code is not of its own."""
    document = service.ask("GET", "/api/v1/openapi.json")[1]
    statuses = {
        operation["operationId"]: set(operation["responses"])
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    declared = (getattr(view, "holdfast_operation", None) for view in app.view_functions.values())
    codes = {each.name: {"", *(code.value for code in each.codes)} for each in declared if each}
    return [
        f"not documented: {line.operation} {line.request_id} {line.status} {line.code} {line.told}"
        for line in lines
        if str(line.status) not in statuses[line.operation] or line.code not in codes[line.operation]
    ]


def tell(lines: list[Answer]) -> None:
    """One line for each deed: answers, latencies."""
    by_deed = defaultdict(list)
    for line in lines:
        by_deed[line.deed].append(line)
    for deed, own in sorted(by_deed.items()):
        took = sorted((line.came - line.sent) * 1000 for line in own)
        p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
        print(
            f"{deed:17} {len(own):6}  median {statistics.median(took):5.0f} ms, p99 {p99:5.0f} ms", end="  "
        )
        answers = Counter(
            f"{line.status} {line.code or ('replayed' if line.replayed else '')}".strip() for line in own
        )
        print(", ".join(f"{answer}: {number}" for answer, number in answers.most_common()))


def run(service: Served, asked: Any) -> int:
    """The exit code: 0 when all is well."""
    own = {name.lower(): value for name, value in service.env.items()}
    app = create_app(
        Settings.model_validate({name: own[name] for name in Settings.model_fields if name in own})
    )
    parts, done = app.extensions["holdfast"], threading.Event()
    with parts.uow.reading() as session:
        seeded = session.scalar(text(SEEDED))
    crowd = prepared(service, asked.projects)
    if asked.pause:
        slow_down(service, asked.pause / 1000)
    journal, before = crowd.journal, len(crowd.journal.lines)
    watch = Watch(parts, journal, done, asked.seconds / (GUESTS + 2))
    storm(crowd, watch, done, asked.clients, asked.seconds)
    faults = undocumented(service, app, journal.lines)
    service.stop()  # so that every process has handed in its figures
    with parts.uow.reading() as session:
        by_request, histories = replayed(session, journal, seeded)
        passive = {guest.id for guest in journal.guests}
        checks = Checks(journal.lines, histories, by_request, passive)
        faults += [*watch.faults, *checks.faults(), *compared(session, histories, passive)]
        faults += ["not all guests were erased"] * (watch.erased < GUESTS)
        server = session.execute(text(SERVER)).one()
    lines = journal.lines[before:]
    tell(lines)
    good = sum(line.good for line in lines)
    print(
        f"{asked.clients} clients, {asked.projects} projects, {asked.seconds} s: {len(lines)} requests, {good} of them 2xx;"
    )
    for code in ("write_conflict", "request_in_progress", "version_conflict", "overloaded", "internal_error"):
        print(f"  {code}: {sum(line.code == code for line in lines)}", end=";")
    print(
        f"\nPostgreSQL: {server.deadlocks} deadlocks, {server.xact_commit} commits, {server.xact_rollback} rollbacks"
    )
    print(
        f"invariants looked at {watch.looks} times; {watch.erased} accounts erased, {watch.erased_again} times again"
    )
    print(", ".join(f"{number} {what}" for what, number in checks.told.items()))
    print(f"{len(histories)} projects replayed, of {sum(map(len, by_request.values()))} events")
    print(f"faults: {len(faults)}")
    for fault in faults[:20]:
        print(fault)
    parts.engines.engine.dispose()
    parts.gate.close()
    return 1 if faults or not good else 0


def main() -> int:
    """The exit code: 0 when all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--projects", type=int, default=10)
    parser.add_argument("--threads", type=int, default=8, help="of each of the two processes (8)")
    parser.add_argument(
        "--pause", type=float, default=0, help="so many ms, at most, PostgreSQL rests after each write (0)"
    )
    asked = parser.parse_args()
    print(busy())
    with served(PEOPLE + GUESTS, BCRYPT_COST="10", THREADS=str(asked.threads)) as service:
        return run(service, asked)


if __name__ == "__main__":
    sys.exit(main())
