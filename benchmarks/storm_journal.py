"""What the storm's clients ask and are told: a line for each answer, held against the database at the end."""

import http.client
import itertools
import json
import random
from dataclasses import dataclass, field
from typing import Any

from app.core.clock import wall_seconds
from benchmarks.served import Served

PATIENCE = 30
ROLES = ("viewer", "editor", "admin", "owner")


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    token: str


@dataclass(frozen=True)
class Answer:
    """A line of the journal.

    Attributes:
        deed: what it is counted as.
        asked: what a reader must know of the request: target, role, version, key, name, action, invitation.
        status: 0 where no answer came.
        code: of the problem, empty with 2xx.
        sent, came: moments, to be compared with those of events.
    """

    deed: str
    operation: str
    caller: str
    project: str
    asked: dict[str, Any]
    request_id: str
    status: int
    code: str
    told: Any
    replayed: bool
    sent: float
    came: float

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Guess:
    """What clients believe of a project, from answers alone: good enough to choose what is likely to be permitted."""

    version: int = 1
    status: str = "active"
    roles: dict[str, str] = field(default_factory=dict)


class Journal:
    """Asks, and writes down what came.

    Args:
        people: who act.
        guests: others who belong to projects, and do nothing.

    Attributes:
        projects: what is believed of each, by its id.
    """

    def __init__(self, service: Served, people: list[Person], guests: list[Person]) -> None:
        self.people, self.guests = people, guests
        self.lines: list[Answer] = []
        self.projects: dict[str, Guess] = {}
        self._service = service
        self._numbers = itertools.count(1)

    def ask(
        self,
        deed: str,
        operation: str,
        method: str,
        path: str,
        caller: Person,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **asked: Any,
    ) -> Answer:
        """Send a request on a connection of its own, and write down what came."""
        number = f"storm-{next(self._numbers):06}"
        sent_headers = {
            "Content-Type": "application/json", "Connection": "close", "X-Request-ID": number,
            "Authorization": f"Bearer {caller.token}", **(headers or {}),
        }  # fmt: skip
        content = json.dumps(body) if body is not None else None
        link = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=PATIENCE)
        sent, status, told, replayed = wall_seconds(), 0, None, False
        try:
            link.request(method, f"/api/v1{path}", content, sent_headers)
            answer = link.getresponse()
            text = answer.read()
            replayed = answer.getheader("Idempotency-Replayed") == "true"
            status, told = answer.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException) as error:
            told = repr(error)
        finally:
            link.close()
        code = told.get("code", "") if status >= 400 and isinstance(told, dict) else ""
        project = asked.pop("project", "")
        line = Answer(
            deed,
            operation,
            caller.id,
            project,
            asked,
            number,
            status,
            code,
            told,
            replayed,
            sent,
            wall_seconds(),
        )
        self.lines.append(line)
        self._learn(line)
        return line

    def follow(self, project: str, owner: Person) -> None:
        """Let clients know of a project."""
        self.projects[project] = Guess(roles={owner.id: "owner"})

    def one(self, project: str, least: str, chance: random.Random) -> Person:
        """Mostly somebody who seems to have that role or a higher one, now and then anybody."""
        roles = self.projects[project].roles
        strong = set(ROLES[ROLES.index(least) :])
        able = [each for each in self.people if roles.get(each.id) in strong]
        return chance.choice(able if able and chance.random() < 0.85 else self.people)

    def _learn(self, line: Answer) -> None:
        told = line.told.get("current") if line.code == "version_conflict" else line.told
        shown = [told] if isinstance(told, dict) else []
        if line.operation == "bulkProjects" and line.good:
            shown = [each["project"] for each in line.told["results"]]
        for each in filter(None, shown):
            guess = self.projects.get(each.get("id", ""))
            if guess is not None and "version" in each and each["version"] >= guess.version:
                guess.version, guess.status = each["version"], each["status"]
        if line.good and line.project in self.projects:
            self._learn_roles(line, self.projects[line.project].roles)

    def _learn_roles(self, line: Answer, roles: dict[str, str]) -> None:
        match line.operation:
            case "acceptInvitation":
                roles[line.caller] = line.told["my_role"]
            case "updateMember":
                roles[line.asked["target"]] = line.told["role"]
            case "removeMember":
                roles.pop(line.asked["target"], None)
            case "leaveProject":
                roles.pop(line.caller, None)
            case "transferProject":
                roles.update({line.caller: "admin", line.asked["target"]: "owner"})
            case "deleteProject":
                self.projects[line.project].status = "deleted"
