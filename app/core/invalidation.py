"""Telling every process that cached facts are no longer true."""

from collections.abc import Callable

from app.core.cache import FactCache
from app.core.jobs import JobQueue
from app.core.redis_gate import RedisUnavailableError
from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
JOB = "cache.forget"


class Invalidator:
    """Moves the generation of a thing after the commit that changed it.

    When Redis cannot be reached a job does it later: written in the same transaction where Redis is known to be
    away, else in one of its own. Until then the facts of other processes still expire by themselves within a second.
    """

    def __init__(
        self, uow: UnitOfWork, cache: FactCache, jobs: JobQueue, redis_is_away: Callable[[], bool]
    ) -> None:
        self._uow = uow
        self._cache = cache
        self._jobs = jobs
        self._redis_is_away = redis_is_away
        jobs.register(JOB, self.run, attempts=20)

    def after_commit(self, namespace: str, owner: str, *variants: str) -> None:
        """Args: namespace, owner, variants: as in ``FactCache.fetch``; the variants are dropped here at once."""
        planned = self._redis_is_away()
        if planned:
            self._jobs.defer(JOB, namespace=namespace, owner=owner)
        self._uow.after_commit(self._forget, namespace, owner, variants, planned)

    def _forget(self, namespace: str, owner: str, variants: tuple[str, ...], planned: bool) -> None:
        """Args: planned: whether the transaction wrote the job; Redis may have gone away only since."""
        for variant in variants:
            self._cache.forget_here(namespace, owner, variant)
        try:
            self._cache.forget(namespace, owner)
        except RedisUnavailableError:
            if not planned:
                with self._uow:
                    self._jobs.defer(JOB, namespace=namespace, owner=owner)

    def run(self, namespace: str, owner: str) -> None:
        """The job: raises while Redis is away, so that it is tried again."""
        self._cache.forget(namespace, owner)
