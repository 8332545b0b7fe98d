"""One launcher at a time in one folder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from dev.faults import Fault


@contextlib.contextmanager
def only_one(home: Path, about: str) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it when we end, however we end.

    Args:
        home: `var/`.
        about: what a second launcher is told of us, for example our address.

    Raises:
        Fault: when another launcher holds it.
    """
    path = home / "run" / "launcher.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            told = file.read().strip() or "starting"
            raise Fault(
                f"it already runs from this folder ({told}). Stop it with Ctrl-C in its terminal (ending takes up to "
                "ten seconds), or copy the folder for a second one."
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}, {about}")
        file.flush()
        yield
