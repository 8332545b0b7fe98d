"""What a list of files may be narrowed and sorted by."""

from dataclasses import dataclass

DEFAULT_SORT = "-created_at"
SORTS = (DEFAULT_SORT, "created_at", "-updated_at", "updated_at", "name", "-name", "size", "-size")


@dataclass(frozen=True)
class FileFilters:
    """All that is set must hold. Attributes: trashed: those in the trash instead of the others."""

    q: str | None = None
    state: str | None = None
    trashed: bool = False
    sort: str = DEFAULT_SORT
