"""A zip that is written piece by piece: neither it nor what goes into it is ever in memory whole."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable
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


class Pieces(io.RawIOBase):
    """A file to write to, which hands on pieces of equal length.

    Args:
        take: called with each piece, in order.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        """Take over bytes; a piece goes on as soon as it is full."""
        self._waiting += data
        while len(self._waiting) >= PIECE:
            self._hand_on(PIECE)
        return len(data)

    def finish(self) -> bytes:
        """Hand on what is left; the answer is the SHA-256 of all."""
        if self._waiting:
            self._hand_on(len(self._waiting))
        return self._digest.digest()

    def _hand_on(self, length: int) -> None:
        piece = bytes(self._waiting[:length])
        del self._waiting[:length]
        self._digest.update(piece)
        self.size += length
        self._take(piece)


@dataclass
class Section:
    """One JSON file: how many rows went into it, and the first of them for the page."""

    title: str
    file: str
    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


class Archive:
    """Files are added one after another; ``close`` adds the page and the manifest.

    Args:
        target: written to in order, never back.
        made_at: stands in the names' dates and on the page.
    """

    def __init__(self, target: io.RawIOBase, made_at: datetime, product_name: str) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
        self._made_at = made_at
        self._product_name = product_name
        self._sections: list[Section] = []
        self._manifest: dict[str, dict[str, Any]] = {}

    def add(self, title: str, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """A file ``{"items": [...]}``; the rows are taken one by one."""
        section = Section(title, name)

        def texts() -> Iterable[bytes]:
            yield b'{"items": ['
            for row in rows:
                yield (b",\n" if section.count else b"\n") + orjson.dumps(row)
                section.count += 1
                if len(section.rows) < SHOWN:
                    section.rows.append(row)
            yield b"\n]}\n"

        self._write(name, texts())
        self._manifest[name]["entries"] = section.count
        self._sections.append(section)

    def close(self) -> None:
        """Add what tells of the rest, and end the archive."""
        page = _environment.get_template("index.html.j2").render(
            product_name=self._product_name,
            made_at=f"{self._made_at:%d %B %Y, %H:%M} UTC",
            sections=self._sections,
        )
        self._write("index.html", [page.encode()])
        told = {"made_at": self._made_at.isoformat(), "files": self._manifest}
        self._write("manifest.json", [orjson.dumps(told, option=orjson.OPT_INDENT_2)])
        self._zip.close()

    def _write(self, name: str, texts: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        entry = zipfile.ZipInfo(name, self._made_at.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(entry, "w", force_zip64=True) as file:
            for text in texts:
                digest.update(text)
                size += len(text)
                file.write(text)
        self._manifest[name] = {"size": size, "sha256": digest.hexdigest()}
