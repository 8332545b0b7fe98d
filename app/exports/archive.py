"""A zip that is made while it is read: neither it nor a file that goes into it is ever in memory whole."""

import hashlib
import io
import zipfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

PIECE = 256 * 1024
SHOWN = 200
"""Rows of each file that the readable page shows."""
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, auto_reload=False,
)  # fmt: skip


class Outlet(io.RawIOBase):
    """A file to write to, from which others take what was written."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        return len(data)

    def full_pieces(self) -> Iterator[bytes]:
        """What waits, as long as a piece can be made of it."""
        while len(self._waiting) >= PIECE:
            yield self._taken(PIECE)

    def rest(self) -> Iterator[bytes]:
        """All that waits."""
        yield from self.full_pieces()
        if self._waiting:
            yield self._taken(len(self._waiting))

    def _taken(self, length: int) -> bytes:
        piece = bytes(self._waiting[:length])
        del self._waiting[:length]
        return piece


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manifest says of a file. Attributes: rows: of a section."""

    size: int
    sha256: bytes
    rows: int | None = None

    @property
    def told(self) -> dict[str, Any]:
        entries = {} if self.rows is None else {"entries": self.rows}
        return {"size": self.size, "sha256": self.sha256.hex(), **entries}


@dataclass
class Section:
    """One JSON file: how many rows went into it, and the first of them for the page."""

    title: str
    file: str
    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    def texts(self, rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
        """The file ``{"items": [...]}``; the rows are taken one by one."""
        yield b'{"items": ['
        for row in rows:
            yield (b",\n" if self.count else b"\n") + orjson.dumps(row)
            self.count += 1
            if len(self.rows) < SHOWN:
                self.rows.append(row)
        yield b"\n]}\n"


class Archive:
    """Each method adds something while its caller takes the bytes; ``close`` adds the page and the manifest.

    What is kept of each file until the end is its name, size and checksum.

    Args:
        made_at: stands in the names' dates and on the page.
    """

    def __init__(self, made_at: datetime, product_name: str) -> None:
        self._outlet = Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w")
        self._made_at = made_at
        self._product_name = product_name
        self._sections: list[Section] = []
        self._manifest: dict[str, Entry] = {}

    def add(self, title: str, name: str, rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
        """A JSON file of rows, compressed."""
        section = Section(title, name)
        entry = yield from self._write(name, section.texts(rows), zipfile.ZIP_DEFLATED)
        self._manifest[name] = Entry(entry.size, entry.sha256, section.count)
        self._sections.append(section)

    def add_file(self, name: str, pieces: Iterable[bytes]) -> Generator[bytes, None, Entry]:
        """A file as it is: most of what is large is compressed already."""
        return (yield from self._write(name, pieces, zipfile.ZIP_STORED))

    def close(self) -> Iterator[bytes]:
        """Add what tells of the rest, and end the archive."""
        page = _environment.get_template("index.html.j2").render(
            product_name=self._product_name,
            made_at=f"{self._made_at:%d %B %Y, %H:%M} UTC",
            sections=self._sections,
        )
        yield from self._write("index.html", [page.encode()], zipfile.ZIP_DEFLATED)
        yield from self._write("manifest.json", self._told(), zipfile.ZIP_DEFLATED)
        self._zip.close()
        yield from self._outlet.rest()

    def _told(self) -> Iterator[bytes]:
        yield b'{"made_at": ' + orjson.dumps(self._made_at.isoformat()) + b', "files": {'
        # What is written now, the manifest, comes into the list at its end: by then this has been read.
        for number, (name, entry) in enumerate(self._manifest.items()):
            yield (b",\n" if number else b"\n") + orjson.dumps(name) + b": " + orjson.dumps(entry.told)
        yield b"\n}}\n"

    def _write(self, name: str, texts: Iterable[bytes], method: int) -> Generator[bytes, None, Entry]:
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, self._made_at.timetuple()[:6])
        info.compress_type = method
        with self._zip.open(info, "w", force_zip64=True) as file:
            for text in texts:
                digest.update(text)
                size += len(text)
                file.write(text)
                yield from self._outlet.full_pieces()
        entry = self._manifest[name] = Entry(size, digest.digest())
        return entry
