"""SQL of work items. Each change is one statement that also says from which states it leads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, null, update
from sqlalchemy.dialects.postgresql import insert

from app.core.db import rows_changed
from app.core.repository import Repository
from app.work.models import WorkItem, WorkState

UNFINISHED = (WorkState.queued.value, WorkState.running.value)


class WorkRepository(Repository[WorkItem]):
    model = WorkItem
    noun = "job"

    def begin(self, item_id: UUID, user_id: UUID, kind: str, total: int | None, now: datetime) -> None:
        """Add it; one that is there stays as it is, unless it failed: then it waits again."""
        afresh: dict[str, Any] = {
            "state": WorkState.queued.value, "done": 0, "total": total, "updated_at": now,
        }  # fmt: skip
        statement = insert(WorkItem).values(id=item_id, user_id=user_id, kind=kind, created_at=now, **afresh)
        self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[WorkItem.id],
                set_={**afresh, "problem": null(), "finished_at": None},
                where=(WorkItem.state == WorkState.failed.value) & (WorkItem.user_id == user_id),
            )
        )

    def advance(self, item_id: UUID, done: int, total: int | None, now: datetime) -> None:
        """It runs, and is so far at least."""
        values: dict[str, Any] = {} if total is None else {"total": total}
        self.session.execute(
            update(WorkItem)
            .where(WorkItem.id == item_id, WorkItem.state.in_(UNFINISHED))
            .values(
                state=WorkState.running.value,
                done=func.greatest(WorkItem.done, done),
                updated_at=now,
                **values,
            )
        )

    def finish(self, item_id: UUID, result_url: str | None, now: datetime) -> None:
        """It is ready, wherever it was."""
        self.session.execute(
            update(WorkItem)
            .where(WorkItem.id == item_id, WorkItem.state != WorkState.ready.value)
            .values(
                state=WorkState.ready.value, done=func.coalesce(WorkItem.total, WorkItem.done), problem=null(),
                result_url=result_url, updated_at=now, finished_at=now,
            )
        )  # fmt: skip

    def fail(self, item_id: UUID, problem: dict[str, str], now: datetime) -> None:
        """It failed, unless it is ready."""
        self.session.execute(
            update(WorkItem)
            .where(WorkItem.id == item_id, WorkItem.state.in_(UNFINISHED))
            .values(state=WorkState.failed.value, problem=problem, updated_at=now, finished_at=now)
        )

    def sweep(self, before: datetime) -> int:
        return rows_changed(self.session, delete(WorkItem).where(WorkItem.created_at < before))
