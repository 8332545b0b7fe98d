"""Objects on a disk that is not trusted: sealed in chunks by AES-256-GCM, in the STREAM construction.

STREAM (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance,
CRYPTO 2015) makes a nonce of a random prefix, the number of the chunk and whether it is the last: chunks that are
changed, left out, swapped or cut off at the end do not open. The key of the object and the header are authenticated
with each chunk, so that one object cannot be passed off as another.

A sealed file is a header and the chunks::

    magic 12 | form 1 | id of the ring's key 16 | salt 32 | nonce prefix 7
    64 KiB of content + tag 16, 64 KiB of content + tag 16, ..., the rest + tag 16

Each object has a key of its own, made of the ring's key and the salt, so that prefixes which meet by chance do no harm.
A file without the magic is content as it stands; content that begins with the magic itself is kept behind a header of
form 0, so that nobody can upload what would be taken for a sealed object.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.keys import Key, KeyRing, expand, mac
from app.core.storage.interface import DamagedObjectError, no_key
from app.core.storage.pieces import PIECE, Piece, at_least, exactly

MAGIC = b"\x89Holdfast\r\n\x1a"
PLAIN, SEALED = b"\x00", b"\x01"
CHUNK, TAG, KEY_ID, SALT, PREFIX = 64 * 1024, 16, 16, 32, 7
HEADER = len(MAGIC) + 1 + KEY_ID + SALT + PREFIX
AT_ONCE = PIECE // CHUNK
ReadAt = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Form:
    """How a file keeps its content. Attributes: offset: where it begins. size: of the content. header: of a sealed one."""

    offset: int
    size: int
    header: bytes | None = None

    @property
    def key_id(self) -> str | None:
        """The ring's key that it is sealed under; ``None`` for content as it stands."""
        if self.header is None:
            return None
        start = len(MAGIC) + 1
        return self.header[start : start + KEY_ID].rstrip(b"\0").decode("ascii", "replace")

    @classmethod
    def of(cls, head: bytes, file_size: int) -> "Form":
        """Tell the form by the first bytes.

        Args:
            head: ``HEADER`` bytes, or all there are.
            file_size: of the whole file.

        Raises:
            DamagedObjectError: no sealed file can be so long, or the form is one of the future.
        """
        if not head.startswith(MAGIC):
            return cls(0, file_size)
        form = head[len(MAGIC) : len(MAGIC) + 1]
        if form == PLAIN:
            return cls(len(MAGIC) + 1, file_size - len(MAGIC) - 1)
        body = file_size - HEADER
        chunks = -(-body // (CHUNK + TAG))
        size = body - chunks * TAG
        if form != SEALED or body < TAG or size < (chunks - 1) * CHUNK + (chunks > 1):
            raise DamagedObjectError("cut short, or of a form that this version does not know")
        return cls(HEADER, size, head[:HEADER])


def as_it_stands(pieces: Iterable[bytes]) -> Iterator[Piece]:
    """What a file of content without encryption holds."""
    for number, piece in enumerate(at_least(pieces, PIECE)):
        if number == 0 and piece[: len(MAGIC)] == MAGIC:
            yield MAGIC + PLAIN
        yield piece


class Sealing:
    """Seals and opens objects.

    Args:
        ring: ``STORAGE_KEYS``; the first key seals.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = KeyRing(
            [Key(each, expand(ring.get(each) or b"", "holdfast/stored-object")) for each in ring.ids]
        )

    @property
    def key_id(self) -> str:
        """The key that new objects are sealed under."""
        return self._ring.first.id

    def seal(self, key: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """What a sealed file holds.

        Args:
            key: of the object.
        """
        header = b"".join(
            (MAGIC, SEALED, self.key_id.encode().ljust(KEY_ID, b"\0"), secrets.token_bytes(SALT + PREFIX))
        )
        yield header
        cipher, about = self._cipher(header), header + key.encode()
        for number, (chunk, last) in enumerate(exactly(pieces, CHUNK)):
            yield cipher.encrypt(_nonce(header, number, last=last), chunk, about)

    def open(self, key: str, form: Form, read_at: ReadAt, start: int, end: int) -> Iterator[bytes]:
        """The content from ``start`` to ``end``; only the chunks that are needed are read, and the last one, which tells
        that nothing was cut off. The first piece is empty and comes when the last chunk was found sound.

        Raises:
            DamagedObjectError: before anything of a chunk that does not open is handed out.
            AppError: ``storage_unavailable`` when the key is not in the ring any more.
        """
        header = form.header or b""
        cipher, about = self._cipher(header), header + key.encode()
        last = max(0, form.size - 1) // CHUNK
        file_end = HEADER + form.size + (last + 1) * TAG

        def opened(number: int, sealed: Piece) -> bytes:
            try:
                return cipher.decrypt(_nonce(header, number, last=number == last), sealed, about)
            except InvalidTag:
                raise DamagedObjectError(f"chunk {number} of {last + 1} does not open") from None

        def sealed_at(number: int, count: int) -> bytes:
            at = HEADER + number * (CHUNK + TAG)
            return read_at(at, min(count * (CHUNK + TAG), file_end - at))

        first, final = start // CHUNK, max(start, end - 1) // CHUNK
        tail = opened(last, sealed_at(last, 1))
        yield b""
        for number in range(first, final + 1 if start < end else first, AT_ONCE):
            count = min(AT_ONCE, final + 1 - number)
            view = memoryview(sealed_at(number, count))
            for each in range(count):
                sealed = view[each * (CHUNK + TAG) : (each + 1) * (CHUNK + TAG)]
                content = tail if number + each == last else opened(number + each, sealed)
                begins = (number + each) * CHUNK
                yield content[max(0, start - begins) : end - begins]

    def _cipher(self, header: bytes) -> AESGCM:
        key_id = Form(0, 0, header).key_id or ""
        secret = self._ring.get(key_id)
        if secret is None:
            raise no_key(key_id)
        return AESGCM(mac(secret, b"object", header[-SALT - PREFIX : -PREFIX]))


def _nonce(header: bytes, number: int, *, last: bool) -> bytes:
    return header[-PREFIX:] + number.to_bytes(4, "big") + bytes([last])
