"""One load for many who want the same at once, so that a value that many ask for does not cost the database many loads when it ends."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

JOINED_WITHIN, PATIENCE = 0.4, 0.5
"""Seconds. What somebody is given who joins late and waits long is still less than a second old."""


class Flight:
    """A load under way."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.over = threading.Event()
        self.landed = False
        self.found: Any = None


class SingleFlight:
    """For the threads of one process: there are few processes, and each asks once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight] = {}

    def run(self, key: Hashable, load: Callable[[], Any]) -> Any:
        """What ``load`` answers, or what a load of the same key answers that began before.

        A load that fails, or takes longer than others wait, is nobody's but its own.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                mine = self._flights[key] = Flight()
        if flight is not None:
            joins = time.monotonic() - flight.began < JOINED_WITHIN
            return flight.found if joins and flight.over.wait(PATIENCE) and flight.landed else load()
        try:
            mine.found = load()
            mine.landed = True
            return mine.found
        finally:
            with self._lock:
                del self._flights[key]
            mine.over.set()
