"""An event as a member of the project sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from app.core.events import NOBODY, Event


@dataclass(frozen=True)
class ActivityView:
    """Attributes: actor: id and display name; None where nobody did it, or nobody knows any more."""

    id: UUID
    kind: str
    actor: dict[str, Any] | None
    object: dict[str, Any]
    changes: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, event: Event, actor_name: str | None, subject_name: str | None) -> "ActivityView":
        """Args: subject_name: of the person it is about, where it is about one who still has an account."""
        assert event.project_id is not None
        known = event.subject_id if event.subject_id != NOBODY else None
        thing = {"type": event.kind.split(".")[0], "id": known, "display_name": subject_name}
        actor = {"id": event.actor_id, "display_name": actor_name} if actor_name is not None else None
        # The row's own number would tell at a look how much happens in the whole service.
        identity = uuid5(event.project_id, str(event.seq))
        return cls(identity, event.kind, actor, thing, event.changes, event.created_at)
