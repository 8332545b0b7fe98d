"""Objects as files of one folder, shared by every process of one machine, or of several over a network file system."""

import contextlib
import os
import secrets
import stat
from collections.abc import Generator, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from app.core.errors import AppError
from app.core.storage.drafts import Draft, disk_faults, make_folder, move
from app.core.storage.encryption import HEADER, Form, Sealing, as_it_stands
from app.core.storage.interface import (
    UNKNOWN_SIZE,
    DamagedObjectError,
    ObjectFacts,
    ObjectMissingError,
    SignedRequest,
    StoredObject,
    no_key,
)
from app.core.storage.object_keys import file_of, key_of
from app.core.storage.pieces import PIECE, Tally, begun
from app.core.storage.sorted_names import in_order

OBJECTS, INCOMING = "objects", "incoming"
PROBE = bytes(4096)


class LocalStore:
    """A back end. Files are named by keys that we made, under ``objects``; what is being written lies in ``incoming``.

    Args:
        folder: of everything; made with the first object.
        sealing: encrypts what is stored from now on; objects that were stored without stay readable.
    """

    name = "local"

    def __init__(self, folder: Path, sealing: Sealing | None = None) -> None:
        self._objects = folder / OBJECTS
        self._incoming = folder / INCOMING
        self._sealing = sealing

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        path = self._path(key)
        tally = Tally(pieces)
        with Draft(self._incoming) as draft:
            for piece in self._sealing.seal(key, tally) if self._sealing else as_it_stands(tally):
                draft.write(piece)
            draft.keep(path)
        return tally.stored

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return begun(self._pieces(key, start, length))

    def _pieces(self, key: str, start: int, length: int | None) -> Generator[bytes, None, None]:
        with self._opened(key) as (file, found):
            form = _form(file, found)
            end = form.size if length is None else min(form.size, start + length)
            read_at = partial(_read_at, file)
            if form.header is None:
                yield b""
                for at in range(start, end, PIECE):
                    yield read_at(form.offset + at, min(PIECE, end - at))
            else:
                yield from self._opener.open(key, form, read_at, start, end)

    def facts(self, key: str) -> ObjectFacts | None:
        try:
            with self._opened(key) as (file, found):
                return ObjectFacts(key, _form(file, found).size, _visible_since(found))
        except ObjectMissingError:
            return None

    def key_id(self, key: str) -> str | None:
        """The key of the ring that the object is sealed under; ``None`` for one that is kept as it stands.

        Raises:
            ObjectMissingError: there is no such object.
            DamagedObjectError: it cannot be told.
        """
        with self._opened(key) as (file, found):
            return _form(file, found).key_id

    @property
    def current_key_id(self) -> str | None:
        """The key that new objects are sealed under; ``None`` when they are kept as they stand."""
        return self._sealing.key_id if self._sealing else None

    def copy(self, source: str, target: str) -> None:
        """A second name for one and the same file, but for sealed ones: those are bound to their key, and sealed anew."""
        path = self._path(target)
        if self._sealing or self.key_id(source):
            self.put(target, self.read(source))
            return
        twin = self._incoming / secrets.token_hex(16)
        try:
            make_folder(self._incoming)
            os.link(self._path(source), twin, follow_symlinks=False)
        except FileNotFoundError:
            raise ObjectMissingError(source) from None
        except OSError:  # no links on this file system, or too many of one file
            self.put(target, self.read(source))
            return
        with disk_faults():
            try:
                move(twin, path)
            finally:
                # Renaming one name of a file to another of the same file does nothing, so the first may still be there.
                twin.unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with disk_faults():
            path.unlink(missing_ok=True)

    def objects(self, prefix: str = "") -> Iterator[ObjectFacts]:
        for key in in_order(key for key in self._keys() if key.startswith(prefix)):
            with contextlib.suppress(ObjectMissingError):
                yield self._listed(key)

    def sweep_unfinished(self, before: datetime) -> int:
        swept = 0
        with disk_faults(), contextlib.suppress(FileNotFoundError), os.scandir(self._incoming) as found:
            for entry in found:
                with contextlib.suppress(FileNotFoundError):  # finished in this moment
                    if entry.stat(follow_symlinks=False).st_ctime < before.timestamp():
                        Path(entry).unlink()
                        swept += 1
        return swept

    def check(self) -> None:
        """Write and remove a small file: rights, a full disk and a read-only file system all show."""
        with Draft(self._incoming) as draft:
            draft.write(PROBE)
        with disk_faults():
            make_folder(self._objects)

    def open_plain(self, key: str) -> BinaryIO | None:
        """The file itself, where content lies in it as it stands."""
        with self._opened(key) as (file, found):
            return os.fdopen(os.dup(file), "rb") if not _form(file, found).offset else None

    def served_path(self, key: str) -> str | None:
        """Below the folder of everything, for content that lies in its file as it stands."""
        try:
            with self._opened(key) as (file, found):
                form = _form(file, found)
        except (ObjectMissingError, DamagedObjectError):
            return None
        return None if form.offset else f"{OBJECTS}/{file_of(key)}"

    def sign_read(self, key: str, *, seconds: int, content_type: str, disposition: str) -> str | None:  # noqa: ARG002 - the interface's
        return None

    def sign_write(
        self, key: str, *, seconds: int, size: int, sha256: bytes, content_type: str  # noqa: ARG002 - the interface's
    ) -> SignedRequest | None:  # fmt: skip
        return None

    @property
    def _opener(self) -> Sealing:
        if self._sealing is None:
            raise no_key()
        return self._sealing

    def _path(self, key: str) -> Path:
        return self._objects / file_of(key)

    @contextlib.contextmanager
    def _opened(self, key: str) -> Iterator[tuple[int, os.stat_result]]:
        path = self._path(key)
        with disk_faults():
            try:
                file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                raise ObjectMissingError(key) from None
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise DamagedObjectError("it is no file")
            yield file, found
        finally:
            os.close(file)

    def _listed(self, key: str) -> ObjectFacts:
        """As ``facts``, but one that cannot be read must not keep the others from being listed."""
        try:
            with self._opened(key) as (file, found):
                return ObjectFacts(key, _form(file, found).size, _visible_since(found))
        except (DamagedObjectError, AppError):
            with disk_faults():
                try:
                    found = self._path(key).lstat()
                except FileNotFoundError:
                    raise ObjectMissingError(key) from None
            return ObjectFacts(key, UNKNOWN_SIZE, _visible_since(found))

    def _keys(self) -> Iterator[str]:
        """Of every object, in the order of folders."""
        for first in _entries(self._objects):
            for second in _entries(first):
                for file in _entries(second, files=True):
                    key = key_of(file.name)
                    if key:
                        yield key


def _entries(folder: Path, *, files: bool = False) -> list[Path]:
    """The folders in a folder, or the files; links are neither."""
    with disk_faults(), contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        return [
            Path(each)
            for each in found
            if (each.is_file(follow_symlinks=False) if files else each.is_dir(follow_symlinks=False))
        ]
    return []


def _form(file: int, found: os.stat_result) -> Form:
    return Form.of(_read_at(file, 0, min(HEADER, found.st_size)), found.st_size)


def _visible_since(found: os.stat_result) -> datetime:
    """When the file got its name: renaming and linking move ``ctime``, later reads do not."""
    return datetime.fromtimestamp(found.st_ctime, UTC)


def _read_at(file: int, at: int, length: int) -> bytes:
    """Exactly so many bytes.

    Raises:
        DamagedObjectError: the file became shorter meanwhile.
    """
    with disk_faults():
        piece = os.pread(file, length, at)
        while len(piece) < length:
            more = os.pread(file, length - len(piece), at + len(piece))
            if not more:
                raise DamagedObjectError("cut short")
            piece += more
    return piece
