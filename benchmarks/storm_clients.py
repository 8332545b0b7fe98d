"""Clients of the storm: everything that people do to shared projects, at once."""

import contextlib
import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.storm_journal import PATIENCE, ROLES, Answer, Journal, Person

TOGETHER = 4
"""So many send the same Idempotency-Key, or base an edit on the same version, at the same moment."""
WEIGHTS = {
    "create": 2, "create, same key": 4, "patch": 12, "patch, same key": 3, "patch, If-Match": 8, "contest": 8,
    "archive": 3, "unarchive": 3, "trash": 2, "restore": 2, "role": 12, "remove": 4, "leave": 3, "invite": 10,
    "accept": 10, "decline": 1, "revoke": 2, "transfer": 5, "bulk": 8, "get": 6,
}  # fmt: skip


class Crowd:
    """What clients share."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.people, self.projects = journal.people, journal.projects
        self.invitations: list[tuple[str, str, Person]] = []
        self.stop = threading.Event()
        self._chosen: dict[str, Callable[[int], Any]] = {}
        self._gates = {
            deed: threading.Barrier(TOGETHER, partial(self._choose, deed))
            for deed in ("create, same key", "patch, same key", "contest")
        }

    def live(self, seed: int) -> None:
        """One client, until it is time to stop."""
        chance = random.Random(seed)
        while not self.stop.is_set():
            deed = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            project = chance.choice(list(self.projects))
            status = self.projects[project].status
            if status != "active" and chance.random() < 0.5:  # else most would be refused soon
                deed = "restore" if status == "deleted" else "unarchive"
            if deed in self._gates:
                self._together(deed)
            else:
                self._do(deed, project, chance)

    def end(self) -> None:
        """Let nobody begin or wait any more."""
        self.stop.set()
        for gate in self._gates.values():
            gate.abort()

    def invite(self, project: str, caller: Person, target: Person, role: str) -> Answer:
        line = self.journal.ask(
            "invite", "createInvitation", "POST", f"/projects/{project}/invitations", caller,
            {"email": target.email, "role": role}, project=project, target=target.id, role=role,
        )  # fmt: skip
        if line.good:
            self.invitations.append((line.told["id"], project, target))
        return line

    def accept(self, invitation: str, project: str, caller: Person, target: Person) -> Answer:
        return self.journal.ask(
            "accept", "acceptInvitation", "POST", f"/invitations/{invitation}/accept", caller,
            project=project, invitation=invitation, target=target.id,
        )  # fmt: skip

    def create(self, caller: Person, name: str, key: str | None = None) -> Answer:
        deed, headers = ("create, same key", {"Idempotency-Key": key}) if key else ("create", {})
        return self.journal.ask(
            deed, "createProject", "POST", "/projects", caller, {"name": name}, headers, name=name, key=key
        )

    def patch(self, deed: str, project: str, caller: Person, name: str, **more: Any) -> Answer:
        """Args: more: ``version`` to base it on, or ``key``."""
        headers = {"If-Match": f'"{more["version"]}"'} if "version" in more else {}
        if "key" in more:
            headers["Idempotency-Key"] = more["key"]
        return self.journal.ask(
            deed, "updateProject", "PATCH", f"/projects/{project}", caller, {"name": name}, headers,
            project=project, name=name, **more,
        )  # fmt: skip

    def _do(self, deed: str, project: str, chance: random.Random) -> None:
        at, name = f"/projects/{project}", f"{deed} {chance.random()}"
        match deed:
            case "create":
                self.create(chance.choice(self.people), name)
            case "patch":
                self.patch(deed, project, self.journal.one(project, "editor", chance), name)
            case "patch, If-Match":
                version = self.projects[project].version
                self.patch(deed, project, self.journal.one(project, "editor", chance), name, version=version)
            case "archive" | "unarchive":
                who = self.journal.one(project, "admin", chance)
                self.journal.ask(deed, f"{deed}Project", "POST", f"{at}/{deed}", who, project=project)
            case "trash":
                who = self.journal.one(project, "owner", chance)
                self.journal.ask(deed, "deleteProject", "DELETE", at, who, project=project)
            case "restore":
                who = self.journal.one(project, "owner", chance)
                self.journal.ask(deed, "restoreProject", "POST", f"{at}/restore", who, project=project)
            case "bulk":
                self._bulk(chance)
            case "get":
                who = self.journal.one(project, "viewer", chance)
                self.journal.ask(deed, "getProject", "GET", at, who, project=project)
            case "accept" | "decline" | "revoke":
                self._answer(deed, chance)
            case _:
                self._members(deed, project, chance)

    def _members(self, deed: str, project: str, chance: random.Random) -> None:
        at, everybody = f"/projects/{project}", [*self.people, *self.journal.guests]
        roles = self.projects[project].roles
        inside = [each for each in everybody if each.id in roles] or everybody
        target, role = chance.choice(inside), chance.choice(ROLES[:3])
        who = self.journal.one(project, "admin", chance)
        told: dict[str, Any] = {"project": project, "target": target.id}
        match deed:
            case "role":
                body = {"role": role}
                self.journal.ask(
                    deed, "updateMember", "PATCH", f"{at}/members/{target.id}", who, body, role=role, **told
                )
            case "remove":
                self.journal.ask(deed, "removeMember", "DELETE", f"{at}/members/{target.id}", who, **told)
            case "leave":
                self.journal.ask(
                    deed, "leaveProject", "POST", f"{at}/leave", chance.choice(self.people), project=project
                )
            case "transfer":
                heir = chance.choice([each for each in inside if each in self.people] or self.people)
                owner, body = self.journal.one(project, "owner", chance), {"user_id": heir.id}
                told["target"] = heir.id
                self.journal.ask(deed, "transferProject", "POST", f"{at}/transfer", owner, body, **told)
            case "invite":
                outside = [each for each in everybody if each.id not in roles] or everybody
                self.invite(project, who, chance.choice(outside), role)

    def _answer(self, deed: str, chance: random.Random) -> None:
        if not self.invitations:
            return
        # Often the newest, and it stays in the list: so several answer one invitation at the same moment.
        invitation, project, target = chance.choice(self.invitations[-12:])
        told: dict[str, Any] = {"project": project, "invitation": invitation, "target": target.id}
        if deed == "revoke":
            path = f"/projects/{project}/invitations/{invitation}"
            who = self.journal.one(project, "admin", chance)
            self.journal.ask(deed, "revokeInvitation", "DELETE", path, who, **told)
            return
        who = target if target in self.people and chance.random() < 0.9 else chance.choice(self.people)
        if deed == "accept":
            self.accept(invitation, project, who, target)
        else:
            self.journal.ask(
                deed, "declineInvitation", "POST", f"/invitations/{invitation}/decline", who, **told
            )

    def _bulk(self, chance: random.Random) -> None:
        ids = chance.sample(list(self.projects), chance.randint(2, len(self.projects)))
        ids.sort(reverse=chance.random() < 0.5)
        action = chance.choices(("archive", "unarchive", "delete", "restore"), (2, 4, 1, 4))[0]
        body = {"action": action, "ids": ids}
        who = chance.choice(self.people)
        self.journal.ask("bulk", "bulkProjects", "POST", "/projects/bulk", who, body, action=action)

    def _together(self, deed: str) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            turn = self._gates[deed].wait(PATIENCE)
            self._chosen[deed](turn)

    def _choose(self, deed: str) -> None:
        """What all at a gate do next; called by one of them while the others wait."""
        chance, unique = random.Random(), f"{deed} {random.random()}"
        project = chance.choice(list(self.projects))
        caller = self.journal.one(project, "editor", chance)
        if deed == "create, same key":
            self._chosen[deed] = lambda _: self.create(caller, unique, unique)
        elif deed == "patch, same key":
            self._chosen[deed] = lambda _: self.patch(deed, project, caller, unique, key=unique)
        else:
            version = self.projects[project].version
            rivals = [self.journal.one(project, "editor", chance) for _ in range(TOGETHER)]
            self._chosen[deed] = lambda turn: self.patch(
                deed, project, rivals[turn], f"{unique} {turn}", version=version
            )
