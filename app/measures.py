"""Figures that are read when Prometheus asks, not counted along the way."""

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.cache import RedisGate
from app.core.db import reading
from app.core.metrics import HASHES_WAITING, JOBS_FAILED, JOBS_OLDEST, REDIS_BREAKER_OPEN
from app.core.passwords import PasswordHasher

QUEUE = text(
    "SELECT count(*) FILTER (WHERE j.status = 'failed') AS failed,"
    " coalesce(extract(epoch FROM clock_timestamp() - min(e.at) FILTER (WHERE j.status = 'todo'"
    " AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp()))), 0) AS oldest"
    " FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'"
    " WHERE j.status IN ('todo', 'failed')"
)


class Measures:
    """Sets the gauges of this process and of the queue."""

    def __init__(self, engine: Engine, gate: RedisGate, hasher: PasswordHasher) -> None:
        self._reader = reading(engine)
        self._gate = gate
        self._hasher = hasher

    def __call__(self) -> None:
        REDIS_BREAKER_OPEN.set(int(self._gate.failing))
        HASHES_WAITING.set(self._hasher.waiting)
        try:
            with self._reader.connect() as connection:
                row = connection.execute(QUEUE).one()
        except SQLAlchemyError:
            return
        JOBS_FAILED.set(row.failed)
        JOBS_OLDEST.set(max(0.0, float(row.oldest)))
