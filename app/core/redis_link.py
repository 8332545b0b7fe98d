"""One connection to Redis, for commands that go out together and come back together.

redis-py opens it: address, TLS, password, database. What its client does around each command, a pool with locks, retries by
callbacks, hooks for tracing, takes longer than Redis takes to answer; hiredis, which redis-py reads with as well, does the rest.
"""

import re
import socket
import ssl
import struct
from typing import Any

import hiredis
import redis

Command = tuple[str | int | float | bytes | memoryview, ...]
"""A name and its arguments."""

PIECE = 65_536
RUN_ID = re.compile(rb"run_id:(\w+)")


class RedisLink:
    """A connection that one thread uses at a time.

    Args:
        connection: redis-py's, not yet connected.
        seconds: how long to wait for the server, each time.

    Attributes:
        server: a word that each start of a server makes anew, once ``identify`` asked for it; another life of it may not know what
            this one was told.

    Raises:
        redis.RedisError: it cannot be opened.
    """

    def __init__(self, connection: Any, seconds: float) -> None:
        connection.connect()
        self._connection = connection
        self._socket: socket.socket = connection._sock  # noqa: SLF001 - redis-py has no public name
        self._reader = hiredis.Reader()
        if not isinstance(self._socket, ssl.SSLSocket):
            _let_the_kernel_wait(self._socket, seconds)
        self.server: str | None = None

    def identify(self) -> None:
        """Ask the server who it is; a user who may not ask for that leaves it unknown.

        Raises: as ``ask``, but for what is refused.
        """
        try:
            [told] = self.ask((("INFO", "server"),))
        except redis.ResponseError:
            return
        found = RUN_ID.search(told)
        self.server = found[1].decode() if found else None

    def ask(self, commands: tuple[Command, ...]) -> list[Any]:
        """The replies, in order.

        Raises:
            redis.ResponseError: a command was refused; the connection can be used further.
            redis.TimeoutError: no answer in time.
            redis.ConnectionError: the connection is gone.
        """
        try:
            self._socket.sendall(b"".join([hiredis.pack_command(command) for command in commands]))  # type: ignore[arg-type] # its stub knows one argument only
            replies = [self._reply() for _ in commands]
        except (BlockingIOError, TimeoutError) as error:
            raise redis.TimeoutError from error
        except (OSError, hiredis.HiredisError) as error:  # gone, or what comes is no answer
            raise redis.ConnectionError from error
        refused = next((reply for reply in replies if isinstance(reply, hiredis.ReplyError)), None)
        if refused is not None:
            raise redis.ResponseError(str(refused))
        return replies

    def _reply(self) -> Any:
        while True:
            reply = self._reader.gets()
            if reply is False:  # not whole yet; no command of ours is answered by a boolean
                data = self._socket.recv(PIECE)
                if not data:
                    raise ConnectionError("Redis hung up.")
                self._reader.feed(data)
            elif not isinstance(reply, hiredis.PushNotification):  # said unasked (RESP3)
                return reply

    def close(self) -> None:
        self._connection.disconnect()


def _let_the_kernel_wait(sock: socket.socket, seconds: float) -> None:
    """Bound each wait by SO_RCVTIMEO and SO_SNDTIMEO: Python's own time limit asks the system twice for each call."""
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
