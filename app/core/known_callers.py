"""What a process remembers of callers: as long as nothing of it was changed, and never for more than a second past that."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from app.core.access_watch import LIFE, AccessWatch
from app.core.recent import Recent


class CallerFacts(Protocol):
    """Attributes: subjects: ids of what they were read of, as ``AccessChange`` has them."""

    @property
    def subjects(self) -> tuple[UUID, ...]: ...


Facts = TypeVar("Facts", bound=CallerFacts)


class Known(NamedTuple, Generic[Facts]):
    """Attributes: born: when they were asked for, by the monotonic clock."""

    born: float
    facts: Facts


class KnownCallers(Generic[Facts]):
    """Facts of one kind of credential.

    Args:
        watch: tells whether they stand.
        enabled: ``False`` loads on every call (``CACHE_ENABLED``).
        on_lookup: called with ``local`` or ``miss``.
        size: how many are remembered.
    """

    def __init__(
        self, watch: AccessWatch, *, enabled: bool, on_lookup: Callable[[str], None], size: int = 10_000
    ) -> None:
        self._watch = watch
        self._enabled = enabled
        self._on_lookup = on_lookup
        self._known: Recent[Hashable, Known[Facts]] = Recent(size)

    def of(self, credential: Hashable, load: Callable[[], Facts | None]) -> Facts | None:
        """What is known, or what PostgreSQL says. Args: load: asks it; nothing is not remembered."""
        if not self._enabled:
            return load()
        known = self._known.get(credential)
        if known and self._stands(known):
            self._on_lookup("local")
            return known.facts
        return self.anew(credential, load)

    def anew(self, credential: Hashable, load: Callable[[], Facts | None]) -> Facts | None:
        """What PostgreSQL says now. Args: as of ``of``."""
        if not self._enabled:
            return load()
        self._on_lookup("miss")
        self._watch.catch_up()
        born = time.monotonic()
        facts = load()
        if facts is not None and self._watch.sees_commits_only:
            self._known.put(credential, Known(born, facts))
        return facts

    def _stands(self, known: Known[Facts]) -> bool:
        return time.monotonic() - known.born < LIFE and self._watch.stands(known.born, known.facts.subjects)
