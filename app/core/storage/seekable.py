"""A stored object as a file to read from anywhere, for those who look into it."""

import io
from typing import Any

from app.core.storage.interface import ObjectStore

AHEAD = 256 * 1024


class SeekableObject(io.RawIOBase):
    """Reads so much at a time as is asked for; wrap it by ``opened`` to read a little at a time.

    Args:
        size: bytes, as the storage told when it was stored.
    """

    def __init__(self, store: ObjectStore, key: str, size: int) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go there; nothing is read by it."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as the content goes."""
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        filled = 0
        for piece in self._store.read(self._key, self._at, wanted):
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._at += filled
        return filled


def opened(store: ObjectStore, key: str, size: int) -> io.BufferedReader:
    """The object as a buffered file: many small reads in one place are one request to the storage."""
    return io.BufferedReader(SeekableObject(store, key, size), AHEAD)
