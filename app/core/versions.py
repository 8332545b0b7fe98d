"""Optimistic concurrency: the version a client based its edit on, against the row's own."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from app.core.errors import AppError, Code


class Versioned(Protocol):
    @property
    def version(self) -> Any: ...


class VersionConflictError(AppError):
    """The row moved on since the client read it.

    Attributes:
        current: what the client should look at now; the web layer dumps it as the operation's resource.
    """

    def __init__(self, current: object) -> None:
        super().__init__(
            Code.version_conflict, "This was changed since you read it. Look at `current`, then try again."
        )
        self.current = current


def check_version(
    row: Versioned, expected: Collection[int] | None, current: Callable[[], object] | None = None
) -> None:
    """Compare before changing a locked row; the UPDATE itself has the version in its WHERE as well.

    Args:
        row: loaded with a lock.
        expected: acceptable versions, ``None`` where the client sent no ``If-Match``.
        current: makes what to show on a conflict; the row itself by default.

    Raises:
        VersionConflictError: when the row has another version.
    """
    if expected is not None and row.version not in expected:
        raise VersionConflictError(current() if current is not None else row)
