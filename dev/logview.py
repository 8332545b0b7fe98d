"""Log files of children, followed and shown in short; the files keep every line whole."""

import json
import shutil
from pathlib import Path
from typing import Any

from dev.terminal import styled

_MAX_LOG = 64 * 1024 * 1024
_NOISE = {"debug", "info"}
_PROBES = {"/livez", "/readyz", "/metrics"}
_SERVER_ERROR, _CLIENT_ERROR = 500, 400


def shorten(line: str, name: str) -> str | None:
    """One line of a child's log as a person wants to read it, None when it is not worth showing."""
    text = line.rstrip()
    if not text:
        return None
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        # gunicorn's own notices begin with a bracket and a date; what is left are tracebacks and prints.
        return None if "[INFO]" in text else f"  {styled(name, 'dim')}  {text}"
    if "status" in told and ("route" in told or "path" in told):
        return None if _is_probe(told) else _request(told)
    level = str(told.get("level", "info")).lower()
    if level in _NOISE:
        return None
    about = " ".join(
        str(told[key]) for key in ("event", "message", "job", "error", "exception") if told.get(key)
    )
    return (
        f"  {styled(name, 'dim')}  {styled(level, 'yellow' if level == 'warning' else 'red')} {about or text}"
    )


def _is_probe(told: dict[str, Any]) -> bool:
    """Whether this is a health check or a scrape that went well: they come all the time."""
    return str(told.get("path") or told.get("route")) in _PROBES and str(told["status"]).startswith("2")


def _request(told: dict[str, Any]) -> str:
    status = int(told["status"]) if str(told["status"]).isdigit() else 0
    colour = "red" if status >= _SERVER_ERROR else "yellow" if status >= _CLIENT_ERROR else "green"
    clock = str(told.get("time", ""))[11:19]
    duration = f"{float(told['ms']):.0f} ms" if isinstance(told.get("ms"), int | float) else ""
    where = told.get("path") or told.get("route") or "(no such route)"
    parts = (told.get("method", ""), where, duration, told.get("code") or "")
    return f"  {styled(clock, 'dim')}  {styled(str(status), colour)}  {' '.join(str(part) for part in parts if part)}"


class Tail:
    """Follows one log file from where it ends now.

    Args:
        path: the file, which may not exist yet.
        name: shown before lines that are no request.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.offset = path.stat().st_size if path.exists() else 0
        self.start = self.offset
        self._rest = b""

    def fresh(self) -> list[str]:
        """The short form of the lines written since the last call."""
        try:
            size = self.path.stat().st_size
            if size == self.offset:
                return []
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = self._rest + file.read(1024 * 1024)
                self.offset = file.tell()
            if self.offset > _MAX_LOG:
                self._begin_again()
        except OSError:
            return []
        *lines, self._rest = data.split(b"\n")
        shown = (shorten(line.decode(errors="replace"), self.name) for line in lines)
        return [line for line in shown if line is not None]

    def _begin_again(self) -> None:
        # The child appends, so it goes on at the new end; one earlier part is kept.
        shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
        with self.path.open("r+b") as file:
            file.truncate(0)
        self.offset = self.start = 0
