"""How many connections each process has, in memory that all of them share, and whose turn it is to accept the next one.

Everybody who is awake sees that somebody knocks, and whoever is first gets the connection: of sixteen that are kept, one process
may have nearly all, and then one core does the work of two. So who has more than others lets them go first. Nobody waits for
long, because a process that has fewer connections may still be busy, or stuck.
"""

import mmap
import time
from collections.abc import Iterable
from typing import ClassVar

SLOTS = 128
"""Twice the most processes: a reload starts the new ones before the old ones have ended."""
NOBODY = 2**62
"""Stands where nobody accepts: more than anybody has."""
EXACT_BELOW = 4
"""Connections of a process, below which not even one more is let pass: of four, three and one is half of the work on one core."""
BREATH_SECONDS = 0.0002
MOST_IN_VAIN, FORGET_SECONDS = 64, 1.0


class ConnectionCounts:
    """A number for each process. The master makes it before it forks, and says whose is which; each writes its own only."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, 8 * SLOTS)).cast("q")
        for slot in range(SLOTS):
            self._cells[slot] = NOBODY

    def vacant(self, taken: Iterable[int | None]) -> int | None:
        """A slot that nobody has; ``None`` when there is none, and who gets that takes no part."""
        slot = min(set(range(SLOTS)).difference(taken), default=None)
        self.clear(slot)
        return slot

    def clear(self, slot: int | None) -> None:
        """Let nobody wait for this one: it does not accept, or is gone."""
        self.write(slot, NOBODY)

    def write(self, slot: int | None, count: int) -> None:
        if slot is not None:
            self._cells[slot] = count

    def fewest(self) -> int:
        """Of those who accept."""
        return min(self._cells.tolist())


counts = ConnectionCounts()
"""Of this server. Made when the master loads the worker's class, thus before any fork."""


class Turn:
    """Whether one process may accept. It is asked again as long as somebody knocks.

    Who stood back in vain accepts all the same, and within a second more each time, up to ``MOST_IN_VAIN``: where the others are
    too busy, a crowd must not wait for them again and again.

    Args:
        table: of the server.
        slot: of this process; without one it is always its turn.

    Attributes:
        most_breaths: how often a process that has nothing else to do waits for another one; about 5 ms in all.
        longest: seconds that one stands back which has other clients to answer meanwhile. Nothing is lost by that, and who
            knocks would stand in line here as well; only the other one may be stuck.
    """

    most_breaths: ClassVar[int] = 16
    longest: ClassVar[float] = 0.05

    def __init__(self, table: ConnectionCounts, slot: int | None) -> None:
        self._table, self._slot = table, slot
        self._since: float | None = None
        self._breaths, self._in_vain, self._left, self._until = 0, 1, 0, 0.0

    def tell(self, count: int | None) -> None:
        """Let the others know how many this one has; ``None`` while it does not accept."""
        self._table.write(self._slot, NOBODY if count is None else count)

    def has_come(self, count: int) -> bool:
        """Whether to accept now, given how many connections this process has."""
        if self._slot is None:
            return True
        self._table.write(self._slot, count)
        fewest = self._table.fewest()
        more = fewest // 8 + (
            fewest >= EXACT_BELOW
        )  # an exact deal would cost a wait for each request of a flood
        if count <= fewest + more:
            self._since = None
            return True
        return self._waited_in_vain(time.monotonic())

    def breathe(self) -> None:
        """Wait for a moment, if this one stands back: whoever knocks would end each look at once."""
        if self._since is not None:
            self._breaths += 1
            time.sleep(BREATH_SECONDS)

    def nobody_knocks(self) -> None:
        """Note that nobody is there any more: who stood back was right to."""
        if self._since is not None:
            self._since, self._in_vain = None, 1

    def _waited_in_vain(self, now: float) -> bool:
        if now > self._until:
            self._in_vain, self._left = 1, 0
        if self._left:
            self._left -= 1
            return True
        if self._since is None:
            self._since, self._breaths = now, 0
            return False
        if self._breaths < self.most_breaths and now - self._since < self.longest:
            return False
        self._since, self._left, self._until = None, self._in_vain - 1, now + FORGET_SECONDS
        self._in_vain = min(2 * self._in_vain, MOST_IN_VAIN)
        return True
