"""A cache of facts with generations.

Redis failing costs time, never correctness: every caller has PostgreSQL to fall back to. Entries are plain JSON,
always with a time to live, under hashed keys. The cache holds facts, never decisions: the policy runs on each hit.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from app.core.clock import wall_seconds
from app.core.redis_gate import RedisGate, RedisUnavailableError
from app.core.telemetry import log

logger = log(__name__)

SCHEMA = "hf1"
GENERATION_TTL = 86_400
FACT_TTL_MS = 900


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
        self._ahead = threading.local()

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
        kept = self._here(key) if local else None
        if kept:
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

    def expect(
        self, namespace: str, owner: str, variant: str, *, shape: Iterable[str] = (), local: bool = False
    ) -> None:
        """Ask for facts along with what this thread asks of Redis next, since ``fetch`` will be called soon (``begin_anew`` before).

        Args:
            namespace, owner, variant, shape, local: as of ``fetch``.
        """
        if not self._enabled or (local and self._here((namespace, owner, variant))):
            return
        stored_key = cache_key(namespace, owner, variant, *shape)
        told = self._ahead.__dict__
        self._gate.along(
            ("MGET", cache_key(namespace, owner), stored_key),
            lambda reply: told.__setitem__(stored_key, reply),
        )

    def begin_anew(self) -> None:
        """Drop what this thread asked for ahead and did not need: the next request must not take it for news."""
        self._gate.leave_along()
        self._ahead.__dict__.clear()

    def _here(self, key: tuple[str, str, str]) -> tuple[float, Any] | None:
        kept = self._local.get(key)
        return kept if kept and kept[0] > time.monotonic() else None

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
        self._gate.ask(("SET", key, word, "EX", GENERATION_TTL))

    def _read(self, generation_key: str, key: str) -> tuple[str, list[Any] | None]:
        told = self._ahead.__dict__.pop(key, None)
        [(generation, value)] = [told] if told else self._gate.ask(("MGET", generation_key, key))
        if generation is None:
            word = secrets.token_hex(8)
            [there] = self._gate.ask(("SET", generation_key, word, "NX", "GET", "EX", GENERATION_TTL))
            return (there.decode() if isinstance(there, bytes) else word), None
        return generation.decode(), orjson.loads(value) if value else None

    def _write(self, key: str, entry: list[Any]) -> None:
        try:
            self._gate.ask(("SET", key, orjson.dumps(entry), "PX", FACT_TTL_MS))
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
