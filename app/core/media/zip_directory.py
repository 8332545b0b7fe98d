"""The directory of a zip file, read with suspicion (APPNOTE.TXT 6.3.10; SEC-46).

The standard library's ``zipfile`` believes what headers say and reads a directory of any size at once. Here sizes are
capped before they are read, the two headers of an entry must agree, and no two entries may share bytes: a bomb of
overlapping entries (David Fifield, "A better zip bomb", 2019) expands by a factor of millions in one layer.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from app.core.media.faults import ArchiveError, FileFault
from app.core.media.reading import read_at, size_of

_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_COMMENT = 2**16 - 1
_LARGEST_DIRECTORY = 4 * 2**20
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_UTF8 = 0x0800
_DESCRIPTOR = 0x0008
_ALL32, _ALL16 = 0xFFFFFFFF, 0xFFFF
_LINK = 0o120000
_MOST_FIELDS = 64
# What looks like an end and is none, in a comment or behind the archive: a few by chance, thousands to keep us busy.
_MOST_ENDS = 16
_EVERY_END = _LONGEST_COMMENT


@dataclass(frozen=True)
class Entry:
    """One file of a zip. Attributes: packed, size: bytes as the directory says. offset: where its header begins."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & _ENCRYPTED)

    @property
    def link(self) -> bool:
        return self.mode & 0o170000 == _LINK


@dataclass(frozen=True)
class Directory:
    """All entries, in the order of their places. Attributes: offset: where the directory itself begins."""

    entries: list[Entry]
    offset: int

    @property
    def names(self) -> set[str]:
        return {entry.name for entry in self.entries}


@dataclass(frozen=True)
class _End:
    count: int
    size: int
    offset: int
    at: int


def damaged(why: str) -> ArchiveError:
    """The file breaks the format."""
    return ArchiveError(FileFault.archive_damaged, f"The archive is damaged: {why}.")


def hides_zip(stream: BinaryIO) -> bool:
    """Whether a program that opens zips would open this file, whatever stands before (GIFAR and its kind)."""
    try:
        end = _find_end(stream, _EVERY_END)
    except ArchiveError:
        return False
    first = end.at - end.size
    return end.count > 0 and first >= 0 and read_at(stream, first, 4).startswith(b"PK\x01\x02")


def read_directory(stream: BinaryIO, most: int) -> Directory:
    """What the zip says it holds.

    Args:
        most: how many entries there may be.

    Raises:
        ArchiveError: too many, or the file breaks the format.
    """
    end = _find_end(stream, _MOST_ENDS)
    if end.count > most:
        raise ArchiveError(
            FileFault.archive_too_many_entries,
            f"The archive has {end.count:,} entries; at most {most:,} are taken.",
        )
    if end.size > _LARGEST_DIRECTORY or end.offset + end.size != end.at:
        raise damaged("its directory is not where it says")
    entries = _entries(read_at(stream, end.offset, end.size), end.count)
    if len({entry.name for entry in entries}) != len(entries):
        raise damaged("two entries have one name")
    entries.sort(key=lambda entry: entry.offset)
    return Directory(entries, end.offset)


def data_start(stream: BinaryIO, entry: Entry, limit: int) -> int:
    """Where the packed bytes of an entry begin.

    Args:
        limit: where the next entry, or the directory, begins.

    Raises:
        ArchiveError: the entry's own header says something else than the directory, or its bytes reach too far.
    """
    head = read_at(stream, entry.offset, 30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise damaged("an entry is not where the directory says")
    flags, method, _, _, _, packed, size, name, extra = struct.unpack("<HHHHIIIHH", head[6:])
    own = read_at(stream, entry.offset + 30, name)
    # Where a descriptor follows the data the sizes are not known yet; ZIP64 puts them elsewhere.
    unknown = {0, _ALL32} if flags & _DESCRIPTOR else {_ALL32}
    if (
        method != entry.method
        or (flags ^ entry.flags) & _ENCRYPTED
        or _text(own, entry.flags) != entry.name
        or packed not in unknown | {entry.packed}
        or size not in unknown | {entry.size}
    ):
        raise damaged("an entry says something else than the directory")
    start: int = entry.offset + 30 + name + extra
    if start + entry.packed > limit:
        raise damaged("entries overlap")
    return start


def _find_end(stream: BinaryIO, tries: int) -> _End:
    whole = size_of(stream)
    base = max(0, whole - _LONGEST_COMMENT - 22)
    tail = read_at(stream, base, whole - base)
    # The comment reaches exactly to the end; zeros behind are the padding of tapes and cards.
    filled = len(tail.rstrip(b"\0"))
    at = tail.rfind(_END)
    for _ in range(tries):
        if at < 0:
            break
        record = tail[at : at + 22]
        if len(record) == 22 and at + 22 + int.from_bytes(record[20:], "little") >= filled:
            return _read_end(stream, record, base + at)
        at = tail.rfind(_END, 0, at)
    raise damaged("it has no directory")


def _read_end(stream: BinaryIO, record: bytes, at: int) -> _End:
    disk, first, here, count, size, offset = struct.unpack("<HHHHII", record[4:20])
    locator = read_at(stream, at - 20, 20) if at >= 20 else b""
    if locator[:4] == _LOCATOR64:
        place = int.from_bytes(locator[8:16], "little")
        record = read_at(stream, place, 56) if place + 56 <= at else b""
        if record[:4] != _END64 or place + 12 + int.from_bytes(record[4:12], "little") != at - 20:
            raise damaged("its directory is not where it says")
        disk, first, here, count, size, offset = struct.unpack("<IIQQQQ", record[16:56])
        at = place
    if disk or first or here != count:
        raise damaged("it is one part of several")
    return _End(count, size, offset, at)


def _entries(directory: bytes, count: int) -> list[Entry]:
    entries, at = [], 0
    for _ in range(count):
        head = directory[at : at + 46]
        if len(head) < 46 or head[:4] != b"PK\x01\x02":
            raise damaged("its directory ends too early")
        flags, method, _, _, crc, packed, size, name, extra, comment, disk, _, outside, offset = (
            struct.unpack("<HHHHIIIHHHHHII", head[8:])
        )
        more = directory[at + 46 + name : at + 46 + name + extra]
        size, packed, offset = _large(more, size, packed, offset)
        if disk not in {0, _ALL16}:
            raise damaged("it is one part of several")
        text = _text(directory[at + 46 : at + 46 + name], flags)
        mode = outside >> 16 if head[5] in {3, 19} else 0  # made on Unix or macOS
        entries.append(Entry(text, flags, method, crc, packed, size, offset, mode))
        at += 46 + name + extra + comment
    if at != len(directory):
        raise damaged("its directory has another number of entries")
    return entries


def _large(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Numbers of more than 32 bits stand in an extra field of their own."""
    wide, at = b"", 0
    for _ in range(_MOST_FIELDS):
        if at + 4 > len(extra):
            break
        kind, length = struct.unpack("<HH", extra[at : at + 4])
        if kind == 1:
            wide = extra[at + 4 : at + 4 + length]
        at += 4 + length
    numbers = [size, packed, offset]
    for place, number in enumerate(numbers):
        if number == _ALL32:
            if len(wide) < 8:
                raise damaged("a size is missing")
            numbers[place], wide = int.from_bytes(wide[:8], "little"), wide[8:]
    return numbers[0], numbers[1], numbers[2]


def _text(raw: bytes, flags: int) -> str:
    return raw.decode("utf-8" if flags & _UTF8 else "cp437", errors="replace")
