"""Two rooms in one process: which requests are transfers, and the threads that they wait in.

A few threads answer requests that are there as a whole (docs/decisions/0032-two-rooms-in-one-process.md). What takes as
long as the client likes, bodies that arrive and files that go out, is served by threads of its own: most of them wait, and
none of the few waits for them.
"""

import re
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from typing import Any
from urllib.parse import unquote

from app.web.foresight import ForesightedParser

WAITING_BODY_BYTES = 64 * 1024
QUEUED_PER_THREAD = 4

_BODY, _ANY = frozenset({"POST", "PUT", "PATCH"}), None
_FILES = "/api/v1/projects/[^/]+/files"
Routes = tuple[tuple[frozenset[str] | None, re.Pattern[str]], ...]
TRANSFERS: Routes = (
    (_BODY, re.compile(_FILES)),
    (frozenset({"GET"}), re.compile(rf"{_FILES}/[^/]+/(content|thumbnail)")),
    (_BODY, re.compile("/api/v1/projects/[^/]+/tus.*")),
    (_ANY, re.compile("/api/v1/files/.*")),
    (frozenset({"GET"}), re.compile("/api/v1/me/exports/[^/]+/content")),
)
"""Methods and whole paths of what is a transfer whatever its body."""


class Place(Enum):
    """Where a connection goes on."""

    here = "answered at once"
    poller = "waits without a thread for the rest of a head or of a small body"
    transfers = "goes to the threads for transfers"


def place_of(parser: ForesightedParser, routes: Routes = TRANSFERS) -> Place:
    """Where the request belongs that is arriving; takes in what is there of it, and waits for nothing.

    A path counts as the application will see it, so that a spelling with ``%`` does not choose the room.
    """
    if not parser.look_ahead():
        return Place.poller
    if (request := parser.request) is None:  # a fault, or the end of the connection
        return Place.here
    path, length = unquote(request.path, "latin-1"), parser.declared()
    listed = any((m is None or request.method in m) and route.fullmatch(path) for m, route in routes)
    if listed or length is None or length > WAITING_BODY_BYTES:
        return Place.transfers
    if parser.unreader.fill(length):
        return Place.here
    return Place.transfers if request._expected_100_continue else Place.poller  # noqa: SLF001 - no public name


class TransferRoom:
    """The threads for transfers of one process, and the queue before them. Belongs to the main thread.

    Args:
        threads: how many transfers run at once.
    """

    def __init__(self, threads: int) -> None:
        self._room_for = threads * (1 + QUEUED_PER_THREAD)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="transfer")
        self._inside: set[Any] = set()
        self._open = True

    @property
    def full(self) -> bool:
        """Whether all threads are busy, and as many wait as may."""
        return len(self._inside) >= self._room_for

    def enter(
        self, conn: Any, handle: Callable[[Any], Any], done: Callable[[Any, Future[Any]], None]
    ) -> None:
        """Serve a connection when a thread is free.

        Args:
            conn: gunicorn's connection.
            handle: serves it, in a thread of the room.
            done: called in that thread at the end; has the main thread call ``leave``.
        """

        def tell(future: Future[Any]) -> None:
            if self._open:
                done(conn, future)

        self._inside.add(conn)
        conn.sock.patient = True
        self._pool.submit(handle, conn).add_done_callback(tell)

    def leave(self, conn: Any) -> None:
        self._inside.discard(conn)
        conn.sock.patient = False
        with suppress(OSError):
            conn.sock.setblocking(False)

    def close(self) -> None:
        """Cut off what is still under way: a process ends only when its threads have."""
        self._open = False
        self._pool.shutdown(wait=False, cancel_futures=True)
        for conn in tuple(self._inside):
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)
