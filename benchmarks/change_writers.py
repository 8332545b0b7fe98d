"""Writers of the change feed's proof: every kind of change, with transactions that end late, or not at all."""

import contextlib
import random
import threading
import time
from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from app.core.access import Actor
from app.core.errors import AppError
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.projects.models import ProjectMember, ProjectRole
from app.projects.repository import ProjectRepository
from app.projects.service import ProjectService

LONGEST_HOLD = 0.5
PROJECTS = 24
"""As many are changed at a time: few, so that writers meet."""


class GaveUp(Exception):
    """A writer that rolls back."""


class World:
    """What writers share: people, and projects with their owners.

    Args:
        people: ids of accounts that own and join.
    """

    def __init__(self, parts: Any, people: list[UUID]) -> None:
        self.parts, self.people = parts, people
        self.owned: dict[UUID, UUID] = {}
        self.deeds: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self._projects: ProjectService = parts.services[ProjectService]
        self._events: Events = parts.services[Events]
        self._rows = ProjectRepository(parts.uow)

    def write(self, seed: int) -> None:
        """One writer, until it is time to stop."""
        chance = random.Random(seed)
        while not self.stop.is_set():
            deed = chance.choices(
                ("create", "rename", "archive", "trash", "restore", "purge", "join", "leave", "role"),
                (2, 8, 2, 3, 4, 1, 6, 4, 3),
            )[0]
            try:
                self._do(deed, chance)
            except GaveUp:
                deed = "given up"
            except AppError as error:
                deed = error.code.value
            with self.lock:
                self.deeds[deed] += 1

    def _do(self, deed: str, chance: random.Random) -> None:
        with self.lock:
            known = list(self.owned.items())
        if deed == "create" and len(known) >= PROJECTS:
            deed = "purge"
        with self.parts.uow:
            under_savepoint = chance.random() < 0.3
            with self.parts.uow.item() if under_savepoint else contextlib.nullcontext():
                made = self._write(deed, chance, known)
                self.parts.uow.session.flush()
            time.sleep(chance.random() ** 3 * LONGEST_HOLD)
            if chance.random() < 0.1:
                raise GaveUp
        with self.lock:
            if isinstance(made, UUID):
                self.owned.pop(made, None)
            elif made is not None:
                self.owned[made[0]] = made[1]

    def _write(self, deed: str, chance: random.Random, known: list[tuple[UUID, UUID]]) -> Any:
        """One write; the answer is a new project with its owner, or the id of one that is gone."""
        if deed == "create" or not known:
            owner = chance.choice(self.people)
            return self._projects.create(_as(owner), f"made {chance.random()}").id, owner
        project_id, owner = chance.choice(known)
        actor = _as(owner)
        match deed:
            case "rename":
                self._projects.update(actor, project_id, {"name": f"named {chance.random()}"})
            case "archive":
                turn = chance.choice((self._projects.archive, self._projects.unarchive))
                turn(actor, project_id)
            case "trash":
                self._projects.trash(actor, project_id)
            case "restore":
                self._projects.restore(actor, project_id)
            case "purge":
                self._projects.purge(actor, project_id)
                return project_id
            case _:
                self._membership(deed, chance, project_id, owner)
        return None

    def _membership(self, deed: str, chance: random.Random, project_id: UUID, owner: UUID) -> None:
        person = chance.choice([each for each in self.people if each != owner])
        project = self._rows.find(project_id, lock=True)
        if project is None:
            raise GaveUp
        session = self.parts.uow.session
        belongs = session.get(ProjectMember, (project_id, person))
        where = ProjectMember.project_id == project_id, ProjectMember.user_id == person
        role = chance.choice((ProjectRole.viewer, ProjectRole.editor, ProjectRole.admin))
        if deed == "join" and belongs is None:
            self._rows.add_member(project_id, person, role, self.parts.clock.now())
            kind = EventKind.member_added
        elif deed == "leave" and belongs is not None:
            session.execute(delete(ProjectMember).where(*where))
            kind = chance.choice((EventKind.member_removed, EventKind.member_left))
        elif deed == "role" and belongs is not None:
            session.execute(update(ProjectMember).where(*where).values(role=role.value))
            kind = EventKind.member_role_changed
        else:
            return
        self._events.record(kind, subject=person, actor=owner, project=project_id)


def _as(owner: UUID) -> Actor:
    return Actor(owner, new_id())
