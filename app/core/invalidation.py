"""Telling every process that cached facts are no longer true."""

from collections.abc import Callable, Iterable

from app.core.cache import FactCache
from app.core.generations import Changed, new_word
from app.core.jobs import JobQueue
from app.core.redis_gate import RedisUnavailableError
from app.core.telemetry import log
from app.core.untold import JOB
from app.core.uow import UnitOfWork

logger = log(__name__)


class Invalidator:
    """Holds the generations of things before the commit that changes them, and gives them new ones after.

    When Redis cannot be reached a job does it later: written in the same transaction where that is known before the commit, else
    in one of its own. Until then no process takes facts that are older than a second.
    """

    def __init__(
        self, uow: UnitOfWork, cache: FactCache, jobs: JobQueue, redis_is_away: Callable[[], bool]
    ) -> None:
        self._uow = uow
        self._cache = cache
        self._jobs = jobs
        self._redis_is_away = redis_is_away
        jobs.register(JOB, self.run, attempts=20)

    def after_commit(self, namespace: str, owner: str) -> None:
        """Args: namespace, owner: as in ``FactCache.fetch``."""
        self._uow.before_commit(self._announce, (namespace, owner))

    def _announce(self, changes: list[tuple[str, str]]) -> None:
        """Hold each generation once, all in one round trip, or see to it that a job moves them."""
        changed, word = tuple(dict.fromkeys(changes)), new_word()
        by_job = not self._holds(changed, word)
        if by_job:
            self._defer(changed)
        self._uow.after_commit(self._tell, changed, word, by_job)

    def _holds(self, changed: Changed, word: str) -> bool:
        if self._redis_is_away():
            return False
        try:
            self._cache.generations.hold(changed, word)
        except RedisUnavailableError:
            logger.info("changes_not_announced", number=len(changed))
            return False
        return True

    def _tell(self, changed: Changed, word: str, by_job: bool) -> None:
        for namespace, owner in changed:
            self._cache.forget_here(namespace, owner)
        try:
            self._cache.generations.release(changed, word)
        except RedisUnavailableError:
            if not by_job:
                with self._uow:
                    self._defer(changed)

    def _defer(self, changed: Changed) -> None:
        self._jobs.defer(JOB, changed=[list(each) for each in changed])

    def run(self, changed: Iterable[tuple[str, str]]) -> None:
        """The job: raises while Redis is away, so that it is tried again."""
        self._cache.generations.release([(namespace, owner) for namespace, owner in changed])
