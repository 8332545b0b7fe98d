"""Where in the log somebody's last write stands, kept in Redis so that every process knows it (REL-07).

A mark is a position of PostgreSQL's write-ahead log under the id of an account or of a project. A replica that has replayed
so far shows that write; one that has not is not asked by whoever the mark is about. Marks outlast the longest lag of a
replica in the rotation, so that where one is gone there is no replica left that it would have kept out.
"""

import time
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.cache_keys import cache_key
from app.core.redis_gate import RedisGate, RedisUnavailableError

KEPT_SECONDS = 90
"""Longer than ``MOST_SECONDS`` and ``LOOK_LASTS`` of app/core/replicas/server.py together."""
NAMESPACE, FIELD = "written", "at"


@dataclass(frozen=True)
class Asker:
    """Who sent the request that runs now.

    Attributes:
        account_id: theirs.
        only_reads: whether its method is a safe one (RFC 9110, section 9.2.1).
    """

    account_id: UUID
    only_reads: bool


asker: ContextVar[Asker | None] = ContextVar("asker", default=None)
"""Set at the edge, where replicas are configured; ``None`` for strangers, jobs and commands: they read the primary."""


class WriteMarks:
    """Sets and reads marks.

    A process that saw Redis fail trusts it again only after the longest life of a mark: some may have been lost.
    """

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate
        self._trusted_from = 0.0

    def put(self, ids: Collection[UUID], position: int) -> None:
        """Note that these were written about; of two writers the later position stays, whoever comes first."""

        def send(client: Any) -> None:
            with client.pipeline(transaction=False) as pipe:
                for each in ids:
                    pipe.zadd(_key(each), {FIELD: position}, gt=True)
                    pipe.expire(_key(each), KEPT_SECONDS)
                pipe.execute()

        try:
            self._gate.run(send)
        except RedisUnavailableError:
            self._distrust()

    def furthest(self, ids: Collection[UUID]) -> int | None:
        """The position from which on a replica shows every write about these, in one round trip; ``None`` if unknown."""

        def ask(client: Any) -> list[float | None]:
            with client.pipeline(transaction=False) as pipe:
                for each in ids:
                    pipe.zscore(_key(each), FIELD)
                answers: list[float | None] = pipe.execute()
            return answers

        if self._gate.failing:
            self._distrust()
        if time.monotonic() < self._trusted_from:
            return None
        try:
            return max(int(found or 0) for found in self._gate.run(ask))
        except RedisUnavailableError:
            self._distrust()
            return None

    def _distrust(self) -> None:
        self._trusted_from = time.monotonic() + KEPT_SECONDS


def _key(identifier: UUID) -> str:
    return cache_key(NAMESPACE, str(identifier))
