"""Content in pieces: counted, hashed, cut anew; never more of it in memory than a piece or two."""

import hashlib
from collections.abc import Generator, Iterable, Iterator

from app.core.storage.interface import StoredObject

PIECE = 256 * 1024
"""What is read and written at once: larger ones are no faster, and threads times pieces is memory."""
Piece = bytes | bytearray | memoryview


class Tally:
    """Hands pieces on, and knows afterwards how many bytes they were and their SHA-256.

    Hashing lets go of the interpreter's lock, so that other threads serve meanwhile.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._hash = hashlib.sha256()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._hash.update(piece)
            self._size += len(piece)
            yield piece

    @property
    def stored(self) -> StoredObject:
        return StoredObject(self._size, self._hash.digest())


def digest(pieces: Iterable[bytes]) -> StoredObject:
    """Size and SHA-256 of content that is read to its end."""
    tally = Tally(pieces)
    for _ in tally:
        pass
    return tally.stored


def at_least(pieces: Iterable[bytes], size: int) -> Iterator[Piece]:
    """Small pieces put together until they are so large; large ones are handed on as they are, without a copy."""
    held = bytearray()
    for piece in pieces:
        if not held and len(piece) >= size:
            yield piece
            continue
        held += piece
        if len(held) >= size:
            yield held
            held = bytearray()
    if held:
        yield held


def exactly(pieces: Iterable[bytes], size: int) -> Iterator[tuple[Piece, bool]]:
    """Pieces of exactly that size but for the last one, each with whether it is the last; no content is one empty piece."""
    held = bytearray()
    for piece in pieces:
        view = memoryview(piece)
        if held:
            need = size - len(held)
            held += view[:need]
            view = view[need:]
            if not view:  # full or not, what is held may be the last
                continue
            yield held, False
        whole = max(0, len(view) - 1) // size
        for number in range(whole):
            yield view[number * size : (number + 1) * size], False
        held = bytearray(view[whole * size :])
    yield held, True


def begun(pieces: Generator[bytes, None, None]) -> Iterator[bytes]:
    """A generator that has run to its first ``yield b""``: it has opened what it reads or has raised, and closes it for
    certain when it is closed or let go of.
    """
    next(pieces)
    return pieces
