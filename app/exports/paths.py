"""Where files lie in a copy: names that every system can unpack, no two alike."""

from uuid import UUID

from app.core.errors import AppError
from app.core.media.names import LONGEST, clean_name, extension

_LONGEST_FOLDER = 200
"""Bytes; the end of the project's id follows."""
_LONGEST_EXTENSION = 20
_NOT_ON_WINDOWS = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_SEPARATORS = str.maketrans(dict.fromkeys("/\\", "_"))


class Paths:
    """Of one copy. Two names that differ in small and capital letters alone are alike: on many disks they are one file."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def of(self, project_id: UUID, project_name: str, file_name: str) -> str:
        """``files/Reef survey 3b8a1c0a/north wall.jpg``; the next one of that name is ``north wall (2).jpg``."""
        folder = _cut(_cleaned(project_name.translate(_SEPARATORS), "project"), _LONGEST_FOLDER)
        place, name = f"files/{folder} {project_id.hex[-8:]}/", _cleaned(file_name, "file")
        wanted, path = (place + name).casefold(), place + name
        while path.casefold() in self._taken:
            self._taken[wanted] += 1
            path = place + _numbered(name, self._taken[wanted])
        self._taken[path.casefold()] = 1
        return path


def _cleaned(name: str, otherwise: str) -> str:
    try:
        return clean_name(name.translate(_NOT_ON_WINDOWS))
    except AppError:
        return otherwise


def _numbered(name: str, number: int) -> str:
    ending = name[len(name) - len(extension(name)) :]
    if len(ending.encode()) > _LONGEST_EXTENSION:
        ending = ""
    last = f" ({number}){ending}"
    return _cut(name[: len(name) - len(ending)], LONGEST - len(last.encode())) + last


def _cut(name: str, most: int) -> str:
    """Args: most: bytes."""
    return name.encode()[:most].decode(errors="ignore").rstrip(" .") if len(name.encode()) > most else name
