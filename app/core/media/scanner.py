"""ClamAV's daemon, asked by its INSTREAM command: the file goes over the socket, so clamd may be anywhere (SEC-46).

Protocol: clamd(8). A command is ``z``, its name and a NUL; the file follows in chunks, each after its length in four bytes,
and a length of zero ends it. The answer ends with a NUL.
"""

import contextlib
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from app.core.media.reading import PIECE

_PORT = 3310
_LONGEST_ANSWER = 4_096


class ScannerUnavailableError(Exception):
    """The scanner does not answer, or not what it should: nothing is known of the file."""


class TooLargeToScanError(ScannerUnavailableError):
    """The file is larger than clamd's StreamMaxLength: trying again does not help, another setting of clamd does."""


@dataclass(frozen=True)
class Verdict:
    """What the scanner says. Attributes: signature: what it found, by clamd's name; empty where it found nothing."""

    infected: bool
    signature: str = ""

    @property
    def clean(self) -> bool:
        return not self.infected


class Scanner:
    """One connection a file.

    Args:
        url: ``tcp://host:port`` or ``unix:///path``.
        connect_seconds: for the connection.
        answer_seconds: for each step after it; clamd looks at the whole file between the last chunk and its answer.
    """

    def __init__(self, url: str, *, connect_seconds: float = 5, answer_seconds: float = 120) -> None:
        self._url = urlsplit(url)
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds

    def scan(self, stream: BinaryIO) -> Verdict:
        """Hand over the file from its start.

        Raises:
            TooLargeToScanError: clamd takes no file of this size.
            ScannerUnavailableError: no connection, no answer in time, or an error of clamd.
        """
        stream.seek(0)
        with self._connection() as connection:
            # Who refuses a file closes in the middle of it, and has said why.
            with contextlib.suppress(ConnectionError):
                _send(connection, stream)
            answer = _answer(connection)
        said = answer.removeprefix("stream: ")
        if said == "OK":
            return Verdict(infected=False)
        if said.endswith(" FOUND"):
            return Verdict(infected=True, signature=said.removesuffix(" FOUND"))
        if "size limit exceeded" in said:
            raise TooLargeToScanError("the file is larger than the scanner's StreamMaxLength")
        raise ScannerUnavailableError(f"the scanner answered: {said[:200] or 'nothing'}")

    def ping(self) -> None:
        """Ask whether clamd is there.

        Raises:
            ScannerUnavailableError: it is not.
        """
        with self._connection() as connection:
            connection.sendall(b"zPING\0")
            answer = _answer(connection)
        if answer != "PONG":
            raise ScannerUnavailableError(f"the scanner answered: {answer[:200] or 'nothing'}")

    @contextlib.contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        try:
            with self._connect() as connection:
                connection.settimeout(self._answer_seconds)
                yield connection
        except OSError as error:
            raise ScannerUnavailableError(f"the scanner could not be used: {type(error).__name__}") from error

    def _connect(self) -> socket.socket:
        if self._url.scheme == "tcp":
            place = (self._url.hostname or "", self._url.port or _PORT)
            return socket.create_connection(place, timeout=self._connect_seconds)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._connect_seconds)
            connection.connect(self._url.path)
        except BaseException:
            connection.close()
            raise
        return connection


def _send(connection: socket.socket, stream: BinaryIO) -> None:
    connection.sendall(b"zINSTREAM\0")
    while piece := stream.read(PIECE):
        connection.sendall(len(piece).to_bytes(4, "big") + piece)
        if select.select([connection], [], [], 0)[0]:
            # It said something before it had all: sending on could make the answer be lost.
            return
    connection.sendall(bytes(4))


def _answer(connection: socket.socket) -> str:
    found = b""
    while b"\0" not in found and len(found) < _LONGEST_ANSWER:
        piece = connection.recv(_LONGEST_ANSWER)
        if not piece:
            break
        found += piece
    return found.split(b"\0", 1)[0].decode(errors="replace").strip()
