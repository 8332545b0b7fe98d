"""Since when facts of a thing hold: a random word for each thing in Redis, moved by whoever changes the thing.

Facts are stamped with the word that was there before they were read, and count only while it stands. A word that Redis evicted
cannot come back, so it revives nothing, which a counter that begins anew would.

Before a change is committed its word is held: what is read meanwhile may be of before or after the commit, and counts for a moment
only. So a process that dies between its commit and the move of the word leaves no facts that last.
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
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] and string.sub(there, 1, 1) == '~' then
  return redis.call('SET', KEYS[1], '~' .. ARGV[2], 'EX', ARGV[4])
end
return redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
"""
"""To a new word; held further where another change holds it too."""


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

    def hold(self, changes: Collection[tuple[str, str, str]]) -> None:
        """Say that things are being changed, in one round trip.

        Args:
            changes: each the namespace, the owner and a word of the change's own, for ``move``.

        Raises:
            RedisUnavailableError: perhaps some are held, perhaps none.
        """
        self._gate.ask(*(_hold(cache_key(namespace, owner), word) for namespace, owner, word in changes))

    def move(self, namespace: str, owner: str, held_by: str = "") -> None:
        """Let no process take the stored facts of a thing again, after the commit that changed it.

        Args:
            held_by: the word that ``hold`` was given.

        Raises:
            RedisUnavailableError: nothing moved; see app/core/invalidation.py for what happens then.
        """
        key = cache_key(namespace, owner)
        self._gate.ask(("EVAL", MOVE, 1, key, HELD + held_by, new_word(), GENERATION_TTL, HOLD_TTL))


def new_word() -> str:
    return secrets.token_hex(8)


def is_held(word: str) -> bool:
    """Whether a change was under way when the word was read."""
    return word.startswith(HELD)


def _hold(key: str, word: str) -> Command:
    return ("SET", key, HELD + word, "EX", HOLD_TTL)
