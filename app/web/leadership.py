"""Which thread of a process looks after its clients: one as long as it is quick, another as soon as it is not.

Leader and followers (Schmidt, Stal, Rohnert, Buschmann: Pattern-Oriented Software Architecture 2, 2000), with one difference: a leader
that answers a request keeps the lead. Handing it on for each request would wake a thread for each, and threads that are
awake take the interpreter from each other at every call of an engine. Who is away for longer than ``PATIENCE`` loses the lead.

The main thread answers nobody, so that signals reach it at once. It lends the lead out, and leads only while nobody else can.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident
from typing import TypeVar

Answer = TypeVar("Answer")

PATIENCE = 0.01
LOOKS_BEFORE_SLEEP = 50
MAIN_LOOKS = 0.02


class Leadership:
    """Made by the main thread, which leads at first.

    Args:
        wake: makes a leader that waits for events return; called from any thread.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock, self._watching = threading.Lock(), threading.Lock()
        self._news, self._bell = Signal(), Signal()
        self._main = get_ident()
        self._leader: int | None = self._main
        self._away_since: float | None = None
        self._free = self._quiet = 0
        self._asleep = self._called = False
        self._open, self._wanted = True, False

    @property
    def mine(self) -> bool:
        """Whether the calling thread leads."""
        return self._leader == get_ident()

    @property
    def kept(self) -> bool:
        """Whether the calling thread leads, and should go on."""
        return self.mine and self._open and not self._wanted

    def away(self, work: Callable[[], Answer]) -> Answer:
        """Do something that may take long. Look at ``mine`` after it."""
        self._away_since = time.monotonic()
        if self._asleep:
            self._news.give()
        try:
            return work()
        finally:
            with self._lock:
                if self.mine:
                    self._away_since = None

    def wait_to_lead(self) -> bool:
        """Be free until there is nobody who leads, then lead; ``False`` when all is over."""
        with self._lock:
            self._free += 1
        if self._leader == self._main:
            self._wake()
        with self._watching:  # one of the free threads; the others sleep
            while self._open and not self._take():
                self._watch()
        return self._open

    def resign(self) -> None:
        """Give up the lead, if one has it."""
        with self._lock:
            if not self.mine:
                return
            self._leader = self._away_since = None
        (self._bell if self._wanted else self._news).give()

    def lend(self, seconds: float) -> bool:
        """Let others lead for so long, or until ``call``. The main thread leads again afterwards.

        Returns:
            Whether there was anybody to lend to.
        """
        if not self._free:
            return False
        self.resign()
        until = time.monotonic() + seconds
        while not self._called and (left := until - time.monotonic()) > 0:
            self._bell.wait(left if self._free else min(left, MAIN_LOOKS))
            if not self._free and self._take_back(at_once=False):
                break
        self._called = False
        self._wanted = True
        if not self.mine:
            self._wake()
        while not self._take_back(at_once=True):
            self._bell.wait(PATIENCE)
        self._wanted = False
        return True

    def call(self) -> None:
        """Call the main thread back; may be used in handlers of signals."""
        self._called = True
        self._bell.give()

    def close(self) -> None:
        """Let all who lead or are free end; what they are about is finished."""
        self._open = False
        self._news.give()
        self._wake()

    def _take(self) -> bool:
        with self._lock:
            if not self._vacant() or (self._leader is None and self._wanted):
                return False
            self._leader, self._away_since = get_ident(), None
            self._free -= 1
            nobody_free = not self._free
        if nobody_free:
            self._bell.give()  # the main thread must watch now
        return True

    def _take_back(self, *, at_once: bool) -> bool:
        with self._lock:
            if self.mine:
                return True
            if not self._vacant() or (self._leader is None and not at_once):
                return False
            self._leader, self._away_since = self._main, None
        return True

    def _vacant(self) -> bool:
        if self._leader is None:
            return True
        return self._away_since is not None and time.monotonic() - self._away_since >= PATIENCE

    def _watch(self) -> None:
        """Wait until it is worth while to look again: soon where somebody is busy, else until there is news."""
        since = self._away_since
        self._quiet = self._quiet + 1 if since is None else 0
        if self._quiet > LOOKS_BEFORE_SLEEP:
            self._asleep = True
            if self._away_since is None:  # nobody began meanwhile
                self._news.wait(None)
            self._asleep = False
        else:
            left = PATIENCE if since is None else since + PATIENCE - time.monotonic()
            self._news.wait(max(left, PATIENCE / 10))


class Signal:
    """Wakes one thread that waits, or the next that will. A bare lock, since handlers of signals may give it as well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def give(self) -> None:
        with suppress(RuntimeError):  # given already
            self._lock.release()

    def wait(self, seconds: float | None) -> None:
        self._lock.acquire(timeout=-1 if seconds is None else seconds)
