"""Redis behind a circuit breaker, and a cache of facts with generations.

Redis failing costs time, never correctness: every caller has PostgreSQL to fall back to. Entries are plain JSON,
always with a time to live, under hashed keys. The cache holds facts, never decisions: the policy runs on each hit.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.clock import wall_seconds
from app.core.metrics import REDIS_BREAKER_OPEN
from app.core.telemetry import log, request_stats

logger = log(__name__)
Answer = TypeVar("Answer")

SCHEMA = "hf1"
TIMEOUT = 0.25
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 16.0
GENERATION_TTL = 86_400
FACT_TTL_MS = 900


class RedisUnavailableError(Exception):
    """Redis did not answer in time, or the breaker is open after it did not."""


class RedisGate:
    """One client with short waits and a breaker: after a failure nobody asks for a while, longer each time.

    The pauses double from half a second to 16 s, so a Redis that comes back is used again within that time (D5).

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        connections: at most so many at once in this process.
    """

    def __init__(self, url: str, connections: int = 16) -> None:
        # Explicit, because redis-py's defaults are 5 s waits and ten retries, from_url's none at all (T18).
        # Only a broken connection is tried again: after a time-out a second wait would double it.
        pool = redis.BlockingConnectionPool.from_url(
            url, max_connections=connections, timeout=TIMEOUT, socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )  # fmt: skip
        self._client = redis.Redis(connection_pool=pool)
        self._lock = threading.Lock()
        self._open_until = 0.0
        self._pause = FIRST_PAUSE

    @property
    def open(self) -> bool:
        """Whether the breaker is open, that is, Redis is left alone for now."""
        return time.monotonic() < self._open_until

    @property
    def failing(self) -> bool:
        """Whether Redis failed and has not answered since, whether or not it is left alone at this moment."""
        return self._open_until > 0

    def run(self, command: "Callable[[redis.Redis], Answer]") -> Answer:
        """One round trip.

        Raises:
            RedisUnavailableError: at once while the breaker is open.
        """
        if self.open:
            request_stats().degraded = True
            raise RedisUnavailableError
        started = time.perf_counter()
        try:
            answer = command(self._client)
        except (redis.RedisError, OSError) as error:
            self._fail(error)
            raise RedisUnavailableError from error
        finally:
            request_stats().redis(time.perf_counter() - started)
        if self._open_until:
            self._recover()
        return answer

    def _fail(self, error: Exception) -> None:
        request_stats().degraded = True
        with self._lock:
            if not self.open:
                self._open_until = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
        REDIS_BREAKER_OPEN.set(1)
        logger.warning("redis_unavailable", error=type(error).__name__)

    def _recover(self) -> None:
        with self._lock:
            self._open_until, self._pause = 0.0, FIRST_PAUSE
        REDIS_BREAKER_OPEN.set(0)
        logger.info("redis_recovered")

    def ping(self) -> bool:
        try:
            return bool(self.run(lambda client: client.ping()))
        except RedisUnavailableError:
            return False

    def close(self) -> None:
        self._client.close()


class FactCache:
    """Facts that decide access, at most ``FACT_TTL_MS`` old anywhere: first this process, then Redis, then SQL.

    A value carries the generation it was loaded under; a writer moves the generation after its commit. A reader
    that loaded before the commit and stores after it therefore stores a value nobody will accept. A generation is
    a random word, so one that Redis evicted cannot come back and revive an old value.

    Args:
        gate: Redis.
        enabled: ``False`` loads on every call (``CACHE_ENABLED``).
        on_lookup: called with the namespace and ``local``, ``hit``, ``miss`` or ``down``.
        size: entries kept in this process.
    """

    def __init__(
        self, gate: RedisGate, *, enabled: bool, on_lookup: Callable[[str, str], None], size: int = 10_000
    ) -> None:
        self._gate = gate
        self._enabled = enabled
        self._on_lookup = on_lookup
        self._size = size
        self._local: dict[tuple[str, str, str], tuple[float, Any]] = {}

    def fetch(
        self,
        namespace: str,
        owner: str,
        variant: str,
        load: Callable[[], Any],
        *,
        shape: Iterable[str] = (),
        local: bool = False,
    ) -> Any:
        """The facts, from the nearest level that has them.

        Args:
            namespace: the kind of fact.
            owner: the thing whose change makes the facts wrong (a project, a session).
            variant: what else they depend on (a viewer); may be empty.
            load: asks PostgreSQL; answers JSON data or ``None``. ``None`` is not kept.
            shape: the names of the facts. Processes of two releases share Redis while one replaces the other;
                neither takes facts of the other's shape.
            local: also keep them in this process, which then may not see a writer's change for up to a second:
                right for a session's state, wrong for what a client reads back after it wrote.
        """
        if not self._enabled:
            return load()
        key = (namespace, owner, variant)
        kept = self._local.get(key) if local else None
        if kept and kept[0] > time.monotonic():
            self._on_lookup(namespace, "local")
            return kept[1]
        generation_key = cache_key(namespace, owner)
        stored_key = cache_key(namespace, owner, variant, *shape)
        started = time.monotonic()
        try:
            generation, stored = self._read(generation_key, stored_key)
        except RedisUnavailableError:
            self._on_lookup(namespace, "down")
            return self._keep(key, load(), started + FACT_TTL_MS / 1000, local=local)
        if stored is not None and stored[0] == generation:
            self._on_lookup(namespace, "hit")
            # The entry says when it ends, so that two levels together stay below a second.
            left = min(stored[1] - wall_seconds(), FACT_TTL_MS / 1000)
            return self._keep(key, stored[2], started + left, local=local)
        self._on_lookup(namespace, "miss")
        expires = wall_seconds() + FACT_TTL_MS / 1000
        facts = load()
        if facts is not None:
            self._write(stored_key, [generation, expires, facts])
        return self._keep(key, facts, started + FACT_TTL_MS / 1000, local=local)

    def forget_here(self, namespace: str, owner: str, variant: str = "") -> None:
        """Drop the copy of this process."""
        self._local.pop((namespace, owner, variant), None)

    def forget(self, namespace: str, owner: str) -> None:
        """Move the generation, so that no process takes the stored facts again.

        Raises:
            RedisUnavailableError: nothing moved; see app/core/invalidation.py for what happens then.
        """
        word = secrets.token_hex(8)
        key = cache_key(namespace, owner)
        self._gate.run(lambda client: client.set(key, word, ex=GENERATION_TTL))

    def _read(self, generation_key: str, key: str) -> tuple[str, list[Any] | None]:
        found: Any = self._gate.run(lambda client: client.mget(generation_key, key))
        generation, value = found
        if generation is None:
            word = secrets.token_hex(8)
            there = self._gate.run(
                lambda client: client.set(generation_key, word, nx=True, get=True, ex=GENERATION_TTL)
            )
            return (there.decode() if isinstance(there, bytes) else word), None
        return generation.decode(), orjson.loads(value) if value else None

    def _write(self, key: str, entry: list[Any]) -> None:
        try:
            self._gate.run(lambda client: client.set(key, orjson.dumps(entry), px=FACT_TTL_MS))
        except RedisUnavailableError:
            logger.info("cache_write_skipped")

    def _keep(self, key: tuple[str, str, str], facts: Any, until: float, *, local: bool) -> Any:
        if local and facts is not None and until > time.monotonic():
            if len(self._local) >= self._size:
                self._local.clear()
            self._local[key] = (until, facts)
        return facts


def cache_key(*parts: str) -> str:
    """A key that no other list of parts can make: each part counts with its length, all of it hashed (SEC-43)."""
    joined = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return f"{SCHEMA}:{parts[0]}:{hashlib.blake2b(joined, digest_size=16).hexdigest()}"
