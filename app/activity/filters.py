"""What the history of a project may be narrowed by."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class ActivityFilters:
    """All that is set must hold. Attributes: kinds: of ``app.activity.kinds.KINDS``; empty for all."""

    actor_id: UUID | None = None
    kinds: tuple[str, ...] = ()
