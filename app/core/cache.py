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
from app.core.generations import Generations, is_held
from app.core.redis_gate import RedisGate, RedisUnavailableError
from app.core.single_flight import SingleFlight
from app.core.telemetry import log

logger = log(__name__)

FORM = "2"
"""Of an entry in Redis; part of its key, so that a release that writes another one takes none of these."""
FACT_TTL_MS = 900
LIFE_MS = 300_000
"""How long facts count by themselves; and those that last, while every change is told."""


def _same(facts: Any) -> Any:
    return facts


class FactKind(NamedTuple):
    """What is kept of one kind of thing.

    Attributes:
        namespace: its name.
        names: of the facts. Processes of two releases share Redis while one replaces the other; neither takes facts of the
            other's shape.
        flatten: makes JSON data of what is loaded.
        revive: the reverse of ``flatten``. What it makes is shared by threads: nobody changes it.
        local: take what this process knows for up to a second without asking, even where a writer changed it meanwhile: right for
            a session's state, wrong for what a client reads back after it wrote.
        lasting: take facts for ``LIFE_MS`` while their generation stands, and every change of them is told by ``Invalidator``.
    """

    namespace: str
    names: tuple[str, ...] = ()
    flatten: Callable[[Any], Any] = _same
    revive: Callable[[Any], Any] = _same
    local: bool = False
    lasting: bool = False


class Entry(NamedTuple):
    """What this process keeps.

    Attributes:
        generation: that they were loaded under; empty where Redis was away.
        server: the life of Redis that knew that generation.
        young_until: so long they count by themselves; of the machine's clock that only goes on.
        until: so long they count at most.
        facts: revived.
    """

    generation: str
    server: str | None
    young_until: float
    until: float
    facts: Any


class FactCache:
    """Facts that decide access: first this process, then Redis, then SQL.

    A value carries the generation it was loaded under; a writer holds the generation before its commit and moves it after. A reader
    that loaded before the commit and stores after it therefore stores a value nobody will accept.

    At most ``FACT_TTL_MS`` old they are taken on that ground alone: were a writer's word lost, they would still be gone within a
    second. Older ones (``FactKind.lasting``) are taken only while nothing can have been lost: the generation is not held, Redis is the
    same process that knew it when they were stored, and no change waits to be told (docs/decisions/0039-facts-that-last.md).

    Args:
        gate: Redis.
        enabled: ``False`` loads on every call (``CACHE_ENABLED``).
        all_told: whether no change waits to be told; asks PostgreSQL.
        on_lookup: called with the namespace and ``local``, ``confirmed``, ``hit``, ``miss`` or ``down``.
        size: entries kept in this process.
    """

    def __init__(
        self,
        gate: RedisGate,
        *,
        enabled: bool,
        all_told: Callable[[], bool],
        on_lookup: Callable[[str, str], None],
        size: int = 10_000,
    ) -> None:
        self._gate = gate
        self.generations = Generations(gate)
        self._enabled = enabled
        self._all_told = all_told
        self._on_lookup = on_lookup
        self._size = size
        self._local: dict[tuple[str, str, str], Entry] = {}
        self._flights = SingleFlight()
        self._ahead = threading.local()

    def fetch(self, kind: FactKind, owner: str, variant: str, load: Callable[[], Any]) -> Any:
        """The facts, from the nearest level that has them.

        Args:
            owner: the thing whose change makes the facts wrong (a project, a session).
            variant: what else they depend on (a viewer); may be empty.
            load: asks PostgreSQL. ``None`` is not kept.
        """
        if not self._enabled:
            return load()
        started = time.monotonic()
        place = (kind.namespace, owner, variant)
        kept = self._local.get(place)
        if kind.local and kept and kept.young_until > started:
            self._on_lookup(kind.namespace, "local")
            return kept.facts
        key = entry_key(kind, owner, variant)
        try:
            generation, value = self._read(kind, owner, key, kept)
        except RedisUnavailableError:
            self._on_lookup(kind.namespace, "down")
            young_until = started + FACT_TTL_MS / 1000
            return self._keep(kind, place, Entry("", None, young_until, young_until, load()))
        if kept and self._counts(kind, kept, generation):
            self._on_lookup(kind.namespace, "confirmed")
            return kept.facts
        entry = self._stored(kind, key, value, started)
        if entry and self._counts(kind, entry, generation):
            self._on_lookup(kind.namespace, "hit")
            return self._keep(kind, place, entry)
        self._on_lookup(kind.namespace, "miss")
        # Who read the same generation may have what was loaded since: a writer's own reads come with the one it moved to.
        return self._flights.run((place, generation), lambda: self._load(kind, place, key, generation, load))

    def _load(
        self, kind: FactKind, place: tuple[str, str, str], key: str, generation: str, load: Callable[[], Any]
    ) -> Any:
        started, born, server = time.monotonic(), wall_seconds(), self._gate.server
        facts = load()
        if facts is not None:
            lasts = kind.lasting and not is_held(generation)
            self._write(key, [generation, born, server, kind.flatten(facts)], lasts=lasts)
        return self._keep(kind, place, _entry(generation, server, started, facts))

    def expect(self, kind: FactKind, owner: str, variant: str) -> None:
        """Ask for facts along with what this thread asks of Redis next, since ``fetch`` will be called soon (``begin_anew`` before).

        Args: as of ``fetch``.
        """
        if not self._enabled:
            return
        kept = self._local.get((kind.namespace, owner, variant))
        if kind.local and kept and kept.young_until > time.monotonic():
            return
        key = entry_key(kind, owner, variant)
        told = self._ahead.__dict__
        self._gate.along(_question(kind, owner, key, kept), lambda reply: told.__setitem__(key, reply))

    def begin_anew(self) -> None:
        """Drop what this thread asked for ahead and did not need: the next request must not take it for news."""
        self._gate.leave_along()
        self._ahead.__dict__.clear()

    def forget_here(self, namespace: str, owner: str, variant: str = "") -> None:
        """Drop the copy of this process."""
        self._local.pop((namespace, owner, variant), None)

    def _counts(self, kind: FactKind, entry: Entry, generation: str) -> bool:
        """Whether facts may be shown, now that their generation is known to be this one."""
        if entry.generation != generation:
            return False
        now = time.monotonic()
        if entry.young_until > now:
            return True
        if not kind.lasting or is_held(generation) or entry.until <= now:
            return False
        return entry.server is not None and entry.server == self._gate.server and self._all_told()

    def _read(self, kind: FactKind, owner: str, key: str, kept: Entry | None) -> tuple[str, list[Any]]:
        """The generation of now, and what Redis has, if it was asked for that as well."""
        reply = self._ahead.__dict__.pop(key, None)
        if reply is None:
            [reply] = self._gate.ask(_question(kind, owner, key, kept))
        generation, *value = reply
        if generation is None:
            return self.generations.begin(cache_key(kind.namespace, owner)), [None]
        return generation.decode(), value

    def _stored(self, kind: FactKind, key: str, value: list[Any], now: float) -> Entry | None:
        """What Redis has. Args: value: of it, in a list; an empty one where it was not asked for yet."""
        if not value:
            try:
                value = self._gate.ask(("GET", key))
            except RedisUnavailableError:
                return None
        if value[0] is None:
            return None
        generation, born, server, flat = orjson.loads(value[0])
        age = max(0.0, wall_seconds() - born)
        return _entry(generation, server, now - age, kind.revive(flat))

    def _write(self, key: str, entry: list[Any], *, lasts: bool) -> None:
        try:
            self._gate.ask(("SET", key, orjson.dumps(entry), "PX", LIFE_MS if lasts else FACT_TTL_MS))
        except RedisUnavailableError:
            logger.info("cache_write_skipped")

    def _keep(self, kind: FactKind, place: tuple[str, str, str], entry: Entry) -> Any:
        if (kind.local or kind.lasting) and entry.facts is not None:
            if len(self._local) >= self._size:
                self._local.clear()
            self._local[place] = entry
        return entry.facts


def entry_key(kind: FactKind, owner: str, variant: str) -> str:
    return cache_key(kind.namespace, owner, variant, FORM, *kind.names)


def _question(kind: FactKind, owner: str, key: str, kept: Entry | None) -> tuple[str, ...]:
    """What to ask of Redis: the generation alone where this process has facts that may still count."""
    generation = cache_key(kind.namespace, owner)
    return ("MGET", generation) if kept and kind.lasting and kept.generation else ("MGET", generation, key)


def _entry(generation: str, server: str | None, born: float, facts: Any) -> Entry:
    return Entry(generation, server, born + FACT_TTL_MS / 1000, born + LIFE_MS / 1000, facts)
