"""Caps of zip files, and of documents that are zips (SEC-46, ASVS 5.2.3).

Every entry is unpacked once, in pieces and into nothing, because only that shows what it holds: headers lie. Caps run
over all layers together, so a zip in a zip gains nothing.
"""

import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from app.core.media.faults import ArchiveError, FileFault
from app.core.media.reading import PIECE, read_at, size_of
from app.core.media.zip_directory import Directory, Entry, damaged, data_start, read_directory

MIB = 2**20
_STORED, _DEFLATED = 0, 8
_DOCUMENTS = (
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/epub+zip",
    "application/java-archive",
    "application/vnd.android.package-archive",
)


@dataclass(frozen=True)
class Caps:
    """How much an archive may hold.

    Attributes:
        entries: of all layers.
        expanded: bytes of all layers.
        ratio: how many times its own size it may expand to.
        free: bytes up to which the ratio does not count. Logs, tables and XML shrink to a twentieth, and who may
            send this much as it is gains nothing by packing it.
        depth: how many archives may be inside each other. Two: documents in a zip, with documents in them.
    """

    entries: int = 1_000
    expanded: int = 100 * MIB
    ratio: int = 10
    free: int = 25 * MIB
    depth: int = 2


ARCHIVE = Caps()
DOCUMENT = Caps(entries=5_000)
"""A presentation has four parts or more a slide."""


def caps_of(media_type: str) -> Caps | None:
    """The caps of a type whose files are zips; nothing for other types."""
    if media_type == "application/zip":
        return ARCHIVE
    return DOCUMENT if media_type.startswith(_DOCUMENTS) else None


def check_archive(stream: BinaryIO, caps: Caps = ARCHIVE) -> int:
    """Unpack all of a zip into nothing.

    Returns:
        How many bytes it holds, in all layers.

    Raises:
        ArchiveError: a cap is broken, a name leads elsewhere, an entry is encrypted, the file breaks its format.
    """
    return _Inspection(caps, size_of(stream)).run(stream, 0)


def read_entry(stream: BinaryIO, directory: Directory, name: str, most: int) -> bytes:
    """The first bytes of one entry; nothing where it is not there.

    Raises:
        ArchiveError: the entry cannot be unpacked.
    """
    entry = next((entry for entry in directory.entries if entry.name == name), None)
    if entry is None or entry.encrypted or entry.method not in {_STORED, _DEFLATED}:
        return b""
    found = b""
    for piece in _unpacked(stream, entry, data_start(stream, entry, directory.offset)):
        found += piece
        if len(found) >= most:
            break
    return found[:most]


class _Inspection:
    def __init__(self, caps: Caps, packed: int) -> None:
        self._caps = caps
        self._most = min(caps.expanded, max(caps.free, caps.ratio * packed))
        self._entries = 0
        self._expanded = 0

    def run(self, stream: BinaryIO, depth: int) -> int:
        if depth > self._caps.depth:
            raise ArchiveError(
                FileFault.archive_nested_too_deep,
                f"The archive holds archives in more than {self._caps.depth} layers.",
            )
        directory = read_directory(stream, self._caps.entries - self._entries)
        entries = directory.entries
        self._entries += len(entries)
        for entry in entries:
            _check_entry(entry)
        # What headers say is added up first: an honest bomb is refused without unpacking it.
        if self._expanded + sum(entry.size for entry in entries) > self._most:
            raise self._too_large()
        limits = [*(entry.offset for entry in entries[1:]), directory.offset]
        for entry, limit in zip(entries, limits, strict=False):
            self._unpack(stream, entry, data_start(stream, entry, limit), depth)
        return self._expanded

    def _unpack(self, stream: BinaryIO, entry: Entry, start: int, depth: int) -> None:
        size, crc = 0, 0
        with tempfile.SpooledTemporaryFile(MIB) as inner:
            keep = False
            for piece in _unpacked(stream, entry, start):
                keep = piece[:4] == b"PK\x03\x04" if not size else keep
                size += len(piece)
                self._expanded += len(piece)
                if size > entry.size or self._expanded > self._most:
                    raise self._too_large()
                crc = zlib.crc32(piece, crc)
                if keep:
                    inner.write(piece)
            if (size, crc) != (entry.size, entry.crc):
                raise damaged("an entry holds something else than its header says")
            if keep:
                self.run(cast("BinaryIO", inner), depth + 1)

    def _too_large(self) -> ArchiveError:
        return ArchiveError(
            FileFault.archive_too_large,
            f"The archive expands to more than {self._most / MIB:.0f} MiB: at most {self._caps.expanded // MIB} MiB "
            f"are taken, and above {self._caps.free // MIB} MiB at most {self._caps.ratio} times its own size.",
        )


def _check_entry(entry: Entry) -> None:
    name = entry.name.replace("\\", "/")
    absolute = name.startswith("/") or name[1:2] == ":"
    unseen = any(sign < " " or sign == "\x7f" for sign in name)
    if absolute or unseen or not name or ".." in name.split("/") or entry.link:
        raise ArchiveError(
            FileFault.archive_unsafe_name,
            "The archive has an entry that would be unpacked outside its folder.",
        )
    if entry.encrypted:
        raise ArchiveError(
            FileFault.archive_encrypted, "The archive is encrypted: nobody could look for harm in it."
        )
    if entry.method not in {_STORED, _DEFLATED}:
        raise ArchiveError(
            FileFault.archive_method_unknown,
            "The archive is packed by another method than Deflate, the one that every program knows.",
        )


def _unpacked(stream: BinaryIO, entry: Entry, start: int) -> Iterator[bytes]:
    """The content in pieces of at most ``PIECE``, however much comes out of a packed byte."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    at, end = start, start + entry.packed
    while at < end:
        raw = read_at(stream, at, min(PIECE, end - at))
        if not raw:
            raise damaged("it ends too early")
        at += len(raw)
        if inflater is None:
            yield raw
            continue
        while raw:
            try:
                piece = inflater.decompress(raw, PIECE)
            except zlib.error:
                raise damaged("an entry cannot be unpacked") from None
            raw = inflater.unconsumed_tail
            if piece:
                yield piece
        if inflater.unused_data:
            raise damaged("an entry holds something else than its header says")
    if inflater is not None and not inflater.eof:
        yield from _rest(inflater)


def _rest(inflater: "zlib._Decompress") -> Iterator[bytes]:
    """What is still held back when all packed bytes were handed in."""
    while piece := inflater.decompress(inflater.unconsumed_tail, PIECE):
        yield piece
    if not inflater.eof:
        raise damaged("an entry ends too early")
