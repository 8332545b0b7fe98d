"""Clients that know what they must be told, because they remember what was acknowledged."""

import http.client
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.served import Served

TOGETHER = 4
"""So many share a project."""
STALE, REMOVED, FOREIGN = "stale after one's own write", "read after removal", "somebody else's data"
WEIGHTS = {"read": 40, "list": 15, "who am I": 5, "write": 20, "create": 3, "stranger's": 5, "remove": 20}
IN, OUT, MOVING = "in", "out", "moving"


@dataclass
class Person:
    """Attributes: written: the newest version that this person's own writes were answered with, by project."""

    id: str
    email: str
    token: str
    written: dict[str, int] = field(default_factory=dict)
    tags: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass
class Project:
    """Attributes: mark: stands in the description, and in no other project's; standing: of each member, and how often it changed."""

    id: str
    mark: str
    people: list[Person]
    standing: dict[str, tuple[str, int]] = field(default_factory=dict)
    moving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def owner(self) -> Person:
        return self.people[0]

    def moves(self, person: Person, to: str) -> None:
        self.standing[person.id] = (to, self.standing.get(person.id, ("", 0))[1] + 1)


@dataclass(frozen=True)
class Fault:
    kind: str
    told: str


@dataclass(frozen=True)
class Answer:
    status: int
    told: Any
    tag: str
    number: str


class Crowd:
    """What clients share.

    Args:
        service: on a database with as many accounts.
        clients: each is a person.
    """

    def __init__(self, service: Served, clients: int) -> None:
        self.stop = threading.Event()
        self.faults: list[Fault] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self.checks: Counter[str] = Counter({STALE: 0, REMOVED: 0, FOREIGN: 0})
        self._service, self._numbers, self._lock = service, itertools.count(1), threading.Lock()
        self.people = [self._signed_in(number) for number in range(1, clients + 1)]
        groups = [self.people[first : first + TOGETHER] for first in range(0, clients, TOGETHER)]
        self.projects = [self._project(number, group) for number, group in enumerate(groups)]

    def live(self, number: int) -> None:
        """One client, until it is time to stop."""
        chance, person, project = (
            random.Random(number),
            self.people[number],
            self.projects[number // TOGETHER],
        )
        deeds: dict[str, Callable[[], None]] = {
            "read": lambda: self.read(person, project, known=chance.random() < 0.5),
            "list": lambda: self.page(person, project),
            "who am I": lambda: self.who_am_i(person),
            "write": lambda: self.write(person, project),
            "create": lambda: self.create(person),
            "stranger's": lambda: self.strangers(person, chance.choice(self.projects)),
            "remove": lambda: self.remove(project, chance.choice(project.people[1:])),
        }
        while not self.stop.is_set():
            deed = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if deed != "remove" or person is project.owner:
                deeds[deed]()

    def read(self, person: Person, project: Project, *, known: bool) -> None:
        """The project, or 304 where one says what one has."""
        before, least = project.standing[person.id], person.written.get(project.id, 0)
        tag, version = person.tags.get(project.id, ("", 0)) if known else ("", 0)
        answer = self.ask(
            "read", "GET", f"/projects/{project.id}", person, headers={"If-None-Match": tag} if tag else {}
        )
        after = project.standing[person.id]
        if before == after and before[0] == OUT:
            self.check(
                REMOVED,
                answer.status == 404,
                f"{answer.number}: {answer.status} for {person.email}, who is out",
            )
        if before == after and before[0] == IN and answer.status == 404:
            self.check(STALE, False, f"{answer.number}: 404 for {person.email}, who is in")
        if answer.status == 304:
            self.check(
                STALE, version >= least, f"{answer.number}: 304 for version {version}, after writing {least}"
            )
        elif answer.status == 200:
            self._shown(answer, answer.told, person, project, least)
            person.tags[project.id] = (answer.tag, answer.told["version"])

    def page(self, person: Person, project: Project) -> None:
        """One's projects: those of one's group, of seeding and of one's own, and not one that one was removed from."""
        before, least = project.standing[person.id], person.written.get(project.id, 0)
        answer = self.ask("list", "GET", "/projects?limit=100", person)
        if answer.status != 200:
            return
        for each in answer.told["items"]:
            if each["id"] == project.id:
                if before == project.standing[person.id] and before[0] == OUT:
                    self.check(REMOVED, False, f"{answer.number}: listed for {person.email}, who is out")
                self._shown(answer, each, person, project, least)
            else:
                self.check(
                    FOREIGN,
                    each["owner_id"] == person.id,
                    f"{answer.number}: {each} listed for {person.email}",
                )

    def who_am_i(self, person: Person) -> None:
        answer = self.ask("who am I", "GET", "/me", person)
        if answer.status == 200:
            self.check(
                FOREIGN, answer.told["id"] == person.id, f"{answer.number}: {answer.told} for {person.email}"
            )

    def write(self, person: Person, project: Project) -> None:
        """A change, and what one reads right after it."""
        name = f"{project.mark} {next(self._numbers)}"
        answer = self.ask("write", "PATCH", f"/projects/{project.id}", person, {"name": name})
        if answer.status == 200:
            person.written[project.id] = max(answer.told["version"], person.written.get(project.id, 0))
            for known in (True, False):
                self.read(person, project, known=known)
            self.page(person, project)

    def create(self, person: Person) -> None:
        answer = self.ask("create", "POST", "/projects", person, {"name": f"of {person.email}"})
        if answer.status == 201:
            read = self.ask("read what one made", "GET", f"/projects/{answer.told['id']}", person)
            if read.status in {200, 404}:
                self.check(
                    STALE, read.status == 200, f"{read.number}: {read.status} for what {person.email} made"
                )

    def strangers(self, person: Person, project: Project) -> None:
        """Somebody's project, with a tag that somebody in it would have."""
        if person in project.people:
            return
        tag = project.owner.tags.get(project.id, ("", 0))[0]
        answer = self.ask(
            "read a stranger's",
            "GET",
            f"/projects/{project.id}",
            person,
            headers={"If-None-Match": tag} if tag else {},
        )
        if answer.status < 500:
            self.check(
                FOREIGN,
                answer.status == 404,
                f"{answer.number}: {answer.status} for {person.email}, a stranger",
            )

    def remove(self, project: Project, person: Person) -> None:
        """Out, asked for at once by four readings, and in again."""
        with project.moving:
            project.moves(person, MOVING)
            gone = self.ask("remove", "DELETE", f"/projects/{project.id}/members/{person.id}", project.owner)
            if gone.status != 204:
                self._back(project, person)
                return
            project.moves(person, OUT)
            for known in (True, False, True, False):
                self.read(person, project, known=known)
            self.page(person, project)
            self._back(project, person)
            self.read(person, project, known=False)

    def check(self, kind: str, right: bool, told: str) -> None:
        with self._lock:
            self.checks[kind] += 1
            if not right:
                self.faults.append(Fault(kind, told))

    def ask(
        self, deed: str, method: str, path: str, person: Person, body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """On a connection of its own, so that any process may get it; status 0 where no answer came."""
        number = f"coherence-{next(self._numbers):07}"
        sent = {
            "Content-Type": "application/json", "Connection": "close", "X-Request-ID": number,
            "Authorization": f"Bearer {person.token}", **(headers or {}),
        }  # fmt: skip
        link = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=30)
        try:
            link.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, sent)
            answer = link.getresponse()
            text = answer.read()
            found = Answer(
                answer.status, json.loads(text) if text else None, answer.getheader("ETag", ""), number
            )
        except (OSError, http.client.HTTPException):
            found = Answer(0, None, "", number)
        finally:
            link.close()
        with self._lock:
            self.answers[deed, found.status] += 1
        return found

    def _shown(self, answer: Answer, shown: Any, person: Person, project: Project, least: int) -> None:
        """Of the right project, for the right person, and no older than what that person wrote."""
        role = "owner" if person is project.owner else "editor"
        right = (shown["id"], shown["description"], shown["my_role"]) == (project.id, project.mark, role)
        right = right and shown["name"].startswith(project.mark) and shown["owner_id"] == project.owner.id
        self.check(FOREIGN, right, f"{answer.number}: {shown} for {person.email}")
        version = shown["version"]
        self.check(
            STALE,
            version >= least,
            f"{answer.number}: version {version} for {person.email}, after writing {least}",
        )

    def _back(self, project: Project, person: Person) -> None:
        """Invited and accepted, however often that takes while engines come and go."""
        project.moves(person, MOVING)
        at, invitation = f"/projects/{project.id}", ""
        for _ in range(50):
            if not invitation:
                body = {"email": person.email, "role": "editor"}
                made = self.ask("invite", "POST", f"{at}/invitations", project.owner, body)
                invitation = made.told["id"] if made.status == 201 else ""
            if (
                invitation
                and self.ask("accept", "POST", f"/invitations/{invitation}/accept", person).status == 200
            ):
                break
            if self.ask("read", "GET", at, person).status == 200:  # an answer was lost, not the deed
                break
        else:
            return  # nobody knows, so nothing is asked of what is read
        project.moves(person, IN)

    def _signed_in(self, number: int) -> Person:
        told = self._service.sign_in(number)
        return Person(told["user"]["id"], f"user{number}@bench.example", told["access_token"])

    def _project(self, number: int, people: list[Person]) -> Project:
        mark = f"mark {number:04}"
        made = self.ask("create", "POST", "/projects", people[0], {"name": mark, "description": mark})
        project = Project(made.told["id"], mark, people)
        project.moves(people[0], IN)
        for person in people[1:]:
            self._back(project, person)
        return project
