"""Who may have how many of few places, so that nobody is kept out by somebody who takes all he gets.

The rule is that of dynamic thresholds (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
switches", IEEE/ACM Transactions on Networking 6(2), 1998): a holder gets one more place while it has fewer than are free.
One alone gets half of the places, the next one half of what is left, and as places come back all that want some get equally many.
"""

from collections import Counter, deque
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Places:
    """So many places, and who has how many of them.

    Args:
        number: of places.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        self._taken: Counter[str] = Counter()

    def taken(self, holder: str) -> int:
        return self._taken[holder]

    def open_to(self, holder: str) -> bool:
        """Whether the holder may have one more."""
        return self._taken[holder] < self.free

    def take(self, holder: str) -> None:
        self.free -= 1
        self._taken[holder] += 1

    def give_back(self, holder: str) -> None:
        self.free += 1
        self._taken[holder] -= 1
        if not self._taken[holder]:
            del self._taken[holder]


class FairQueue(Generic[T]):
    """Things that want to be at work, at most so many at once, and those that wait for it.

    Args:
        at_work: places for those at work.
        waiting: places for those that wait.
    """

    def __init__(self, at_work: int, waiting: int) -> None:
        self._at_work, self._waiting = Places(at_work), Places(waiting)
        self._lines: dict[str, deque[T]] = {}
        self._lock = Lock()

    def enter(self, holder: str, thing: T) -> bool:
        """Let a thing wait, be it for a moment; whether there is a place for it."""
        with self._lock:
            if not (self._at_work.open_to(holder) or self._waiting.open_to(holder)):
                return False
            self._waiting.take(holder)
            self._lines.setdefault(holder, deque()).append(thing)
            return True

    def begin(self) -> list[T]:
        """Those that are at work from now on: of whoever has least at work, and of these of whoever waits longest."""
        begun = []
        with self._lock:
            while holders := [holder for holder in self._lines if self._at_work.open_to(holder)]:
                holder = min(holders, key=self._at_work.taken)
                self._waiting.give_back(holder)
                self._at_work.take(holder)
                line = self._lines.pop(holder)
                begun.append(line.popleft())
                if line:
                    self._lines[holder] = line
        return begun

    def claim(self, before: str, holder: str) -> bool:
        """Let a thing that is at work count for another holder; whether there is a place for it."""
        with self._lock:
            self._at_work.give_back(before)
            there_is = self._at_work.open_to(holder)
            self._at_work.take(holder if there_is else before)
            return there_is

    def leave(self, holder: str) -> None:
        """Say that one of the holder's things is no longer at work."""
        with self._lock:
            self._at_work.give_back(holder)
