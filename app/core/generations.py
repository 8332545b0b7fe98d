"""Since when facts of a thing hold: a random word for each thing in Redis, moved by whoever changes the thing.

Facts are stamped with the word that was there before they were read, and count only while it stands. A word that Redis evicted
cannot come back, so it revives nothing, which a counter that begins anew would.

Before a change is committed the thing is held: what is read meanwhile may be of before or after the commit, and is kept by nobody. So
a process that dies between its commit and the release leaves no facts behind. Several may hold it at once, each under a word of its own
(somebody's list changes with each of their projects); it has a generation again when the last of them has let it go. A release that
arrives once more, after another change, finds no hold of its own and takes the generation away: the word that it would set was
there before, and facts with it.
"""

import secrets
from collections.abc import Collection

from app.core.cache_keys import cache_key
from app.core.redis_gate import RedisGate
from app.core.redis_link import Command

GENERATION_TTL, HOLD_TTL = 86_400, 60
"""Seconds. A hold is for as long as a COMMIT takes; one that its process left behind ends by itself."""
HELD = "~"
OTHERS = """
local now, own = tonumber(redis.call('TIME')[1]), ARGV[1]
local function others(there)
  local kept = ''
  for word, ends in string.gmatch(there or '', '~(%w+)@(%d+)') do
    if word ~= own and tonumber(ends) > now then kept = kept .. '~' .. word .. '@' .. ends end
  end
  return kept
end
"""
HOLD = f"""{OTHERS}
for _, key in ipairs(KEYS) do
  local kept = others(redis.call('GET', key))
  redis.call('SET', key, '~' .. own .. '@' .. (now + ARGV[2]) .. kept, 'EX', ARGV[2])
end
"""
RELEASE = f"""{OTHERS}
for _, key in ipairs(KEYS) do
  local there = redis.call('GET', key) or ''
  local kept = others(there)
  if kept ~= '' then
    redis.call('SET', key, kept, 'EX', ARGV[4])
  elseif own == '' or string.find(there, '~' .. own .. '@', 1, true) then
    redis.call('SET', key, ARGV[2], 'EX', ARGV[3])
  else
    redis.call('DEL', key)
  end
end
"""
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
            word: of the change's own (``new_word``), for ``release``.

        Raises:
            RedisUnavailableError: perhaps some are held, perhaps none.
        """
        self._gate.ask(("EVAL", HOLD, len(changed), *_keys(changed), word, HOLD_TTL))

    def release(self, changed: Changed, word: str = "") -> None:
        """Let no process take the stored facts of things again, after the commit that changed them; in one round trip.

        Args:
            word: that they were held by; nothing where they were not.

        Raises:
            RedisUnavailableError: perhaps some are released, perhaps none; see app/core/invalidation.py for what happens then.
        """
        self._gate.ask(self.to_release(changed, word))

    def to_release(self, changed: Changed, word: str) -> Command:
        """What ``release`` asks. Args: as there."""
        to = word or new_word()
        return ("EVAL", RELEASE, len(changed), *_keys(changed), word, to, GENERATION_TTL, HOLD_TTL)


def new_word() -> str:
    return secrets.token_hex(8)


def is_held(word: str) -> bool:
    """Whether a change was under way when the word was read."""
    return word.startswith(HELD)


def _keys(changed: Changed) -> list[str]:
    return [cache_key(*each) for each in changed]
