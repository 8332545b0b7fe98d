"""Whether a picture's file is a picture from its first byte to its last (SEC-46).

What stands behind a picture's end is seen by no viewer and by every other program: a script, a program, a zip (GIFAR).
Phones put things there too, and those are taken: see ``_behind_jpeg``. Nothing is decoded here.
"""

import re
from collections.abc import Callable, Mapping
from typing import BinaryIO

from app.core.media.boxes import boxes_tile
from app.core.media.reading import PIECE, read_at

_PNG = b"\x89PNG\r\n\x1a\n"
_PADDING = 2**16
_MOST_FRAMES = 2_000
# Parts that no camera and no program reaches: walking along millions of empty ones would take minutes.
_MOST_PARTS = {"gif": 20_000, "png": 100_000, "jpeg": 2_000}
_MOST_BEHIND = 16
_WINDOW = 2**14
# Blocks of a GIF have 255 bytes but for the last of each row. A file of many more was made to be walked.
_FREE_BLOCKS, _BYTES_A_BLOCK = 100_000, 64
# Behind FF: 00 is a plain FF, D0 to D7 are restarts, FF is filling. Everything else begins a new part.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def broken_picture(media_type: str, stream: BinaryIO, size: int) -> str | None:
    """What is wrong with the file, as the end of a sentence; nothing where it is whole and ends where it should."""
    walk = _WALKS.get(media_type)
    return walk(stream, size) if walk else None


def gif_frames(stream: BinaryIO, size: int, most: int = _MOST_FRAMES) -> tuple[int, int]:
    """How many pictures a GIF has, and where it ends (GIF89a); ``-1`` for the end where it is cut off.

    Counting ends with one more than ``most``, and one of far too many small blocks counts as cut off.
    """
    head = read_at(stream, 0, 13)
    if len(head) < 13:
        return 0, -1
    at, frames, left = 13 + _table(head[10]), 0, _FREE_BLOCKS + size // _BYTES_A_BLOCK
    for _ in range(_MOST_PARTS["gif"]):
        if frames > most:
            break
        block = read_at(stream, at, 10)
        if block[:1] == b";":
            return frames, at + 1
        if block[:1] == b"," and len(block) == 10:
            frames += 1
            at, left = _sub_blocks(stream, at + 11 + _table(block[9]), size, left)
        elif block[:1] == b"!" and len(block) > 2:
            at, left = _sub_blocks(stream, at + 2, size, left)
        else:
            return frames, -1
        if at < 0:
            return frames, -1
    return frames, -1


def _gif(stream: BinaryIO, size: int) -> str | None:
    if read_at(stream, 6, 2) == b"/*":
        return "reads as a script as well"
    frames, end = gif_frames(stream, size)
    if frames > _MOST_FRAMES:
        return f"has more than {_MOST_FRAMES:,} pictures"
    return _ended(stream, end, size) if frames else "has no picture"


def _png(stream: BinaryIO, size: int) -> str | None:
    at, pixels = len(_PNG), False
    for _ in range(_MOST_PARTS["png"]):
        head = read_at(stream, at, 8)
        if len(head) < 8 or not head[4:].isalpha():
            return "is cut off or damaged"
        pixels = pixels or head[4:] == b"IDAT"
        at += 12 + int.from_bytes(head[:4], "big")
        if at > size:
            return "is cut off or damaged"
        if head[4:] == b"IEND":
            return _ended(stream, at, size) if pixels else "has no picture"
    return "has too many parts"


def _jpeg(stream: BinaryIO, size: int) -> str | None:
    # Of a first part of 12,074 bytes "/*" begins a comment, and the picture reads as a script.
    if read_at(stream, 4, 2) == b"/*":
        return "reads as a script as well"
    end = _jpeg_end(stream, 0, size)
    return "is cut off or damaged" if end < 0 else _behind_jpeg(stream, end, size)


def _jpeg_end(stream: BinaryIO, start: int, size: int) -> int:
    """Behind the marker EOI (ITU-T T.81 B.1); ``-1`` where there is none."""
    at, pixels = start + 2, False
    for _ in range(_MOST_PARTS["jpeg"]):
        head = read_at(stream, at, 4)
        if len(head) < 2 or head[0] != 0xFF:
            return -1
        if head[1] == 0xFF:
            at += 1
        elif head[1] == 0xD9:
            return at + 2 if pixels else -1
        elif head[1] == 0xDA:
            pixels = True
            at = _next_marker(stream, at + 2 + int.from_bytes(head[2:4], "big"), size)
        elif len(head) < 4:
            return -1
        else:
            at += 2 + int.from_bytes(head[2:4], "big")
    return -1


def _next_marker(stream: BinaryIO, at: int, size: int) -> int:
    while at < size - 1:
        found = _MARKER.search(read_at(stream, at, PIECE))
        if found:
            return at + found.start()
        at += PIECE - 1
    return size


def _behind_jpeg(stream: BinaryIO, end: int, size: int) -> str | None:
    """What cameras and phones append is taken when it is whole, in any order; nothing else is.

    Zeros up to 64 KiB; further JPEGs (CIPA DC-007 Multi-Picture Format: previews, HDR gain maps); the film of a motion
    photo, which is an MP4 to the file's end; Samsung's trailer, which ends with SEFT.
    """
    for _ in range(_MOST_BEHIND):
        if end >= size:
            return None
        head = read_at(stream, end, 12)
        if head[:3] == b"\xff\xd8\xff":
            end = _jpeg_end(stream, end, size)
            if end < 0:
                return "is cut off or damaged"
        elif _film(stream, head, end, size) or _samsung(stream, end, size):
            return None
        elif head[:1] == b"\0":
            zeros = read_at(stream, end, _PADDING + 1)
            padding = len(zeros) - len(zeros.lstrip(b"\0"))
            if padding > _PADDING:
                return "has something behind its end"
            end += padding
        else:
            return "has something behind its end"
    return None if end >= size else "has something behind its end"


def _film(stream: BinaryIO, head: bytes, end: int, size: int) -> bool:
    return head[4:8] == b"ftyp" and boxes_tile(stream, end, size)


def _samsung(stream: BinaryIO, end: int, size: int) -> bool:
    """Fields, their directory from SEFH, its length, SEFT; the first field begins where the picture ends."""
    length = int.from_bytes(read_at(stream, size - 8, 4), "little")
    directory = size - 8 - length
    if read_at(stream, size - 4, 4) != b"SEFT" or directory < end or not 12 <= length <= _PADDING:
        return False
    table = read_at(stream, directory, length)
    count = int.from_bytes(table[8:12], "little")
    if table[:4] != b"SEFH" or length < 12 + 12 * count:
        return False
    # Each row: two bytes of padding, kind, how far in front of the directory, length.
    rows = [table[12 + 12 * row : 24 + 12 * row] for row in range(count)]
    first = max((int.from_bytes(row[4:8], "little") for row in rows), default=0)
    return directory - first == end


def _webp(stream: BinaryIO, size: int) -> str | None:
    """RIFF says how long it is; a byte of padding may follow (RFC 9649 2.3)."""
    said = int.from_bytes(read_at(stream, 4, 4), "little") + 8
    if said > size:
        return "is cut off or damaged"
    return None if size - said <= 1 else "has something behind its end"


def _bmp(stream: BinaryIO, size: int) -> str | None:
    said = int.from_bytes(read_at(stream, 2, 4), "little")
    if said > size:
        return "is cut off or damaged"
    # Old programs wrote 0, or left two bytes of padding out.
    return None if not said or size - said <= 3 else "has something behind its end"


def _boxes(stream: BinaryIO, size: int) -> str | None:
    return None if boxes_tile(stream, 0, size) else "is cut off, or has something behind its end"


def _ended(stream: BinaryIO, end: int, size: int) -> str | None:
    """Zeros may follow, up to 64 KiB: cards and some programs fill up."""
    if end < 0:
        return "is cut off or damaged"
    behind = size - end
    if behind > _PADDING or read_at(stream, end, behind).strip(b"\0\r\n"):
        return "has something behind its end"
    return None


def _table(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(stream: BinaryIO, at: int, size: int, left: int) -> tuple[int, int]:
    """Behind a row of blocks that ends with an empty one, and how many more there may be; ``-1`` where it does not end."""
    window, base = b"", at
    while at < size and left > 0:
        if at - base >= len(window):
            window, base = read_at(stream, at, _WINDOW), at
        length = window[at - base]
        at += 1 + length
        left -= 1
        if not length:
            return at, left
    return -1, left


_WALKS: Mapping[str, Callable[[BinaryIO, int], str | None]] = {
    "image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp, "image/bmp": _bmp,
    "image/heic": _boxes, "image/avif": _boxes, "video/mp4": _boxes, "audio/mp4": _boxes, "video/quicktime": _boxes,
}  # fmt: skip
