"""Which program a document is for, by what is in it, and whether it brings macros (SEC-46).

Documents with macros are programs. New ones have types of their own; where one says it has none and has some, and in
old ones where storages of macros are seen, the document is refused.
"""

import re
from typing import BinaryIO

from app.core.media.archives import DOCUMENT, read_entry
from app.core.media.faults import ArchiveError
from app.core.media.reading import read_at
from app.core.media.zip_directory import Directory, read_directory

_MACROS = "application/x-office-with-macros"
"""The type of a document whose macros its own type does not tell; nobody can allow it."""
_OPEN = "application/vnd.openxmlformats-officedocument"
_MAIN = {
    b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": f"{_OPEN}.wordprocessingml.document",
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": f"{_OPEN}.spreadsheetml.sheet",
    b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": f"{_OPEN}.presentationml.presentation",
    b"application/vnd.ms-word.document.macroEnabled.main+xml": "application/vnd.ms-word.document.macroenabled.12",
    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml": "application/vnd.ms-excel.sheet.macroenabled.12",
    b"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
}  # fmt: skip
_CONTENT_TYPE = re.compile(rb"""ContentType\s*=\s*["']([^"']{1,200})["']""")
_MEDIA_TYPE = re.compile(rb"[a-z]+/[a-z0-9.+-]{1,100}")
_LONGEST_LIST = 2**20
_OLD = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
_OLD_MACROS = {"Macros", "_VBA_PROJECT_CUR", "_VBA_PROJECT", "VBA"}
_MOST_SECTORS, _LAST_SECTOR = 1_024, 0xFFFFFFFA


def zip_kinds(stream: BinaryIO) -> frozenset[str]:
    """What a zip is: a plain one, a document, a program of Java or Android.

    Raises:
        ArchiveError: its directory cannot be read.
    """
    directory = read_directory(stream, DOCUMENT.entries)
    names = directory.names
    if "AndroidManifest.xml" in names:
        return frozenset({"application/vnd.android.package-archive"})
    if any(name.upper() == "META-INF/MANIFEST.MF" for name in names):
        return frozenset({"application/java-archive"})
    if "[Content_Types].xml" in names:
        return _open_xml(stream, directory)
    if directory.entries and directory.entries[0].name == "mimetype":
        said = read_entry(stream, directory, "mimetype", 128).strip()
        if _MEDIA_TYPE.fullmatch(said):
            return frozenset({_MACROS if _open_document_macros(names) else said.decode()})
    return frozenset({"application/zip"})


def _open_xml(stream: BinaryIO, directory: Directory) -> frozenset[str]:
    """ECMA-376 part 2, 10.1.2: the list of parts says what the main one is."""
    try:
        parts = read_entry(stream, directory, "[Content_Types].xml", _LONGEST_LIST)
    except ArchiveError:
        return frozenset()
    types = set(_CONTENT_TYPE.findall(parts))
    found = {_MAIN[part] for part in types if part in _MAIN}
    active = any(b"vbaproject" in part.lower() or b"macrosheet" in part.lower() for part in types)
    carried = any(name.lower().endswith(("vbaproject.bin", "vbadata.xml")) for name in directory.names)
    if (active or carried) and not any("macroenabled" in kind for kind in found):
        return frozenset({_MACROS})
    return frozenset(found) if len(found) == 1 else frozenset()


def _open_document_macros(names: set[str]) -> bool:
    return any(name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in names)


def compound_kinds(stream: BinaryIO, size: int) -> frozenset[str]:
    """What an OLE file of Office 97 to 2003 is, by the names of its streams ([MS-CFB] 2.6).

    PowerPoint keeps macros inside its one stream, packed: those are left to the scanner.
    """
    names = _stream_names(stream, size)
    if any(name.startswith("\u4840") for name in names):
        return frozenset({"application/x-msi"})
    found = {_OLD[name] for name in names if name in _OLD}
    if names & _OLD_MACROS:
        return frozenset({_MACROS})
    return frozenset(found) if len(found) == 1 else frozenset()


def _stream_names(stream: BinaryIO, size: int) -> set[str]:
    head = read_at(stream, 0, 512)
    if len(head) < 512 or head[30] not in {9, 12}:
        return set()
    width = 1 << head[30]
    tables = _tables(stream, head, width)
    sector, names = int.from_bytes(head[48:52], "little"), set()
    for _ in range(_MOST_SECTORS):
        place = (sector + 1) * width
        if place >= size:
            break
        rows = read_at(stream, place, width)
        for at in range(0, len(rows) - 127, 128):
            length = int.from_bytes(rows[at + 64 : at + 66], "little")
            if 2 <= length <= 64:
                names.add(rows[at : at + length - 2].decode("utf-16-le", errors="replace"))
        table, row = divmod(sector, width // 4)
        if table >= len(tables) or (tables[table] + 1) * width >= size:
            break
        at = (tables[table] + 1) * width + 4 * row
        sector = int.from_bytes(read_at(stream, at, 4), "little")
    return names


def _tables(stream: BinaryIO, head: bytes, width: int) -> list[int]:
    """The sectors of the table that chains sectors: 109 are named in the head, further ones in sectors of names."""
    tables = _numbers(head[76:])
    more = int.from_bytes(head[68:72], "little")
    for _ in range(_MOST_SECTORS):
        names = read_at(stream, (more + 1) * width, width) if more < _LAST_SECTOR else b""
        if len(names) < width:
            break
        *named, more = _numbers(names)
        tables += named
    return tables


def _numbers(raw: bytes) -> list[int]:
    return [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), 4)]
