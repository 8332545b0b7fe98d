"""Figures that are read when Prometheus asks, not counted along the way."""

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import reading
from app.core.job_figures import FIGURES
from app.core.metrics import HASHES_WAITING, JOBS_FAILED, JOBS_OLDEST, REDIS_BREAKER_OPEN
from app.core.passwords import PasswordHasher
from app.core.redis_gate import RedisGate


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
                row = connection.execute(FIGURES).one()
        except SQLAlchemyError:
            return
        JOBS_FAILED.set(row.failed)
        JOBS_OLDEST.set(row.oldest_waiting_seconds)
