"""Releases that are in no hurry: they go with whatever the process asks of Redis next, which spares each change a round trip.

Until then what was changed stays held (app/core/generations.py): others read it from PostgreSQL and keep nothing of it. So waiting
costs them a read at most, and this process mostly nothing, whose next question is preceded by the release.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from app.core.generations import Changed, Generations
from app.core.redis_gate import RedisGate
from app.core.telemetry import log, start_request

logger = log(__name__)
Untold = tuple[Changed, str]
"""What was changed, and the word that it is held by."""


class LateReleases:
    """Off until somebody says ``begin``, who calls ``do`` from then on, in a thread that holds no transaction, whenever it is ``due``.

    Args:
        defer: has jobs release things that Redis could not be told of, in a transaction of its own.
    """

    def __init__(
        self, gate: RedisGate, generations: Generations, defer: Callable[[list[Untold]], None]
    ) -> None:
        self._gate = gate
        self._generations = generations
        self._defer = defer
        self._untold: deque[Untold] = deque()
        self.wanted = False

    def begin(self) -> "LateReleases":
        self.wanted = True
        return self

    def end(self) -> None:
        """Release what waits, and from now on at once."""
        self.wanted = False
        self.do()

    def add(self, changed: Changed, word: str) -> None:
        """Release things soon. Args: word: that they are held by."""
        lost = partial(self._untold.append, (changed, word))
        self._gate.soon(self._generations.to_release(changed, word), lost)

    def due(self, *, idle: bool) -> bool:
        """Whether it is time for ``do``. Args: idle: whether nobody else is about to ask Redis."""
        return bool(self._untold) or (idle and self._gate.has_posted)

    def do(self) -> None:
        """Release all that waits, or have a job do it. Never raises: what is lost here is held for a minute, and then new."""
        start_request(None)  # what is logged here is of no request that this thread has answered
        untold: list[Untold] = []
        try:
            self._gate.send_posted()
            with suppress(IndexError):  # several threads may be here
                while True:
                    untold.append(self._untold.popleft())
            if untold:
                self._defer(untold)
        except Exception:
            logger.exception("changes_not_told", number=len(untold))
