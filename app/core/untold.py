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
NEVER = float("-inf")


class UntoldChanges:
    """Asks PostgreSQL, at most once in ``ASKED_EVERY`` for all threads of a process, of which none waits for another.

    Args:
        uow: of the primary, which alone knows of all commits.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._lock = threading.Lock()
        self._none_at = self._doubt_until = NEVER

    def none_at(self) -> float | None:
        """A moment at most ``ASKED_EVERY`` ago (of the monotonic clock) at which there was none; ``None`` where none is known."""
        now = time.monotonic()
        if now - self._none_at < ASKED_EVERY:
            return self._none_at
        if now < self._doubt_until or not self._lock.acquire(blocking=False):
            return None
        try:
            none, late = self._ask(), time.monotonic() - now >= ASKED_EVERY
            if none and not late:
                self._none_at = now
                return now
            self._doubt_until = time.monotonic() + ASKED_EVERY
            return None
        finally:
            self._lock.release()

    def _ask(self) -> bool:
        try:
            with self._uow.reading():
                return not self._uow.session.execute(WAITING, {"job": JOB}).scalar_one()
        except AppError:
            return False
