"""Whether every change that was committed has been told to the caches.

A writer that cannot tell Redis leaves a job in the same transaction (app/core/invalidation.py). While there is such a job, facts may
be wrong that Redis vouches for.
"""

import threading
import time

from sqlalchemy import text

from app.core.errors import AppError
from app.core.uow import UnitOfWork

JOB = "cache.forget"
ASKED_EVERY = 0.9
"""Seconds for which an answer counts; a change that is committed meanwhile is known to all processes within that time."""
WAITING = text(
    "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :job AND status IN ('todo', 'doing'))"
)


class UntoldChanges:
    """Asks PostgreSQL, at most once in ``ASKED_EVERY`` for all threads of a process.

    Args:
        uow: of the primary, which alone knows of all commits.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._none = False

    def none(self) -> bool:
        """Whether there is none. ``False`` while that cannot be found out."""
        if self._stale():
            with self._lock:
                if self._stale():
                    asked_at = time.monotonic()
                    self._none = self._ask()
                    self._asked_at = asked_at
        return self._none

    def _stale(self) -> bool:
        return time.monotonic() - self._asked_at >= ASKED_EVERY

    def _ask(self) -> bool:
        try:
            with self._uow.reading():
                return not self._uow.session.execute(WAITING, {"job": JOB}).scalar_one()
        except AppError:
            return False
