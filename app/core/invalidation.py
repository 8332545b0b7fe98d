"""Telling every process that cached facts are no longer true."""

from collections.abc import Iterable

from app.core.cache import FactCache
from app.core.generations import Changed, new_word
from app.core.jobs import JobQueue
from app.core.late_releases import LateReleases, Untold
from app.core.redis_gate import RedisGate, RedisUnavailableError
from app.core.telemetry import log
from app.core.untold import JOB
from app.core.uow import UnitOfWork

logger = log(__name__)


class Invalidator:
    """Holds the generations of things before the commit that changes them, and gives them new ones after.

    When Redis cannot be reached a job does it later: written in the same transaction where that is known before the commit, else
    in one of its own. Until then no process takes facts that are older than a second.

    Attributes:
        late: makes the release wait for the next round trip, in a process that sees to it (``LateReleases.begin``).
    """

    def __init__(self, uow: UnitOfWork, cache: FactCache, jobs: JobQueue, gate: RedisGate) -> None:
        self._uow = uow
        self._cache = cache
        self._jobs = jobs
        self._gate = gate
        self.late = LateReleases(gate, cache.generations, self._defer_alone)
        jobs.register(JOB, self.run, attempts=20)

    def after_commit(self, namespace: str, owner: str) -> None:
        """Args: namespace, owner: as in ``FactCache.fetch``."""
        self._uow.before_commit(self._announce, (namespace, owner))

    def _announce(self, changes: list[tuple[str, str]]) -> None:
        """Hold each generation once, all in one round trip, or see to it that a job moves them."""
        changed, word = tuple(dict.fromkeys(changes)), new_word()
        by_job = not self._holds(changed, word)
        if by_job:
            self._defer(changed, word)
        self._uow.after_commit(self._tell, changed, word, by_job)

    def _holds(self, changed: Changed, word: str) -> bool:
        if self._gate.open:
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
        if self.late.wanted and not by_job and not self._gate.open:
            self.late.add(changed, word)
            return
        try:
            self._cache.generations.release(changed, word)
        except RedisUnavailableError:
            if not by_job:
                self._defer_alone([(changed, word)])

    def _defer(self, changed: Changed, word: str) -> None:
        self._jobs.defer(JOB, changed=[list(each) for each in changed], word=word)

    def _defer_alone(self, untold: list[Untold]) -> None:
        with self._uow:
            for changed, word in untold:
                self._defer(changed, word)

    def run(self, changed: Iterable[tuple[str, str]], word: str = "") -> None:
        """The job: raises while Redis is away, so that it is tried again.

        Args:
            word: that the things may be held by; a job of an older release has none.
        """
        self._cache.generations.release([(namespace, owner) for namespace, owner in changed], word)
