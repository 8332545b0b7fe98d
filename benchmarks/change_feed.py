"""The change feed, proved: eight write with random delays before their commits, four follow, and every copy is right.

    .venv/bin/python -m benchmarks.change_feed [--seconds 60] [--writers 8] [--followers 4]

Writers use the services on connections of their own and hold a transaction open for up to half a second after the last
write: create, rename, archive, trash, restore, purge, members in, out and with another role. Now and then one gives up, or writes
under a savepoint. Followers ask a real gunicorn over HTTP, in pages of 1 to 100, and lose an answer now and then. At the end each copy is held against the database. The exit code is 1 when one
differs, when an item came without an event that was its reason, or when an answer was no 200.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.core.events import MEMBER_KINDS
from benchmarks.change_writers import World
from benchmarks.served import Served, busy, served


@dataclass
class Follower:
    """Somebody's phone.

    Attributes:
        copy: version and role of each project, by its id.
        told: how many items of each project came since the first copy.
        start: where the first copy ended.
    """

    service: Served
    token: str
    user_id: str
    seed: int
    copy: dict[str, dict[str, Any]] = field(default_factory=dict)
    cursor: str | None = None
    told: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    start: str | None = None

    def follow(self, stop: threading.Event) -> None:
        """Ask until it is time to stop."""
        chance = random.Random(self.seed)
        while not stop.is_set() and not self.faults:
            self.ask(chance.choice((1, 2, 5, 100)))
            if chance.random() < 0.1:
                self.lose_an_answer()
            time.sleep(chance.random() * 0.1)

    def ask(self, limit: int) -> bool:
        """One page; whether there is more."""
        page = self._page(limit)
        if page is None:
            return False
        first_copy = self.start is None
        for item in page["items"]:
            if item["type"] == "upsert":
                self.copy[item["id"]] = item["project"]
            else:
                self.copy.pop(item["id"], None)
            self.counts[item["type"]] += 1
            if not first_copy:
                self.told[item["id"]] += 1
        self.cursor = page["next_cursor"]
        if first_copy and not page["has_more"]:
            self.start = self.cursor
        return bool(page["has_more"])

    def lose_an_answer(self) -> None:
        """Ask, and take no notice of what comes."""
        self._page(100)
        self.counts["lost answers"] += 1

    def _page(self, limit: int) -> Any:
        query = {"limit": limit, **({"since": self.cursor} if self.cursor else {})}
        status, page = self.service.ask(
            "GET", f"/api/v1/projects/changes?{urlencode(query)}", token=self.token
        )
        self.counts["polls"] += 1
        if status != 200:
            self.faults.append(f"{status}: {page}")
            return None
        return page


def checked(parts: Any, follower: Follower, created_before: int) -> list[str]:
    """What is wrong with a copy: what it has and lacks, and items that no event was the reason of."""
    member = ", ".join(f"'{kind.value}'" for kind in MEMBER_KINDS)
    reasons = text(REASONS.replace("KINDS", member))
    with parts.uow.reading() as session:
        rows = session.execute(text(VISIBLE), {"person": follower.user_id}).all()
        events = session.execute(reasons, {"person": follower.user_id, "seq": created_before}).all()
    right = {str(row.id): (row.name, row.status, row.version, row.role) for row in rows}
    held = {
        key: (each["name"], each["status"], each["version"], each["my_role"])
        for key, each in follower.copy.items()
    }
    faults = [
        f"skipped or wrong: {key} is {right[key]}, held {held.get(key)}"
        for key in right
        if held.get(key) != right[key]
    ]
    faults += [f"not dropped: {key}" for key in held if key not in right]
    known = {str(row.project_id): row.events for row in events}
    faults += [
        f"twice: {key} told {told} times for {known.get(key, 0)} events"
        for key, told in follower.told.items()
        if told > known.get(key, 0)
    ]
    return faults


VISIBLE = (
    "SELECT p.id, p.name, p.status, p.version, m.role FROM projects p JOIN project_members m ON m.project_id = p.id"
    " WHERE m.user_id = CAST(:person AS uuid) AND p.status <> 'deleted'"
)
WRITTEN = "SELECT count(*) FROM events WHERE seq > :seq AND project_id IS NOT NULL"
REASONS = (
    "SELECT project_id, count(*) AS events FROM events WHERE project_id IS NOT NULL AND seq > :seq"
    " AND (kind LIKE 'project.%' OR (kind IN (KINDS) AND subject_id = CAST(:person AS uuid))) GROUP BY project_id"
)


def run(service: Served, seconds: int, writers: int, followers: int) -> int:
    """The exit code: 0 when every copy is right."""
    own = {name.lower(): value for name, value in service.env.items()}
    settings = Settings.model_validate({name: own[name] for name in Settings.model_fields if name in own})
    parts = create_app(settings).extensions["holdfast"]
    with parts.uow.reading() as session:
        people = list(session.execute(text("SELECT id FROM users ORDER BY id")).scalars())
        before = session.scalar(text("SELECT coalesce(max(seq), 0) FROM events")) or 0
    world, phones = World(parts, people), [signed_in(service, number) for number in range(1, followers + 1)]
    for phone in phones[: followers // 2]:  # the others make their first copy while others write
        while phone.ask(3):
            pass
    write_and_follow(world, phones, writers, seconds)
    faults = []
    for number, phone in enumerate(phones, 1):
        for _ in range(2):  # what is left of a batch, and what came after it
            while phone.ask(100):
                pass
        wrong = [*phone.faults, *checked(parts, phone, before)]
        faults += wrong
        print(
            f"follower {number}: {dict(phone.counts)}; {sum(phone.told.values())} items after the first copy,"
            f" {len(phone.copy)} projects, {len(wrong)} faults"
        )
    with parts.uow.reading() as session:
        written = session.scalar(text(WRITTEN), {"seq": before})
    print(f"{writers} writers in {seconds} s: {sum(world.deeds.values())} transactions, {written} events;")
    print(f"  {dict(world.deeds)}")
    print(f"faults: {len(faults)}")
    for fault in faults[:10]:
        print(fault)
    parts.engines.engine.dispose()
    parts.gate.close()
    return 1 if faults or not written else 0


def signed_in(service: Served, number: int) -> Follower:
    told = service.sign_in(number)
    return Follower(service, told["access_token"], told["user"]["id"], number)


def write_and_follow(world: World, phones: list[Follower], writers: int, seconds: int) -> None:
    """Everybody at once, for so long; followers stop after the last writer."""
    done = threading.Event()
    writing = [threading.Thread(target=world.write, args=(number,)) for number in range(writers)]
    following = [threading.Thread(target=phone.follow, args=(done,)) for phone in phones]
    for thread in (*writing, *following):
        thread.start()
    time.sleep(seconds)
    world.stop.set()
    for thread in writing:
        thread.join()
    done.set()
    for thread in following:
        thread.join()


def main() -> int:
    """The exit code: 0 when every copy is right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="of writing (60)")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--followers", type=int, default=4)
    asked = parser.parse_args()
    print(busy())
    with served(asked.followers + 4, BCRYPT_COST="10", DB_POOL_SIZE=str(asked.writers + 4)) as service:
        return run(service, asked.seconds, asked.writers, asked.followers)


if __name__ == "__main__":
    sys.exit(main())
