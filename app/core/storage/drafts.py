"""Files that become visible whole: written under another name, made durable, then renamed."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from app.core.storage.interface import storage_unavailable
from app.core.storage.pieces import Piece

FULL = {errno.ENOSPC: "is full", errno.EDQUOT: "is full", errno.EFBIG: "is full"}
AHEAD = 16 * 2**20
"""So many bytes go to the disk while more of them come, or the sync at the end of a large file would wait for all."""
REASONS = {
    **FULL,
    errno.EROFS: "is read-only",
    errno.EACCES: "may not be used by the service",
    errno.EPERM: "may not be used by the service",
    errno.EIO: "cannot be read or written",
}


@contextlib.contextmanager
def disk_faults() -> Iterator[None]:
    """Every error of the file system is one that clients may know: try again later.

    Raises:
        AppError: ``storage_unavailable``; the error itself is its cause.
    """
    try:
        yield
    except OSError as error:
        raise storage_unavailable(REASONS.get(error.errno or 0, "does not answer")) from error


class Draft:
    """A file that nobody sees yet; ``keep`` shows it, and leaving the block without that removes it.

    Args:
        folder: on the same file system as what it will become.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / secrets.token_hex(16)
        self._size = self._on_its_way = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with disk_faults():
            try:
                self._file = os.open(self.path, flags, 0o600)
            except FileNotFoundError:
                make_folder(folder)
                self._file = os.open(self.path, flags, 0o600)

    def __enter__(self) -> "Draft":
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._file)
        with contextlib.suppress(OSError):
            self.path.unlink()

    def write(self, piece: Piece) -> None:
        with disk_faults():
            written = os.write(self._file, piece)
            while written < len(piece):
                written += os.write(self._file, memoryview(piece)[written:])
            self._size += written
            if self._size - self._on_its_way >= AHEAD:
                self._send_ahead()

    def _send_ahead(self) -> None:
        """Have Linux begin to write what is there, without waiting: its pages are dirty, so that they stay in memory."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(
                self._file, self._on_its_way, self._size - self._on_its_way, os.POSIX_FADV_DONTNEED
            )
        self._on_its_way = self._size

    def keep(self, path: Path) -> None:
        """Durable under its name when this returns, the name included."""
        with disk_faults():
            os.fsync(self._file)
            move(self.path, path)


def move(source: Path, target: Path) -> None:
    """Rename for good; the folder is made when it is the first file there."""
    try:
        source.replace(target)
    except FileNotFoundError:
        make_folder(target.parent)
        source.replace(target)
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """A folder for us alone, with those above it, each durable before anything lies in it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """What was renamed or made in it survives a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
