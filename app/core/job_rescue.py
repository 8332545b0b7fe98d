"""Jobs whose worker died in the middle of one: another worker does them again.

A worker shows signs of life every ``BEAT`` seconds. One that was silent for ``SILENT`` seconds is taken for dead, as is one
whose row is gone. A job that ends its worker each time is given up like one that fails: it must not end all of them.
"""

from collections.abc import Mapping

from sqlalchemy import RowMapping, text

from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
BEAT, SILENT = 5.0, 20.0
DEATHS = 3
"""A job is begun so often at least, also where its handler may fail only once: a killed worker is not its fault."""
# The queue stamps its rows with the server's clock, so their age is taken by it too.
STALLED = text(
    "SELECT j.id, j.task_name, j.attempts, j.queueing_lock FROM procrastinate_jobs j"
    " LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
    " WHERE j.status = 'doing'"
    " AND (w.id IS NULL OR w.last_heartbeat < clock_timestamp() - make_interval(secs => :silent))"
    " ORDER BY j.id FOR UPDATE OF j SKIP LOCKED"
)
WAITS_ALREADY = text(
    "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = :lock AND status = 'todo')"
)
PUT_BACK = text(
    "UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL, worker_id = NULL"
    " WHERE id = :id"
)
GIVE_UP = text("UPDATE procrastinate_jobs SET status = 'failed', attempts = attempts + 1 WHERE id = :id")
DROP = text("DELETE FROM procrastinate_jobs WHERE id = :id")


class JobRescue:
    """Looks for stalled jobs and decides about each, inside the caller's transaction."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def run(self, tries: Mapping[str, int]) -> int:
        """Put back, give up or drop every stalled job; the answer is how many there were.

        Args:
            tries: how often each job is tried, by name.
        """
        found = self._uow.session.execute(STALLED, {"silent": SILENT}).mappings().all()
        for job in found:
            self._settle(job, max(tries.get(job["task_name"], DEATHS), DEATHS))
        return len(found)

    def _settle(self, job: RowMapping, tries: int) -> None:
        chosen, outcome = PUT_BACK, "waits_again"
        if job["attempts"] + 1 >= tries:
            chosen, outcome = GIVE_UP, "failed"
        elif job["queueing_lock"] and self._waits_already(job["queueing_lock"]):
            # A periodic job that is asked for anyway.
            chosen, outcome = DROP, "dropped"
        self._uow.session.execute(chosen, {"id": job["id"]})
        logger.warning("job_rescued", job=job["task_name"], job_id=job["id"], outcome=outcome)

    def _waits_already(self, lock: str) -> bool:
        return bool(self._uow.session.execute(WAITS_ALREADY, {"lock": lock}).scalar_one())
