"""gunicorn's parser, made to look before it reads: a request is taken on when all of it is there that will be needed.

gunicorn's own (27.0.1) reads with a blocking socket: who sends half a head, or half a body, holds a thread for as long as
he likes. Here the socket does not block. Where the parser would have to wait it starts over when more has come.
"""

import os
import time
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader

from app.web.chunked_bodies import BoundedRequest
from app.web.client_socket import ClientSocket

GLANCE_SECONDS = 0.05
PIECES_AT_ONCE = 16


class RewindingUnreader(SocketUnreader):  # type: ignore[misc] # gunicorn has no types
    """What came from a socket, with the way back to the beginning of a head."""

    # As much as uploads ask for at a time: what is received beyond that is copied again for each piece.
    max_body_chunk = 256 * 1024

    def __init__(self, sock: ClientSocket) -> None:
        super().__init__(sock)
        self._taken: list[bytes] | None = None

    def read(self, size: int | None = None, read_ahead: int | None = None) -> bytes:
        """Read as gunicorn does, and remember it after ``mark``.

        Raises:
            BlockingIOError: nothing is there, and the socket does not wait.
        """
        data: bytes = super().read(size, read_ahead)
        if self._taken is not None:
            self._taken.append(data)
        return data

    def mark(self) -> None:
        self._taken = []

    def forget(self) -> None:
        self._taken = None

    def rewind(self) -> bool:
        """Go back to the mark; whether anything has come since."""
        taken, self._taken = b"".join(self._taken or ()), None
        self.unread(taken)
        return bool(taken)

    def fill(self, size: int) -> bool:
        """Take in so many bytes, without waiting; whether no more of them will come, or none is missing."""
        self.buf.seek(0, os.SEEK_END)
        while (missing := size - self.buf.tell()) > 0:
            try:
                data = self.sock.recv(missing)
            except BlockingIOError:
                return False
            except OSError:  # who reads the body is told
                return True
            if not data:
                return True
            self.buf.write(data)
        return True

    def drop(self, size: int) -> int:
        """Drop up to so many bytes of what is there, in a few pieces; how many are missing.

        Raises:
            OSError: the client is gone.
        """
        held = self.take_buffered()
        self.unread(held[size:])
        size = max(0, size - len(held))
        self.sock.setblocking(False)
        for _ in range(PIECES_AT_ONCE):
            if size == 0:
                break
            try:
                data = self.sock.recv(min(size, self.max_body_chunk))
            except BlockingIOError:
                break
            if not data:
                raise ConnectionError("The client hung up in the middle of a body.")
            size -= len(data)
        return size


class ForesightedParser(RequestParser):  # type: ignore[misc] # gunicorn has no types
    """The parser of one connection.

    Attributes:
        request: the request that was seen and not served yet.
        begun: since when half a head has been waiting, by ``time.monotonic``.
    """

    mesg_class = BoundedRequest

    def __init__(self, cfg: Any, sock: ClientSocket, client: Any) -> None:
        super().__init__(cfg, sock, client)
        self.unreader = RewindingUnreader(sock)
        self.request: Any = None
        self.begun: float | None = None
        self._fault: Exception | None = None

    def look_ahead(self) -> bool:
        """Whether a head is there, or what is wrong with it; what is wrong is raised by ``next``."""
        if self.request is not None:
            return True
        self.unreader.mark()
        try:
            self.request = super().__next__()
        except BlockingIOError:
            if self.unreader.rewind() and self.begun is None:
                self.begun = time.monotonic()
            return False
        except Exception as fault:  # noqa: BLE001 - `next` raises it where gunicorn answers it
            self._fault = fault
        self.begun = None
        self.unreader.forget()
        return True

    def __next__(self) -> Any:
        """The request that ``look_ahead`` saw.

        Raises:
            Exception: whatever gunicorn's parser found wrong with it.
        """
        self.look_ahead()
        request, fault = self.request, self._fault
        self.request = self._fault = None
        if fault is not None:
            raise fault
        return request

    def declared(self) -> int | None:
        """The length of the request's body; without one that is declared (chunks), ``None``."""
        reader = self.request.body.reader
        return reader.length if isinstance(reader, LengthReader) else None

    def drop_body(self, most: int) -> bool:
        """Drop what is there of the body of the request that was answered last; whether that was all of it.

        What is to come of a declared length can be dropped by calling this again. Chunks are waited for, ``GLANCE_SECONDS``
        at most, and only once.

        Args:
            most: bytes that may be outstanding.

        Raises:
            OSError: the client is gone.
            LostPlaceError: nothing tells where the next request begins, or it is too far away.
            ParseException: the chunks are malformed.
        """
        body = self.mesg.body
        if body.failed:
            raise LostPlaceError
        if not isinstance(body.reader, LengthReader):
            if not self.finish_body(deadline=time.monotonic() + GLANCE_SECONDS, max_bytes=most):
                raise LostPlaceError
            return True
        if body.reader.length > most:
            raise LostPlaceError
        body.reader.length = self.unreader.drop(body.reader.length)
        return bool(body.reader.length == 0)


class LostPlaceError(Exception):
    """A connection cannot serve another request."""
