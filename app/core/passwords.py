"""Password hashes: bcrypt over a keyed digest, and never more of them at once than the machine can bear.

Stored form (SEC-03): ``hf1$<pepper id>$<bcrypt string>``. The bcrypt string carries cost and salt and begins with a
dollar sign of its own, hence the two in a row: ``hf1$p1$$2b$12$...``.

bcrypt never sees the password but ``base64(HMAC-SHA384(pepper, NFC(password)))``: always 64 bytes, so its limit of
72 is never met and the last character of a long password counts; keyed, so a stolen table is worthless without
the pepper. NFC is the only change to what was typed: two keyboards may spell the same "é" in two ways.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
import sys
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar

import bcrypt

from app.core.errors import AppError, Code
from app.core.metrics import HASHES_WAITING

SCHEME = "hf1"
LOWEST_COST, HIGHEST_COST = 4, 31  # bcrypt's own bounds
THREADS_KEPT_FREE = 2
NICENESS = 10
Answer = TypeVar("Answer")
_STORED = re.compile(r"hf1\$([A-Za-z0-9_-]{1,64})\$(\$2b\$(\d\d)\$[./A-Za-z0-9]{53})")


class PepperRing(Protocol):
    """Pepper keys by id; the current one for new hashes, the others for old ones."""

    @property
    def current(self) -> tuple[str, bytes]: ...

    def get(self, key_id: str, /) -> bytes | None: ...


def waiting_room(threads: int, slots: int) -> int:
    """How many threads of a process may wait for a hash: the last two always stay free for other work (SEC-07)."""
    return max(0, threads - THREADS_KEPT_FREE - slots)


class PasswordHasher:
    """Makes and checks password hashes; one for the whole process.

    Hashing happens on threads of its own, which give way to all others: whoever signs in waits a little longer, and
    whoever reads does not notice (SEC-07).

    Args:
        peppers: the pepper ring (32 bytes or more a key).
        cost: bcrypt's work factor, a power of two; 12 takes about a quarter of a second on one core.
        slots: hashes that may run at the same time in this process; the cores of the host divided by its processes.
        wait_seconds: how long a further one waits for a slot.
        max_waiting: how many may wait; see ``waiting_room``.
    """

    def __init__(
        self, peppers: PepperRing, cost: int, slots: int, wait_seconds: float = 2.0, max_waiting: int = 1
    ) -> None:
        if not LOWEST_COST <= cost <= HIGHEST_COST:
            raise ValueError(f"cost must be {LOWEST_COST} to {HIGHEST_COST}")
        if slots < 1 or max_waiting < 0:
            raise ValueError("slots must be at least 1 and max_waiting at least 0")
        self._peppers = peppers
        self._cost = cost
        self._slots = slots
        self._wait_seconds = wait_seconds
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._threads = ThreadPoolExecutor(slots, "password-hash", initializer=_give_way)
        self._running = 0
        self._queue: deque[object] = deque()
        # A real salt and a digest that nobody's password has: checking against it costs what a real check costs.
        self._nobody = bcrypt.gensalt(cost) + b"." * 31
        self._nobodys_pepper = secrets.token_bytes(32)

    @property
    def running(self) -> int:
        """Hashes being computed now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Threads that wait for a slot now."""
        return len(self._queue)

    def hash(self, password: str) -> str:
        """A fresh hash under the current pepper and cost.

        Raises:
            AppError: ``overloaded``, when no slot came free in time.
        """
        pepper_id, pepper = self._peppers.current
        digest = _digest(pepper, password)
        made = self._in_a_slot(lambda: bcrypt.hashpw(digest, bcrypt.gensalt(self._cost)))
        return f"{SCHEME}${pepper_id}${made.decode()}"

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one behind the stored hash; see ``first_match``."""
        return self.first_match(password, [stored]) == 0

    def first_match(self, password: str, hashes: Sequence[str | None]) -> int | None:
        """Which of the stored hashes the password is behind; all of them are compared in one slot.

        With ``None`` (no such account), a malformed hash or one under an unknown pepper, the answer is no after the
        same work, so that time tells nobody which accounts exist (SEC-12). One slot for all, so that nobody is turned
        away with half an answer: that would waste the first half, and tell it.

        Raises:
            AppError: ``overloaded``, when no slot came free in time; nothing was compared.
        """
        return self._in_a_slot(
            lambda: next((at for at, stored in enumerate(hashes) if self._matches(password, stored)), None)
        )

    def demand_room(self) -> None:
        """Refuse at once what would be refused for want of room anyway, before anything is spent on it.

        Raises:
            AppError: ``overloaded``.
        """
        with self._changed:
            if self._crowded and self.waiting >= self._max_waiting:
                raise _overloaded()

    def _matches(self, password: str, stored: str | None) -> bool:
        found = _STORED.fullmatch(stored) if stored else None
        pepper = self._peppers.get(found[1]) if found else None
        real = found is not None and pepper is not None
        digest = _digest(pepper or self._nobodys_pepper, password)
        target = found[2].encode() if found and real else self._nobody
        try:
            matches = bcrypt.checkpw(digest, target)
        except ValueError:  # a cost or salt that bcrypt refuses: as malformed as the rest, and as slow
            bcrypt.checkpw(digest, self._nobody)
            return False
        return matches and real

    def needs_rehash(self, stored: str) -> bool:
        """Whether a hash should be made anew at the next right password: old scheme, pepper or lower cost (SEC-04)."""
        found = _STORED.fullmatch(stored)
        return found is None or found[1] != self._peppers.current[0] or int(found[3]) < self._cost

    @property
    def _crowded(self) -> bool:
        """Whether one more has to wait: nobody overtakes those who wait already."""
        return self._running >= self._slots or self.waiting > 0

    def _in_a_slot(self, work: Callable[[], Answer]) -> Answer:
        with self._slot():
            return self._threads.submit(work).result()

    @contextmanager
    def _slot(self) -> Iterator[None]:
        with self._changed:
            if self._crowded:
                self._wait_for_slot()
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _wait_for_slot(self) -> None:
        if self.waiting >= self._max_waiting:
            raise _overloaded()
        turn = object()
        self._queue.append(turn)
        HASHES_WAITING.set(self.waiting)
        try:
            if not self._changed.wait_for(lambda: self._is_next(turn), self._wait_seconds):
                raise _overloaded()
        finally:
            self._queue.remove(turn)
            HASHES_WAITING.set(self.waiting)
            self._changed.notify_all()

    def _is_next(self, turn: object) -> bool:
        return self._running < self._slots and self._queue[0] is turn


def _give_way() -> None:
    """Lower the priority of this thread alone, where the system can: on Linux each thread has its own.

    Where a sandbox refuses, hashes do not give way; a thread that failed here would break all of them.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def _digest(pepper: bytes, password: str) -> bytes:
    # A lone surrogate is refused at the door, but a password check must never be what fails on one.
    typed = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(pepper, typed, hashlib.sha384).digest())


def _overloaded() -> AppError:
    return AppError(Code.overloaded, "Too many people are signing in at this moment.", retry_after=2)
