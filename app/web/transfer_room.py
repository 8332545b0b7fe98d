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
from functools import partial
from typing import Any
from urllib.parse import unquote

from app.web.fair_share import FairQueue
from app.web.foresight import ForesightedParser
from app.web.transfer_holder import claims

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
    rest = "is answered; waits without a thread for the end of a body that nobody read"
    end = "is answered and over, though the client may be sending still"


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
    """The threads for transfers of one process, and the line before them; both are shared fairly.

    Belongs to the main thread, but for what ``claim`` does.

    Args:
        threads: how many transfers run at once.
        rearranged: called in a thread of the room when others may begin; has the main thread call ``begin``.
    """

    def __init__(self, threads: int, rearranged: Callable[[], None]) -> None:
        self._queue: FairQueue[_Turn] = FairQueue(threads, threads * QUEUED_PER_THREAD)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="transfer")
        self._rearranged = rearranged
        self._holders: dict[Any, str] = {}
        self._open = True

    def enter(
        self, conn: Any, holder: str, handle: Callable[[Any], Any], done: Callable[[Any, Future[Any]], None]
    ) -> bool:
        """Serve a connection when its turn has come; whether there is a place for it to wait.

        Args:
            conn: gunicorn's connection.
            holder: for whom it counts, as far as its head tells (app/web/transfer_holder.py).
            handle: serves it, in a thread of the room.
            done: called in that thread at the end; has the main thread call ``leave``.
        """

        def tell(future: Future[Any]) -> None:
            if self._open:
                done(conn, future)

        def serve() -> Any:
            claims.set(partial(self._claim, conn))
            return handle(conn)

        def turn() -> None:
            conn.sock.patient = True
            self._pool.submit(serve).add_done_callback(tell)

        if not self._queue.enter(holder, turn):
            return False
        self._holders[conn] = holder
        self.begin()
        return True

    def begin(self) -> None:
        """Begin with those whose turn has come."""
        for turn in self._queue.begin():
            turn()

    def leave(self, conn: Any) -> None:
        self._queue.leave(self._holders.pop(conn))
        conn.sock.patient = False
        with suppress(OSError):
            conn.sock.setblocking(False)
        self.begin()

    def close(self) -> None:
        """Cut off what is still under way: a process ends only when its threads have."""
        self._open = False
        self._pool.shutdown(wait=False, cancel_futures=True)
        for conn in tuple(self._holders):
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)

    def _claim(self, conn: Any, holder: str) -> bool:
        before = self._holders[conn]
        if before == holder:
            return True
        if not self._queue.claim(before, holder):
            return False
        self._holders[conn] = holder
        self._rearranged()
        return True


_Turn = Callable[[], None]
