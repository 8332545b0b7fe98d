"""Reading places of a file, never all of it: a file may be far larger than memory."""

from typing import BinaryIO

PIECE = 2**18


def read_at(stream: BinaryIO, start: int, length: int) -> bytes:
    """At most so many bytes from there; fewer only where the file ends."""
    stream.seek(start)
    found = stream.read(length)
    while len(found) < length:
        more = stream.read(length - len(found))
        if not more:
            break
        found += more
    return found


def size_of(stream: BinaryIO) -> int:
    """How long the file is."""
    return stream.seek(0, 2)
