"""A client's socket that never holds up a thread which other clients need (D9, trap T2)."""

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

KEPT_BYTES = 4 * 2**20
PIECE = 256 * 1024


class ClientSocket(socket.socket):
    """A connection's socket, in one of two moods.

    As it comes, nothing waits: what the client does not take at once is kept in ``left``, and whoever owns the poller
    sends it on with ``flush``. A patient one waits for the client, though never longer than ``idle_seconds`` for one
    byte to move; then ``TimeoutError`` is raised, which is an ``OSError`` like that of a client who left.

    Args:
        sock: the accepted socket, which is taken over.
        idle_seconds: see above.

    Attributes:
        patient: whether it waits; set by who knows in which room the request is.
        left: bytes that are still to be sent.
    """

    def __init__(self, sock: socket.socket, idle_seconds: float) -> None:
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        self.patient = False
        self.left = bytearray()
        self._idle_seconds = idle_seconds
        self.settimeout(0.0)

    def setblocking(self, flag: bool, /) -> None:
        """Block as far as the mood allows. gunicorn calls it before it reads and after it has written."""
        seconds = self._idle_seconds if flag and self.patient else 0.0
        if self.gettimeout() != seconds:  # else a call of the system for nothing
            self.settimeout(seconds)

    def sendall(self, data: "ReadableBuffer", flags: int = 0, /) -> None:
        """Send, and keep or wait for what does not go at once.

        An answer of more than ``KEPT_BYTES`` is not kept but waited for: only transfers are so long, and they have a
        room of their own. Python's own ``sendall`` would limit the whole, not the standstill.
        """
        view = memoryview(data).cast("B")
        if self.patient:
            self._send_waiting(view, flags)
        elif len(self.left) + len(view) <= KEPT_BYTES:
            sent = 0 if self.left else self._send_now(view)
            self.left += view[sent:]
        else:
            self.settimeout(self._idle_seconds)
            self._send_waiting(memoryview(bytes(self.left)), flags)
            self.left.clear()
            self._send_waiting(view, flags)
            self.settimeout(0.0)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file; an impatient socket takes it as one piece of bytes."""
        if self.patient:
            return super().sendfile(file, offset, count)
        file.seek(offset)
        data = file.read(-1 if count is None else count)
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Send on the next piece of what is left, as far as it goes; whether that was all.

        Raises:
            OSError: the client is gone.
        """
        del self.left[: self._send_now(memoryview(bytes(self.left[:PIECE])))]
        return not self.left

    def _send_now(self, view: memoryview) -> int:
        sent = 0
        while sent < len(view):
            try:
                sent += self.send(view[sent : sent + PIECE])
            except BlockingIOError:
                break
        return sent

    def _send_waiting(self, view: memoryview, flags: int) -> None:
        while view:
            view = view[self.send(view[:PIECE], flags) :]
