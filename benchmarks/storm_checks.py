"""What was answered in a storm against what the database has: each acknowledged change once, each refusal with its reason."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks.storm_history import History, State
from benchmarks.storm_journal import Answer
from benchmarks.storm_reasons import REASONS, Refusal

SLACK = 3.0
"""Seconds between the moment an event is told and its commit, and of a cached fact, at most."""
MOVES = {
    "archiveProject": ("project.archived", "archived"), "unarchiveProject": ("project.unarchived", "active"),
    "deleteProject": ("project.deleted", "deleted"), "restoreProject": ("project.restored", None),
}  # fmt: skip
"""Of each change of status: the event, and the status after it; after restoring it is what it was."""
BULK = {action: f"{action}Project" for action in ("archive", "unarchive", "delete", "restore")}
KINDS = {
    "createProject": ("project.created",), "updateProject": ("project.updated",),
    "updateMember": ("member.role_changed",), "removeMember": ("member.removed",), "leaveProject": ("member.left",),
    "transferProject": ("member.role_changed", "member.role_changed", "project.transferred"),
    "createInvitation": ("invitation.created",), "revokeInvitation": ("invitation.revoked",),
    "acceptInvitation": ("member.added", "invitation.accepted"), "declineInvitation": ("invitation.declined",),
    **{operation: (move[0],) for operation, move in MOVES.items()},
}  # fmt: skip
TWICE_IS_ONCE = {
    *MOVES, "updateMember", "leaveProject", "revokeInvitation", "acceptInvitation", "declineInvitation",
}  # fmt: skip
"""What may be acknowledged without an event, where it was so already."""
ANY_TIME = {"write_conflict", "overloaded"}


class Checks:
    """Args: histories: by project. events: every one with a project, by the request's id. passive: who acts not, and leaves."""

    def __init__(
        self,
        lines: list[Answer],
        histories: dict[str, History],
        events: dict[str, list[Any]],
        passive: set[str],
    ) -> None:
        self._lines, self._histories, self._events, self._passive = lines, histories, events, passive
        self.told: Counter[str] = Counter()

    def faults(self) -> Iterator[str]:
        """Everything that is wrong, in words."""
        for history in self._histories.values():
            yield from history.faults
        for line in self._lines:
            found = self._acknowledged(line) if line.good else self._refused(line)
            yield from (f"{line.deed} {line.request_id} {line.status} {line.code}: {what}" for what in found)
        known = {line.request_id for line in self._lines if line.good and not line.replayed}
        yield from (f"events that nobody was told of: {number}" for number in self._events.keys() - known)
        yield from self._keys()
        yield from self._contests()

    def _acknowledged(self, line: Answer) -> Iterator[str]:
        found = self._events.get(line.request_id, [])
        if line.operation == "bulkProjects":
            for result in line.told["results"]:
                own = [event for event in found if str(event.project_id) == result["id"]]
                yield from self._one(line, BULK[line.asked["action"]], result["id"], own, result)
        elif line.replayed:
            if found:
                yield "a replay that did something"
        elif line.operation == "getProject":
            yield from self._read(line)
        elif line.operation in KINDS:
            yield from self._one(
                line, line.operation, line.project, found, {"status": 200, "project": line.told}
            )

    def _one(
        self, line: Answer, operation: str, project: str, found: list[Any], result: dict[str, Any]
    ) -> Iterator[str]:
        """One project's part of an acknowledged request."""
        if result["status"] != 200:
            if found:
                yield f"refused, and done: {project}"
            if not self._has_reason(line, operation, project, result["problem"]["code"], result["problem"]):
                yield f"{project}: no reason for {result['problem']['code']}"
            return
        kinds = tuple(event.kind for event in found)
        if kinds == KINDS[operation]:
            self.told["acknowledged changes, each with its event"] += 1
        elif not kinds and operation in TWICE_IS_ONCE:
            self.told["acknowledged, and so before"] += 1
            if not self._was_so(line, operation, project, result["project"]):
                yield f"{project}: acknowledged, never done"
        else:
            yield f"{project}: events {kinds}"
            return
        shown = result["project"]
        if isinstance(shown, dict) and "my_role" in shown:
            project = project or shown["id"]
            yield from self._shown(line, project, shown, line.request_id if kinds else None)

    def _shown(
        self, line: Answer, project: str, shown: dict[str, Any], request_id: str | None
    ) -> Iterator[str]:
        """The answer's body is what the project was after that step."""
        history = self._histories.get(project)
        state = history.by_version.get(shown["version"]) if history else None
        if history is None or state is None:
            yield f"{project}: version {shown['version']} never was"
            return
        told = tuple(shown[name] for name in ("name", "status", "owner_id"))
        if told != (state.name, state.status, state.owner):
            yield f"{project}: shown {told}, was {state}"
        edits = line.operation not in {"acceptInvitation", "getProject"} and request_id is not None
        if edits and state.request_id != request_id:
            yield f"{project}: version {shown['version']} was made by {state.request_id}"

    def _was_so(self, line: Answer, operation: str, project: str, shown: Any) -> bool:
        wanted = MOVES[operation][1] if operation in MOVES else None
        target, role = line.asked.get("target"), line.asked.get("role")
        if target in self._passive:
            return True
        for state in self._around(line, project):
            if operation in MOVES:
                right = state.status == wanted if wanted else state.status != "deleted"
                if right and (not isinstance(shown, dict) or shown["version"] == state.version):
                    return True
            elif operation == "updateMember":
                if state.roles.get(str(target)) == role:
                    return True
            elif operation == "leaveProject":
                if line.caller not in state.roles:
                    return True
            elif line.asked["invitation"] not in state.invited:
                return True
        return False

    def _read(self, line: Answer) -> Iterator[str]:
        yield from self._shown(line, line.project, line.told, None)
        seen = line.told["version"], line.told["my_role"]
        if not any(
            seen == (each.version, each.roles.get(line.caller)) for each in self._around(line, line.project)
        ):
            yield f"read what was not so for {SLACK} s: {seen}"

    def _refused(self, line: Answer) -> Iterator[str]:
        if self._events.get(line.request_id):
            yield "refused, and done"
        if not self._has_reason(line, line.operation, line.project, line.code, line.told):
            yield f"no reason for it: {line.asked} by {line.caller}"

    def _has_reason(self, line: Answer, operation: str, project: str, code: str, told: Any) -> bool:
        if code in ANY_TIME:
            return True
        reason = REASONS.get(code)
        passive = line.asked.get("target") in self._passive
        return reason is not None and any(
            reason(Refusal(line, operation, told, state, passive)) for state in self._around(line, project)
        )

    def _around(self, line: Answer, project: str) -> list[State]:
        history = self._histories.get(project)
        return history.between(line.sent - SLACK, line.came) if history else [State(0, "", "", "")]

    def _keys(self) -> Iterator[str]:
        """What was sent many times under one key was done once."""
        sent: dict[str, list[Answer]] = defaultdict(list)
        for line in self._lines:
            if line.asked.get("key"):
                sent[line.asked["key"]].append(line)
        named = Counter(history.states[0].name for history in self._histories.values())
        for key, lines in sent.items():
            good = [line for line in lines if line.good]
            self.told["idempotency keys sent by several at once"] += len(lines) > 1
            self.told["answers replayed under them"] += sum(line.replayed for line in good)
            if len({line.told["id"] for line in good}) > 1 or sum(not line.replayed for line in good) > 1:
                yield f"{key}: done more than once"
            if good and all(line.replayed for line in good):
                yield f"{key}: replayed, never done"
            if lines[0].operation == "createProject" and named[key] != bool(good):
                yield f"{key}: {named[key]} projects"

    def _contests(self) -> Iterator[str]:
        """Of those who based an edit on the same version one won, or somebody came before them all."""
        sent: dict[tuple[str, int], list[Answer]] = defaultdict(list)
        for line in self._lines:
            if "version" in line.asked and (line.good or line.code == "version_conflict"):
                sent[line.project, line.asked["version"]].append(line)
        for (project, version), lines in sent.items():
            winners = [line.request_id for line in lines if line.good]
            following = self._histories[project].by_version.get(version + 1)
            if len(lines) > 1:
                self.told["versions that several edits were based on"] += 1
                self.told["of these, won by one of them"] += len(winners)
            if len(winners) > 1:
                yield f"{project}: version {version} was overwritten {len(winners)} times"
            elif following is None:
                yield f"{project}: a conflict, and version {version} is the last"
            elif winners and winners != [following.request_id]:
                yield f"{project}: version {version + 1} was made by {following.request_id}, not {winners[0]}"
