"""Where things lie in the project folder."""

import os
from pathlib import Path

from dev.faults import Fault

ROOT = Path(__file__).resolve().parent.parent


def var_dir() -> Path:
    """The folder of everything that outlives a start: `var/`, or where HOLDFAST_VAR points."""
    return Path(os.environ.get("HOLDFAST_VAR") or ROOT / "var").resolve()


def make_private(folder: Path) -> Path:
    """Make a folder that only its owner may enter.

    Raises:
        Fault: when the folder cannot be made or written, in one line that names it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Fault(
            f"cannot write to {folder}: {error.strerror}. Holdfast keeps its data there; "
            "give your user the project folder, or set HOLDFAST_VAR to a folder of yours."
        ) from None
    return folder


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but its owner ever reads it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
