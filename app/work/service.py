"""Work that people can see: begun in the transaction that asks for it, moved on by the job that does it."""

from datetime import timedelta
from uuid import UUID

from app.core.access import Actor
from app.core.clock import Clock
from app.core.errors import Code, not_found
from app.core.uow import UnitOfWork
from app.work.models import WorkItem
from app.work.repository import WorkRepository

KEPT_DAYS = 7


class WorkService:
    """For other features, whose transaction each method joins; outside one it is a short one of its own.

    Everything may be said twice, late or of an item that is gone: nothing goes backwards and nothing is raised.
    """

    def __init__(self, uow: UnitOfWork, items: WorkRepository, clock: Clock) -> None:
        self._uow = uow
        self._items = items
        self._clock = clock

    def begin(self, item_id: UUID, user_id: UUID, kind: str, total: int | None = None) -> None:
        """Let somebody see work that waits; what failed under that id waits again.

        Args:
            item_id: chosen by the caller, so that a second begin is the same work.
            kind: ``feature.verb``, as the job is called; clients may go by it.
            total: how much there is to do, where that is known; what is counted is the caller's choice.
        """
        with self._uow:
            self._items.begin(item_id, user_id, kind, total, self._clock.now())

    def progress(self, item_id: UUID, done: int, total: int | None = None) -> None:
        """It runs and is so far; a smaller number than before changes nothing. How often is the caller's choice.

        One UPDATE. Call it outside the caller's transaction: within it nobody sees the number before the end, and the
        row stays locked until then.
        """
        with self._uow:
            self._items.advance(item_id, done, total, self._clock.now())

    def finish(self, item_id: UUID, result_url: str | None = None) -> None:
        """It is ready.

        Args:
            result_url: where the result is, as a path from the root of the site; none where there is nothing to get.
        """
        with self._uow:
            self._items.finish(item_id, result_url, self._clock.now())

    def fail(self, item_id: UUID, code: Code, detail: str) -> None:
        """It failed for good.

        Args:
            detail: an English sentence, safe to show to its owner.
        """
        with self._uow:
            self._items.fail(item_id, {"code": code.value, "detail": detail}, self._clock.now())

    def get(self, actor: Actor, item_id: UUID) -> WorkItem:
        """One of the caller's own.

        Raises:
            AppError: ``not_found`` for somebody else's and for one that is too old (SEC-39).
        """
        with self._uow.reading():
            item = self._items.require(item_id)
            if item.user_id != actor.user_id:
                raise not_found("job")
            return item

    def sweep(self, days: int = KEPT_DAYS) -> int:
        """Delete what was begun so many days ago; the answer is how many."""
        with self._uow:
            return self._items.sweep(self._clock.now() - timedelta(days=days))
