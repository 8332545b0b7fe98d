"""Files of boxes: MP4, QuickTime, HEIC and AVIF (ISO/IEC 14496-12)."""

from typing import BinaryIO

from app.core.media.reading import read_at

_PICTURES = {
    b"heic": "image/heic", b"heix": "image/heic", b"heim": "image/heic", b"heis": "image/heic",
    b"hevc": "image/heic", b"hevx": "image/heic", b"avif": "image/avif", b"avis": "image/avif",
}  # fmt: skip
_CONTAINERS = {b"mif1", b"msf1", b"mif2", b"miaf"}
_BRANDS = _PICTURES | {
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"M4P ": "audio/mp4",
}  # fmt: skip
_VIDEO = {
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"isoa", b"mp41", b"mp42",
    b"avc1", b"hvc1", b"dash", b"MSNV", b"M4V ", b"M4VH", b"M4VP", b"f4v ", b"mp71", b"XAVC", b"cmfc", b"isml",
}  # fmt: skip
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_MOST_BOXES = 10_000


def box_kinds(head: bytes) -> frozenset[str]:
    """The types that the brand in the first box stands for."""
    if head[4:8] != b"ftyp":
        # Before there were brands; the zero is the first byte of a length, so that no text is one.
        old = head[4:8] in _OLD_QUICKTIME and head[:1] == b"\0"
        return frozenset({"video/quicktime"}) if old else frozenset()
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brand, others = head[8:12], [head[at : at + 4] for at in range(16, length - 3, 4)]
    if brand in _CONTAINERS:
        # The container's own brand says nothing of how its pictures are coded.
        return frozenset(_PICTURES[other] for other in others if other in _PICTURES)
    if kind := _BRANDS.get(brand):
        return frozenset({kind})
    # Recorders of sound write the general brands too; the name says which it is.
    return frozenset({"video/mp4", "audio/mp4"}) if brand in _VIDEO else frozenset()


def boxes_tile(stream: BinaryIO, start: int, size: int) -> bool:
    """Whether boxes follow each other from ``start`` exactly to the end.

    Of a film in very many pieces the first 10,000 are looked at.
    """
    at = start
    for _ in range(_MOST_BOXES):
        if at == size:
            return True
        head = read_at(stream, at, 16)
        if len(head) < 8 or not all(32 <= sign < 127 or sign == 0xA9 for sign in head[4:8]):
            return False
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 0:
            return True
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        if length < header or at + length > size:
            return False
        at += length
    return True
