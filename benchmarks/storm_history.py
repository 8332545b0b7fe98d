"""The events of a project, replayed: what it was after each step, and whether each step was permitted and followed the one before.

Whoever changes a project or its members holds its row, so the order of ``seq`` within one project is the order in which they did.
Declining an invitation holds the invitation alone, so its event may stand among those of another request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.events import NOBODY
from benchmarks.storm_journal import ROLES

RANK = {role: place for place, role in enumerate(ROLES)}
LEAST = {
    "project.updated": "editor", "project.archived": "admin", "project.unarchived": "admin",
    "project.deleted": "owner", "project.restored": "owner", "project.transferred": "owner",
    "member.removed": "admin", "member.role_changed": "admin", "member.left": "viewer",
    "invitation.created": "admin", "invitation.revoked": "admin",
}  # fmt: skip
"""Of architecture.md, written once more: a proof does not ask the code that it is to prove."""
BEFORE = {
    "project.updated": {"active"}, "project.archived": {"active"}, "project.unarchived": {"archived"},
    "project.deleted": {"active", "archived"}, "project.restored": {"deleted"}, "project.transferred": {"active"},
    "member.added": {"active"}, "member.removed": {"active"}, "member.role_changed": {"active"},
    "member.left": {"active", "archived", "deleted"}, "invitation.created": {"active"}, "invitation.revoked": {"active"},
}  # fmt: skip
"""The statuses in which each may happen."""


@dataclass(frozen=True)
class State:
    """A project after a step.

    Attributes:
        since: when the step was told; it was committed a little later.
        invited: accounts by the ids of their open invitations.
    """

    since: float
    request_id: str
    name: str
    owner: str
    status: str = "active"
    version: int = 1
    roles: dict[str, str] = field(default_factory=dict)
    invited: dict[str, str] = field(default_factory=dict)

    def reaches(self, caller: str | None, role: str) -> bool:
        return RANK.get(self.roles.get(caller or "", ""), -1) >= RANK[role]


class History:
    """One project from its creation on.

    Args:
        events: all that it has, by ``seq``.
        addressees: whom each invitation is for.
        passive: accounts whose events lose their names when they are erased, in mid-storm.
    """

    def __init__(self, events: Iterable[Any], addressees: dict[str, str], passive: set[str]) -> None:
        self.states: list[State] = []
        self.by_version: dict[int, State] = {}
        self.faults: list[str] = []
        self._addressees, self._passive = addressees, passive
        steps: dict[str, list[Any]] = {}
        for event in events:
            steps.setdefault(event.request_id, []).append(event)
        for step in steps.values():
            self._step(step)

    @property
    def last(self) -> State:
        return self.states[-1]

    def between(self, begun: float, ended: float) -> list[State]:
        """What it may have been at some moment of that time."""
        ends = [state.since for state in self.states[1:]] + [float("inf")]
        return [
            state
            for state, end in zip(self.states, ends, strict=True)
            if end >= begun and state.since <= ended
        ]

    def _step(self, events: list[Any]) -> None:
        first = events[0]
        at = first.created_at.timestamp()
        if first.kind == "project.created":
            owner = str(first.actor_id)
            name = first.changes["name"]["after"]
            self._add(State(at, first.request_id, name, owner, roles={owner: "owner"}))
            return
        before = self.last
        kinds = [event.kind for event in events]
        # Of a transfer the memberships are told first, but what it needs is the right to transfer.
        deed = "project.transferred" if "project.transferred" in kinds else first.kind
        self._permit(deed, first, before)
        state = replace(
            before,
            since=at,
            request_id=first.request_id,
            roles=dict(before.roles),
            invited=dict(before.invited),
        )
        for event in events:
            state = self._applied(event, state)
        owners = [who for who, role in state.roles.items() if role == "owner"]
        if owners != [state.owner]:
            self._fault(first, f"owners {owners}, owner_id {state.owner}")
        self._add(state)

    def _add(self, state: State) -> None:
        if not self.states or state.version != self.last.version:
            self.by_version[state.version] = state
        self.states.append(state)

    def _permit(self, deed: str, event: Any, before: State) -> None:
        """The role and the status of just before must have allowed it."""
        actor = str(event.actor_id)
        role = LEAST.get(deed)
        if role is not None and not before.reaches(actor, role):
            self._fault(event, f"done by {before.roles.get(actor)}")
        if before.status not in BEFORE.get(deed, {before.status}):
            self._fault(event, f"done while {before.status}")
        given = event.changes.get("role", {}).values()
        if deed in {"member.removed", "member.role_changed", "invitation.created"}:
            own = RANK.get(before.roles.get(actor, ""), -1)
            if any(RANK[each] >= own for each in given if each):
                self._fault(event, f"reaches {before.roles.get(actor)} or above: {event.changes}")

    def _applied(self, event: Any, state: State) -> State:
        kind, subject, changes = event.kind, str(event.subject_id), event.changes
        told: dict[str, Any] = next(iter(changes.values()), {})
        match kind.partition("."):
            case ("member", _, _):
                self._apply_to_member(event, subject, state)
            case (_, _, "updated"):
                self._expect(event, told["before"], state.name)
                return replace(state, name=told["after"], version=state.version + 1)
            case (_, _, "transferred"):
                self._expect(event, told["before"], state.owner)
                return replace(state, owner=told["after"], version=state.version + 1)
            case ("project", _, _):
                self._expect(event, told["before"], state.status)
                return replace(state, status=told["after"], version=state.version + 1)
            case (_, _, "created"):
                state.invited[subject] = self._addressees.get(subject, "")
            case ("invitation", _, outcome):
                invited = state.invited.pop(subject, None)
                answered = outcome != "revoked" and invited not in self._passive
                if invited is None or (answered and invited != str(event.actor_id)):
                    self._fault(event, f"was open for {invited}, {event.actor_id} answered")
        return state

    def _apply_to_member(self, event: Any, subject: str, state: State) -> None:
        if subject == str(NOBODY) or subject in self._passive:
            return
        told = event.changes["role"]
        self._expect(event, told["before"], state.roles.get(subject))
        if told["after"] is None:
            state.roles.pop(subject, None)
        else:
            state.roles[subject] = told["after"]

    def _expect(self, event: Any, told: Any, known: Any) -> None:
        if told != known:
            self._fault(event, f"before was {known}, the event says {told}")

    def _fault(self, event: Any, what: str) -> None:
        self.faults.append(f"{event.kind} of {event.project_id}, {event.request_id}: {what}")
