"""What a file is by its bytes alone (SEC-46).

Own rules for what is taken, because a signature of two bytes is no proof. Programs are known before anything else.
"""

import re
from itertools import chain
from typing import BinaryIO

import puremagic

from app.core.media.boxes import box_kinds
from app.core.media.offices import compound_kinds, zip_kinds
from app.core.media.reading import read_at
from app.core.media.texts import text_kinds

HEAD = 4_096
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
)
_BIT_RATES = range(1, 15)


def content_kinds(stream: BinaryIO, size: int) -> frozenset[str]:
    """Every type that the content can be; none where it is nothing that we know.

    Raises:
        ArchiveError: it begins as a zip and has no directory of one.
    """
    head = read_at(stream, 0, HEAD)
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return frozenset({kind})
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return zip_kinds(stream)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return compound_kinds(stream, size)
    found = _riff(head) or box_kinds(head) or _sound(stream, head) or _bitmap(head, size)
    if found:
        return found
    if found := text_kinds(stream, size):
        return found
    # Last, since a text may begin with these two letters.
    return frozenset({"application/vnd.microsoft.portable-executable"}) if head[:2] == b"MZ" else frozenset()


def signature_kinds(stream: BinaryIO, size: int) -> frozenset[str]:
    """What puremagic takes the content for: all types and endings that fit its signatures."""
    head = read_at(stream, 0, puremagic.main.max_head)
    foot = read_at(stream, max(0, size - puremagic.main.max_foot), puremagic.main.max_foot)
    try:
        rows = puremagic.main._identify_all(head, foot)  # noqa: SLF001  (its public functions read the whole file)
    except puremagic.PureError:
        return frozenset()
    return frozenset(name.lower() for row in rows for name in (row.mime_type, row.extension) if name)


def kinds_by_ending(ending: str) -> frozenset[str]:
    """The types whose files end so, as puremagic knows them."""
    rows = chain(puremagic.magic_header_array, puremagic.magic_footer_array)
    return frozenset(row.mime_type.lower() for row in rows if row.extension == ending and row.mime_type)


def _riff(head: bytes) -> frozenset[str]:
    kinds = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
    kind = kinds.get(head[8:12]) if head[:4] == b"RIFF" else None
    return frozenset({kind}) if kind else frozenset()


def _sound(stream: BinaryIO, head: bytes) -> frozenset[str]:
    if head[:4] == b"\x1a\x45\xdf\xa3":
        # EBML: the kind of document stands in the first header (RFC 8794).
        return frozenset({"video/webm"}) if b"\x42\x82\x84webm" in head[:64] else frozenset()
    if head[:4] == b"OggS":
        return frozenset({"video/ogg"}) if b"\x80theora" in head[:512] else frozenset({"audio/ogg"})
    at = 0
    if head[:3] == b"ID3" and len(head) > 10 and not any(byte & 0x80 for byte in head[6:10]):
        at = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        # Programs fill up behind the tag.
        behind = read_at(stream, at, HEAD)
        at += len(behind) - len(behind.lstrip(b"\0"))
    length = _mp3_frame(read_at(stream, at, 4))
    return (
        frozenset({"audio/mpeg"}) if length and _mp3_frame(read_at(stream, at + length, 4)) else frozenset()
    )


def _mp3_frame(head: bytes) -> int:
    """Length of a frame of MPEG layer III (ISO/IEC 11172-3 2.4.2.3); 0 where there is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] & 0x18 == 0x08:
        return 0
    first = head[1] & 0x18 == 0x18
    rates = (
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
        if first
        else (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    )
    rate, sampling = head[2] >> 4, head[2] >> 2 & 3
    if rate not in _BIT_RATES or sampling == 3:
        return 0
    hertz = (44_100, 48_000, 32_000)[sampling] >> {0x18: 0, 0x10: 1, 0x00: 2}[head[1] & 0x18]
    return (144 if first else 72) * rates[rate - 1] * 1_000 // hertz + (head[2] >> 1 & 1)


def _bitmap(head: bytes, size: int) -> frozenset[str]:
    """Two letters are no proof: the length and the length of the second header must fit too."""
    said, kind = int.from_bytes(head[2:6], "little"), int.from_bytes(head[14:18], "little")
    fits = head[:2] == b"BM" and kind in {12, 16, 40, 52, 56, 64, 108, 124} and (not said or said <= size + 3)
    return frozenset({"image/bmp"}) if fits else frozenset()


_PDF_INSIDE = re.compile(rb"%PDF-[12]\.[0-9]")


def hides_pdf(stream: BinaryIO) -> bool:
    """Whether readers of PDF would open the file: they look for its beginning in the first 1,024 bytes."""
    return bool(_PDF_INSIDE.search(read_at(stream, 1, 1_024)))


def broken_pdf(stream: BinaryIO, size: int) -> str | None:
    """What is wrong with a PDF: it must end as one (ISO 32000-1 7.5.5); readers look at the last 1,024 bytes."""
    tail = read_at(stream, max(0, size - 1_024), 1_024)
    end = tail.rfind(b"%%EOF")
    if end < 0:
        return "is cut off or damaged"
    return "has something behind its end" if tail[end + 5 :].strip(b"\r\n\t \0\x1a") else None
