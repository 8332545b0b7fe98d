"""Where the bytes of files are: one interface, several back ends.

A key is a path of lower-case letters, digits, ``-``, ``.`` and ``/`` that we made up ourselves; nothing in it comes from
a client. Whoever stores an object has written its key into the database before, so that no crash can leave one that
nobody knows of.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from app.core.errors import AppError, Code

UNKNOWN_SIZE = -1
"""Of a listed object whose size cannot be told any more."""


class ObjectMissingError(Exception):
    """There is no such object."""


class DamagedObjectError(Exception):
    """What is kept is not what was stored: cut short, changed, or moved here from another key."""


def storage_unavailable(reason: str = "does not answer") -> AppError:
    """The back end cannot do its work now: full, away, too slow (D14)."""
    return AppError(Code.storage_unavailable, f"The file storage {reason}. Try again later.", retry_after=30)


class MissingKeyError(Exception):
    """An object is sealed under a key that ``STORAGE_KEYS`` does not hold. The words are for the operator."""


def no_key(key_id: str | None = None) -> AppError:
    """The refusal of what cannot be opened; its cause tells the operator which key is wanted.

    Args:
        key_id: of the key; ``None`` where there is no ring at all.
    """
    refusal = storage_unavailable("has no key for this file")
    what = f"the key {key_id} is not in STORAGE_KEYS" if key_id else "STORAGE_KEYS is not set"
    refusal.__cause__ = MissingKeyError(f"it is encrypted, and {what}")
    return refusal


@dataclass(frozen=True)
class StoredObject:
    """What was stored. Attributes: size: bytes. sha256: of the content as it was handed in, 32 bytes."""

    size: int
    sha256: bytes


@dataclass(frozen=True)
class ObjectFacts:
    """What the back end knows of an object.

    Attributes:
        size: bytes of content, however it is kept.
        modified_at: when it became visible, UTC.
        sha256: where the back end knows it without reading, else ``None``.
    """

    key: str
    size: int
    modified_at: datetime
    sha256: bytes | None = None


@dataclass(frozen=True)
class SignedRequest:
    """A request that a client makes to the back end itself; every header must be sent as it stands."""

    method: str
    url: str
    headers: Mapping[str, str]


class ObjectStore(Protocol):
    """A back end. Every method may raise ``AppError`` with ``storage_unavailable``."""

    @property
    def name(self) -> str:
        """``local`` or ``s3``."""

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        """Store an object; it is visible only whole, and durable on return. An older one under the key is replaced.

        When ``pieces`` raises, nothing is stored and the error goes on.
        """

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The content from ``start``, at most ``length`` bytes, in pieces of at most 1 MiB.

        Whoever does not read to the end closes the iterator (``close()``), or lets go of it.

        Raises:
            ObjectMissingError: at once, before the first piece is asked for.
            DamagedObjectError: where the back end can tell; at once or on the way.
        """

    def facts(self, key: str) -> ObjectFacts | None:
        """What is known of an object; ``None`` where there is none.

        Raises:
            DamagedObjectError: its size cannot be told any more.
        """

    def copy(self, source: str, target: str) -> None:
        """Store a second time what is there, without moving the bytes through us where the back end can do that.

        Raises:
            ObjectMissingError: there is no source.
        """

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""

    def objects(self, prefix: str = "") -> Iterator[ObjectFacts]:
        """Every object whose key begins so, in the order of keys, byte by byte; memory is bounded however many.

        One whose size cannot be told any more has ``UNKNOWN_SIZE``.
        """

    def sweep_unfinished(self, before: datetime) -> int:
        """Remove what ``put`` left half done since before that moment; the answer is how many."""

    def check(self) -> None:
        """Raise ``AppError`` unless objects can be stored now; cheap enough for /readyz."""

    def open_plain(self, key: str) -> BinaryIO | None:
        """The content as a file of this machine, which a server may send without reading it; ``None`` where it is none.

        Raises:
            ObjectMissingError: there is no such object.
        """

    def served_path(self, key: str) -> str | None:
        """Where a web server in front finds the content, below its internal location; ``None`` where it cannot."""

    def sign_read(self, key: str, *, seconds: int, content_type: str, disposition: str) -> str | None:
        """A URL that reads the object for so long, with these headers; ``None`` where the back end has no address."""

    def sign_write(
        self, key: str, *, seconds: int, size: int, sha256: bytes, content_type: str
    ) -> SignedRequest | None:
        """A request that stores exactly this content for so long; ``None`` where the back end has no address."""
