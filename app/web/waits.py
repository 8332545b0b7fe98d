"""Connections that wait in the poller, without a thread: until something moves, or until their time is up."""

import time
from collections.abc import Callable
from selectors import BaseSelector
from typing import Any, NamedTuple

LOOK_SECONDS = 0.5

Then = Callable[[Any], None]
"""What happens to a connection that is no longer waiting."""


class Wait(NamedTuple):
    """How long, what then, and whether a stopping worker may cut it short."""

    until: float
    late: Then
    idle: bool


class Waits:
    """Belongs to the main thread of a worker.

    Args:
        poller: the worker's.
    """

    def __init__(self, poller: BaseSelector) -> None:
        self._poller = poller
        self._waits: dict[Any, Wait] = {}
        self._look_at = 0.0

    def add(self, conn: Any, events: int, seconds: float, ready: Then, late: Then, *, idle: bool) -> None:
        """Wait for an event of the connection's socket.

        Args:
            conn: gunicorn's connection.
            events: of ``selectors``.
            seconds: how long.
            ready: called at each event. The connection goes on waiting unless it says ``remove``.
            late: called once, when the time is up and the wait is over.
            idle: whether nothing is under way that a stopping worker must let end.

        Raises:
            OSError, ValueError: the socket is closed.
        """
        self._poller.register(conn.sock, events, lambda _sock: ready(conn))
        self._waits[conn] = Wait(time.monotonic() + seconds, late, idle)

    def renew(self, conn: Any, seconds: float) -> None:
        self._waits[conn] = self._waits[conn]._replace(until=time.monotonic() + seconds)

    def remove(self, conn: Any) -> None:
        del self._waits[conn]
        self._poller.unregister(conn.sock)

    def hurry(self, seconds: float) -> None:
        """Let the idle ones wait no longer than this."""
        until = time.monotonic() + seconds
        for conn, wait in self._waits.items():
            if wait.idle and wait.until > until:
                self._waits[conn] = wait._replace(until=until)

    def expire(self) -> None:
        """End the waits whose time is up; looks for them twice a second, however often it is called."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        for conn, wait in [(conn, wait) for conn, wait in self._waits.items() if wait.until <= now]:
            self.remove(conn)
            wait.late(conn)
