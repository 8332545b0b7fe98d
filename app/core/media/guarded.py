"""Previews made where nothing can be harmed: by a child with little memory, little time and nothing to lose (SEC-46).

A picture made to crash its decoder, to fill the memory or never to end takes the child with it and nobody else.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from app.core.media.child import LARGEST_ANSWER
from app.core.media.faults import FileFault, PictureError
from app.core.media.previews import SIZES, Preview
from app.core.media.reading import PIECE, size_of

_CHILD = Path(__file__).with_name("child.py")
_SURROUNDINGS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Where Python itself may find its own libraries; nothing else is told."""
_LARGEST_FILE = 512 * 2**20
_LONGEST_LINE = 4_096


@dataclass(frozen=True)
class Limits:
    """What the child may use. Attributes: memory: bytes of address space. processor: seconds. clock: seconds."""

    memory: int = 2**30
    processor: int = 20
    clock: float = 30


def previews_of(
    stream: BinaryIO, sizes: Sequence[int] = SIZES, limits: Limits | None = None
) -> list[Preview]:
    """What ``pictures.make_previews`` makes of a picture, made by a child process.

    Args:
        stream: read once, into a temporary file that has no name.
        sizes: longest sides, in pixels.

    Raises:
        PictureError: as of ``make_previews``; ``processing_failed`` where the child died or took too long.
    """
    if size_of(stream) > _LARGEST_FILE:
        raise PictureError(
            FileFault.picture_too_large, f"The picture's file has more than {_LARGEST_FILE // 2**20} MiB."
        )
    stream.seek(0)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        shutil.copyfileobj(stream, source, PIECE)
        source.seek(0)
        _run(cast("BinaryIO", source), cast("BinaryIO", answer), sizes, limits or Limits())
        answer.seek(0)
        return _read(cast("BinaryIO", answer), sizes)


def _run(source: BinaryIO, answer: BinaryIO, sizes: Sequence[int], limits: Limits) -> None:
    arguments = [str(number) for number in (limits.memory, limits.processor, *sizes)]
    try:
        done = subprocess.run(  # noqa: S603  (our own file, and numbers)
            [sys.executable, "-I", str(_CHILD), *arguments],
            stdin=source,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _SURROUNDINGS if name in os.environ},
            start_new_session=True,
            timeout=limits.clock,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed("took too long") from None
    if done.returncode:
        raise _failed("could not be finished")


def _read(answer: BinaryIO, sizes: Sequence[int]) -> list[Preview]:
    """What the child wrote. It may have been taken over by what it read, so nothing in it is believed."""
    raw = answer.read(LARGEST_ANSWER)
    line, _, data = raw.partition(b"\n")
    try:
        head = json.loads(line[:_LONGEST_LINE])
        if "code" in head:
            raise PictureError(FileFault(head["code"]), str(head["detail"])[:500])
        rows = [(int(width), int(height), int(length)) for width, height, length in head["previews"]]
        return list(_previews(rows, sizes, data))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _failed("could not be finished") from None


def _previews(rows: list[tuple[int, int, int]], sizes: Sequence[int], data: bytes) -> Iterator[Preview]:
    at = 0
    for (width, height, length), size in zip(rows, sizes, strict=True):
        made = data[at : at + max(0, length)]
        if len(made) != length or made[8:12] != b"WEBP" or not (1 <= width <= size and 1 <= height <= size):
            raise ValueError("not a preview")
        at += length
        yield Preview(width, height, made)


def _failed(why: str) -> PictureError:
    return PictureError(FileFault.processing_failed, f"The preview {why}.")
