"""The queue by hand: looked at, tried again, cancelled. Arguments hold ids and plain words, so they can be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, text

from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
STATES = {
    "waiting": "todo",
    "running": "doing",
    "failed": "failed",
    "cancelled": "cancelled",
    "aborted": "aborted",
}
"""Our words for the queue's; done ones are deleted at once."""
NAMES = {theirs: ours for ours, theirs in STATES.items()}
# The queue stamps its rows with the server's clock, so their age is taken by it too.
FOUND = text(
    "SELECT j.id, j.task_name AS kind, j.queue_name AS queue, j.status::text AS status, j.attempts, j.scheduled_at,"
    " j.args AS arguments, (SELECT extract(epoch FROM clock_timestamp() - max(e.at))::bigint"
    "  FROM procrastinate_events e WHERE e.job_id = j.id AND e.type <> 'scheduled') AS age"
    " FROM procrastinate_jobs j"
    " WHERE (CAST(:id AS bigint) IS NULL OR j.id = :id) AND (CAST(:status AS text) IS NULL OR j.status::text = :status)"
    " AND (CAST(:queue AS text) IS NULL OR j.queue_name = :queue) AND (CAST(:kind AS text) IS NULL OR j.task_name = :kind)"
    " ORDER BY j.id DESC LIMIT :most"
)
HISTORY = text("SELECT type::text, at FROM procrastinate_events WHERE job_id = :id ORDER BY at, id")
# A periodic job waits once: one that is asked for again anyway need not come back.
RETRY = text(
    "UPDATE procrastinate_jobs j SET status = 'todo', attempts = 0, scheduled_at = NULL, worker_id = NULL"
    " WHERE j.status = 'failed' AND (CAST(:id AS bigint) IS NULL OR j.id = :id) AND (j.queueing_lock IS NULL OR NOT EXISTS ("
    "  SELECT FROM procrastinate_jobs o WHERE o.queueing_lock = j.queueing_lock AND o.id <> j.id"
    "  AND (o.status = 'todo' OR (o.status = 'failed' AND o.id > j.id))))"
    " RETURNING j.id"
)
CANCEL = text(
    "UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :id AND status IN ('todo', 'failed') RETURNING id"
)


class Outcome(StrEnum):
    done = "done"
    not_found = "not_found"
    refused = "refused"


@dataclass(frozen=True)
class JobRow:
    """Attributes: age: seconds since something last happened to it. attempts: how many tries it has had."""

    id: int
    kind: str
    queue: str
    state: str
    attempts: int
    scheduled_at: datetime | None
    age: int | None
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Happening:
    event: str
    at: datetime


class JobAdmin:
    """One use case a method, each in a transaction of its own."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def list(
        self, state: str | None = None, queue: str | None = None, kind: str | None = None, most: int = 100
    ) -> Sequence[JobRow]:
        """The newest jobs that match all that is given.

        Args:
            state: one of ``STATES``; all when left out.
        """
        return self._find(status=STATES[state] if state else None, queue=queue, kind=kind, most=most)

    def show(self, job_id: int) -> tuple[JobRow, Sequence[Happening]] | None:
        """A job and what happened to it, the oldest first; none if it is not there."""
        with self._uow.reading():
            session = self._uow.session
            history = session.execute(HISTORY, {"id": job_id}).all()
        found = self._find(id=job_id)
        return (found[0], [Happening(row[0], row[1]) for row in history]) if found else None

    def retry(self, job_id: int) -> Outcome:
        """Let one that failed for good wait again, with all its tries."""
        return self._change(job_id, RETRY, "job_retried")

    def retry_all(self) -> int:
        """The same for all that failed for good; the answer is how many."""
        with self._uow:
            tried = self._uow.session.execute(RETRY, {"id": None}).all()
        logger.info("jobs_retried", count=len(tried))
        return len(tried)

    def cancel(self, job_id: int) -> Outcome:
        """Let one that waits not be done, and one that failed be done with; one that runs cannot be stopped."""
        return self._change(job_id, CANCEL, "job_cancelled")

    def _change(self, job_id: int, statement: Any, event: str) -> Outcome:
        with self._uow:
            if self._uow.session.execute(statement, {"id": job_id}).first() is not None:
                logger.info(event, job_id=job_id)
                return Outcome.done
        return Outcome.refused if self._find(id=job_id) else Outcome.not_found

    def _find(self, **chosen: str | int | None) -> Sequence[JobRow]:
        everything = {"id": None, "status": None, "queue": None, "kind": None, "most": 1}
        with self._uow.reading():
            session = self._uow.session
            found = session.execute(FOUND, {**everything, **chosen}).mappings().all()
        return [_row(each) for each in found]


def _row(found: RowMapping) -> JobRow:
    told = dict(found)
    status = told.pop("status")
    return JobRow(**told, state=NAMES.get(status, status))
