"""Why a request may be refused: for each problem code, whether a state of the project explains it for that caller."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.storm_history import RANK, State
from benchmarks.storm_journal import Answer

NEEDS = {
    "updateProject": "editor", "updateMember": "admin", "removeMember": "admin", "transferProject": "owner",
    "createInvitation": "admin", "revokeInvitation": "admin", "archiveProject": "admin", "unarchiveProject": "admin",
    "deleteProject": "owner", "restoreProject": "owner",
}  # fmt: skip
ON_MEMBERS = {"updateMember", "removeMember"}


@dataclass(frozen=True)
class Refusal:
    """A refused request beside a state.

    Attributes:
        passive: whether it was about an account that is erased some time in the storm, of which histories tell little.
    """

    line: Answer
    operation: str
    told: Any
    state: State
    passive: bool

    @property
    def own(self) -> str | None:
        return self.state.roles.get(self.line.caller)

    @property
    def target(self) -> str:
        return str(self.line.asked.get("target", ""))

    @property
    def theirs(self) -> str | None:
        return self.state.roles.get(self.target)

    def hidden(self) -> bool:
        """404: for whom there is no such project, member or invitation."""
        if self.operation in {"acceptInvitation", "declineInvitation"}:
            return self.target != self.line.caller
        if self.own is None or (self.state.status == "deleted" and self.own != "owner"):
            return True
        if self.operation == "revokeInvitation":
            return self.passive  # erased with the account
        return self.operation in ON_MEMBERS and (self.theirs is None or self.passive)

    def forbidden(self) -> bool:
        """403: too weak for the operation, or for this member or role."""
        if self.own is None or self.operation not in NEEDS:
            return False
        if (
            not self.state.reaches(self.line.caller, NEEDS[self.operation])
            or self.operation == "revokeInvitation"
        ):
            return True
        asked = RANK.get(str(self.line.asked.get("role")), -1)
        held = RANK.get(str(self.theirs), -1) if self.operation in ON_MEMBERS else -1
        above = max(asked, held) >= RANK[self.own]
        return self.operation in {*ON_MEMBERS, "createInvitation"} and (above or self.passive)

    def moved_on(self) -> bool:
        current = self.told["current"]["version"]
        return bool(self.state.version == current != self.line.asked.get("version"))

    def no_heir(self) -> bool:
        return self.operation == "transferProject" and (
            self.theirs is None or self.target == self.line.caller
        )

    def owner_goes(self) -> bool:
        return self.own == "owner" and (self.operation == "leaveProject" or self.target == self.line.caller)

    def closed(self) -> bool:
        return self.line.asked["invitation"] not in self.state.invited or self.state.status == "deleted"


REASONS: dict[str, Callable[[Refusal], bool]] = {
    "not_found": Refusal.hidden,
    "forbidden": Refusal.forbidden,
    "project_archived": lambda refusal: refusal.state.status == "archived",
    "project_deleted": lambda refusal: refusal.state.status == "deleted",
    "last_owner": Refusal.owner_goes,
    "version_conflict": Refusal.moved_on,
    "already_member": lambda refusal: refusal.theirs is not None or refusal.passive,
    "validation_failed": Refusal.no_heir,
    "invitation_pending": lambda refusal: refusal.target in refusal.state.invited.values(),
    "invitation_closed": Refusal.closed,
    "request_in_progress": lambda refusal: bool(refusal.line.asked.get("key")),
}
"""Any other code is a fault, but those that a busy service may answer to anybody."""
