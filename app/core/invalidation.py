"""Telling every process that cached facts are no longer true."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.cache import FactCache
from app.core.generations import new_word
from app.core.jobs import JobQueue
from app.core.redis_gate import RedisUnavailableError
from app.core.telemetry import log
from app.core.untold import JOB
from app.core.uow import UnitOfWork

logger = log(__name__)


@dataclass
class Change:
    """Of facts, in a transaction.

    Attributes:
        namespace, owner: whose.
        word: that its generation is held by.
        by_job: whether the transaction wrote a job that will tell it.
        repeated: whether an earlier one of the transaction tells it.
    """

    namespace: str
    owner: str
    word: str = field(default_factory=new_word)
    by_job: bool = False
    repeated: bool = False


class Invalidator:
    """Holds the generation of a thing before the commit that changes it, and moves it after.

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
        change = Change(namespace, owner)
        self._uow.before_commit(self._announce, change)
        self._uow.after_commit(self._tell, change)

    def _announce(self, changes: list[Change]) -> None:
        """Hold each generation once, all in one round trip, or see to it that a job moves them."""
        first: dict[tuple[str, str], Change] = {}
        for change in changes:
            change.repeated = first.setdefault((change.namespace, change.owner), change) is not change
        if not self._redis_is_away():
            try:
                self._cache.generations.hold(
                    [(each.namespace, each.owner, each.word) for each in first.values()]
                )
            except RedisUnavailableError:
                logger.info("changes_not_announced", number=len(first))
            else:
                return
        for change in first.values():
            self._jobs.defer(JOB, namespace=change.namespace, owner=change.owner)
            change.by_job = True

    def _tell(self, change: Change) -> None:
        if change.repeated:
            return
        self._cache.forget_here(change.namespace, change.owner)
        try:
            self._cache.generations.move(change.namespace, change.owner, change.word)
        except RedisUnavailableError:
            if not change.by_job:
                with self._uow:
                    self._jobs.defer(JOB, namespace=change.namespace, owner=change.owner)

    def run(self, namespace: str, owner: str) -> None:
        """The job: raises while Redis is away, so that it is tried again."""
        self._cache.generations.move(namespace, owner)
