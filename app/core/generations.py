"""Since when facts of a thing hold: a random word for each thing in Redis, moved by whoever changes the thing.

Facts are stamped with the word that was there before they were read, and count only while it stands. A word that Redis evicted
cannot come back, so it revives nothing, which a counter that begins anew would.

Before a change is committed its word is held: what is read meanwhile may be of before or after the commit, and is kept by nobody. So
a process that dies between its commit and the move of the word leaves no facts behind, and nobody need wait for that move.
"""

import secrets
from collections.abc import Collection

from app.core.cache_keys import cache_key
from app.core.redis_gate import RedisGate
from app.core.redis_link import Command

GENERATION_TTL, HOLD_TTL = 86_400, 300
"""Seconds. A hold is for as long as a COMMIT takes; one that its process left behind ends by itself."""
HELD = "~"
MOVE = """
for _, key in ipairs(KEYS) do
  local there = redis.call('GET', key)
  if not there or there == ARGV[1] or string.sub(there, 1, 1) ~= '~' then
    redis.call('SET', key, ARGV[2], 'EX', ARGV[3])
  end
end
"""
"""Each to a new word, but for those that another change holds: it will move them."""
Changed = Collection[tuple[str, str]]
"""Things that are changed, each by its namespace and owner."""


class Generations:
    """Args: gate: Redis."""

    def __init__(self, gate: RedisGate) -> None:
        self._gate = gate

    def begin(self, key: str) -> str:
        """A word for a thing that has none; the one that another process gave it meanwhile, where one did.

        Args:
            key: of ``cache_key(namespace, owner)``.
        """
        word = new_word()
        [there] = self._gate.ask(("SET", key, word, "NX", "GET", "EX", GENERATION_TTL))
        return there.decode() if isinstance(there, bytes) else word

    def hold(self, changed: Changed, word: str) -> None:
        """Say that things are being changed, in one round trip.

        Args:
            word: of the change's own, for ``release``.

        Raises:
            RedisUnavailableError: perhaps some are held, perhaps none.
        """
        self._gate.ask(*(("SET", cache_key(*each), HELD + word, "EX", HOLD_TTL) for each in changed))

    def move(self, changed: Changed) -> None:
        """Let no process take the stored facts of things again, after a commit that changed them and held nothing; one round trip.

        Raises:
            RedisUnavailableError: nothing moved; see app/core/invalidation.py for what happens then.
        """
        self._gate.ask(_move(changed, "", new_word()))

    def release(self, changed: Changed, word: str) -> None:
        """Move what was held, after the commit. Nobody waits for it: what is held is taken by nobody.

        Args:
            word: that ``hold`` was given.
        """
        self._gate.post(_move(changed, word, word))


def new_word() -> str:
    return secrets.token_hex(8)


def is_held(word: str) -> bool:
    """Whether a change was under way when the word was read."""
    return word.startswith(HELD)


def _move(changed: Changed, held_by: str, to: str) -> Command:
    keys = [cache_key(*each) for each in changed]
    return ("EVAL", MOVE, len(keys), *keys, HELD + held_by, to, GENERATION_TTL)
