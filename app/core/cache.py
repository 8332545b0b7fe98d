"""A cache of facts with generations.

Redis failing costs time, never correctness: every caller has PostgreSQL to fall back to. Entries are plain JSON,
always with a time to live, under hashed keys. The cache holds facts, never decisions: the policy runs on each hit.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from app.core.cache_keys import cache_key
from app.core.clock import wall_seconds
from app.core.facts import FactKind, Passing, once
from app.core.generations import Generations, is_held
from app.core.recent import Recent
from app.core.redis_gate import RedisGate, RedisUnavailableError
from app.core.single_flight import SingleFlight
from app.core.telemetry import log

logger = log(__name__)

FORM = "2"
"""Of an entry in Redis; part of its key, so that a release that writes another one takes none of these."""
FACT_TTL_MS = 900
LIFE_MS = 300_000
"""How long facts count by themselves; and those that last, while every change is told."""
LARGEST = 2_048
"""Bytes of an entry in Redis that lasts, or stays in a process. What people may write at length must not fill the memory of either."""


Place = tuple[str, str, str]
NEVER = float("-inf")


class Entry(NamedTuple):
    """What this process keeps.

    Attributes:
        generation: that they were loaded under.
        server: the life of Redis that knew that generation.
        born: when they were asked for, by the machine's clock that only goes on.
        young: whether they count by themselves at first. Those that last do so only in the process that loaded them: an age that
            another machine's clock tells proves nothing.
        facts: revived.
    """

    generation: str
    server: str | None
    born: float
    young: bool
    facts: Any

    @property
    def age(self) -> float:
        """In milliseconds."""
        return (time.monotonic() - self.born) * 1000


class FactCache:
    """Facts that decide access, and what was read: first this process, then Redis, then SQL.

    A value carries the generation it was loaded under; a writer holds the generation before its commit and moves it after. A reader
    that loaded before the commit and stores after it therefore stores a value nobody will accept.

    At most ``FACT_TTL_MS`` old they are taken on that ground alone: were a writer's word lost, they would still be gone within a
    second. Of a kind that lasts (``FactKind.lasting``) that holds in the process that loaded them; older ones, and all that come from
    Redis, are taken only while nothing can have been lost: the generation is not held, Redis is the
    same process that knew it when they were stored, and no change waits to be told (docs/decisions/0039-facts-that-last.md).

    Args:
        gate: Redis.
        enabled: ``False`` loads on every call (``CACHE_ENABLED``).
        told_at: a moment at most a second ago at which no change waited to be told, if one is known; asks PostgreSQL.
        on_lookup: called with the namespace and ``confirmed``, ``hit``, ``miss`` or ``down``.
        size: entries kept in this process.
    """

    def __init__(
        self,
        gate: RedisGate,
        *,
        enabled: bool,
        told_at: Callable[[], float | None],
        on_lookup: Callable[[str, str], None],
        size: int = 4_000,
    ) -> None:
        self._gate = gate
        self.generations = Generations(gate)
        self._enabled = enabled
        self._told_at = told_at
        self._on_lookup = on_lookup
        self._lasting: Recent[Place, Entry] = Recent(size)
        self._apart: dict[str, Recent[Place, Entry]] = {}
        self._changed: Recent[tuple[str, str], float] = Recent(2 * size)
        self._flights = SingleFlight()
        self._ahead = threading.local()

    def fetch(self, kind: FactKind, owner: str, variant: str, load: Callable[[], Any]) -> Any:
        """The facts, from the nearest level that has them.

        Args:
            owner: the thing whose change makes the facts wrong (a project).
            variant: what else they depend on (a viewer); may be empty.
            load: asks PostgreSQL. ``None`` is not kept, nor what is ``Passing``.
        """
        if not self._enabled:
            return once(load())
        place = (kind.namespace, owner, variant)
        kept = self._kept(kind, place)
        key = entry_key(kind, owner, variant)
        try:
            asked_at, generation, value = self._read(kind, owner, key, kept)
        except RedisUnavailableError:
            self._on_lookup(kind.namespace, "down")
            return once(load())
        if kept and self._counts(kind, owner, kept, generation, asked_at):
            self._on_lookup(kind.namespace, "confirmed")
            return kept.facts
        entry, small = self._stored(kind, key, value)
        if entry and self._counts(kind, owner, entry, generation, asked_at):
            self._on_lookup(kind.namespace, "hit")
            return self._keep(kind, place, entry) if small else entry.facts
        self._on_lookup(kind.namespace, "miss")
        return self._loaded(kind, place, key, generation, load)

    def _loaded(
        self, kind: FactKind, place: Place, key: str, generation: str, load: Callable[[], Any]
    ) -> Any:
        """What is loaded, by this thread or by another one that reads the same at once."""
        if is_held(generation):  # who comes after the commit must not join a load of before it
            return self._load(kind, place, key, generation, load)
        return self._flights.run((place, generation), lambda: self._load(kind, place, key, generation, load))

    def _load(self, kind: FactKind, place: Place, key: str, generation: str, load: Callable[[], Any]) -> Any:
        started, born, server = time.monotonic(), wall_seconds(), self._gate.server
        facts = load()
        if facts is None or isinstance(facts, Passing):
            return once(facts)
        if kind.most:
            entry = Entry(generation, server, started, True, facts)
            return facts if is_held(generation) else self._keep(kind, place, entry)
        stored = orjson.dumps([generation, born, server, kind.flatten(facts)])
        small, held = len(stored) <= LARGEST, is_held(generation)
        if not held:
            self._write(key, stored, lasts=kind.lasting and small)
        if small and not held:
            self._keep(kind, place, Entry(generation, server, started, True, facts))
        return facts

    def expect(self, kind: FactKind, owner: str, variant: str) -> None:
        """Ask for facts along with what this thread asks of Redis next, since ``fetch`` will be called soon (``begin_anew`` before).

        Args: as of ``fetch``.
        """
        if not self._enabled:
            return
        kept = self._kept(kind, (kind.namespace, owner, variant))
        key, asked_at = entry_key(kind, owner, variant), time.monotonic()
        told = self._ahead.__dict__
        self._gate.along(
            _question(kind, owner, key, kept), lambda reply: told.__setitem__(key, (asked_at, reply))
        )

    def begin_anew(self) -> None:
        """Drop what this thread asked for ahead and did not need: the next request must not take it for news."""
        self._gate.leave_along()
        self._ahead.__dict__.clear()

    def forget_here(self, namespace: str, owner: str) -> None:
        """Let this process take nothing that it asked for before now: what it knows of its own changes needs no Redis."""
        self._changed.put((namespace, owner), time.monotonic())

    def clear(self) -> None:
        """Forget all that this process has."""
        for kept in (self._lasting, *self._apart.values()):
            kept.clear()

    def _kept(self, kind: FactKind, place: Place) -> Entry | None:
        """What this process has, unless it changed that itself since."""
        kept = self._room(kind).get(place)
        return kept if kept and not self._outdated(kept, place[:2]) else None

    def _room(self, kind: FactKind) -> Recent[Place, Entry]:
        if kind.most:
            room = self._apart.get(kind.namespace)
            return self._apart.setdefault(kind.namespace, Recent(kind.most)) if room is None else room
        return self._lasting

    def _outdated(self, entry: Entry, owner: tuple[str, str]) -> bool:
        return entry.born <= self._changed.get(owner, NEVER)

    def _counts(self, kind: FactKind, owner: str, entry: Entry, generation: str, asked_at: float) -> bool:
        """Whether facts may be shown, now that their generation was this one.

        Args:
            asked_at: when it was asked for.
        """
        if (
            is_held(generation)
            or entry.generation != generation
            or self._outdated(entry, (kind.namespace, owner))
        ):
            return False
        if entry.young and entry.age < FACT_TTL_MS:
            return True
        if not kind.lasting or entry.age >= LIFE_MS:
            return False
        if entry.server is None or entry.server != self._gate.server:
            return False
        told_at = self._told_at()
        if told_at is None:
            return False
        # A job may have told a change between the two questions; who asks for the generation last has seen that.
        return told_at <= asked_at or self._still(cache_key(kind.namespace, owner), generation)

    def _still(self, key: str, generation: str) -> bool:
        try:
            [word] = self._gate.ask(("GET", key))
        except RedisUnavailableError:
            return False
        return word is not None and word.decode() == generation

    def _read(self, kind: FactKind, owner: str, key: str, kept: Entry | None) -> tuple[float, str, list[Any]]:
        """The generation, when it was asked for, and what Redis has, if it was asked for that as well."""
        asked_at, reply = self._ahead.__dict__.pop(key, None) or (time.monotonic(), None)
        if reply is None:
            [reply] = self._gate.ask(_question(kind, owner, key, kept))
        generation, *value = reply
        if generation is None:
            return asked_at, self.generations.begin(cache_key(kind.namespace, owner)), [None]
        return asked_at, generation.decode(), value

    def _stored(self, kind: FactKind, key: str, value: list[Any]) -> tuple[Entry | None, bool]:
        """What Redis has, and whether it is small. Args: value: of it, in a list; an empty one where it was not asked for yet."""
        if kind.most:
            return None, False
        if not value:
            try:
                value = self._gate.ask(("GET", key))
            except RedisUnavailableError:
                return None, False
        if value[0] is None:
            return None, False
        generation, born, server, flat = orjson.loads(value[0])
        age = max(0.0, wall_seconds() - born)
        entry = Entry(generation, server, time.monotonic() - age, not kind.lasting, kind.revive(flat))
        return entry, len(value[0]) <= LARGEST

    def _write(self, key: str, entry: bytes, *, lasts: bool) -> None:
        try:
            self._gate.ask(("SET", key, entry, "PX", LIFE_MS if lasts else FACT_TTL_MS))
        except RedisUnavailableError:
            logger.info("cache_write_skipped")

    def _keep(self, kind: FactKind, place: Place, entry: Entry) -> Any:
        if entry.facts is not None and kind.lasting:
            self._room(kind).put(place, entry)
        return entry.facts


def entry_key(kind: FactKind, owner: str, variant: str) -> str:
    """Where an entry is in Redis; of what is not there, by what its generation was asked for ahead."""
    if kind.most:
        return cache_key(kind.namespace, owner)
    return cache_key(kind.namespace, owner, variant, FORM, *kind.names)


def _question(kind: FactKind, owner: str, key: str, kept: Entry | None) -> tuple[str, ...]:
    """What to ask of Redis: the generation alone where this process has facts that may still count."""
    generation = cache_key(kind.namespace, owner)
    alone = kind.most or (kept and kind.lasting)
    return ("MGET", generation) if alone else ("MGET", generation, key)
