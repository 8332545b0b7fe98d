"""The child process that decodes one picture: from standard input, previews to standard output, and it is gone.

guarded.py runs it as a file of its own and not with ``-m``: loading the package ``app`` would load the settings, which takes
three times as long as all the rest. Nothing is read from the environment.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
LARGEST_ANSWER = 16 * 2**20


def main(memory: int, seconds: int, sizes: list[int]) -> None:
    """Read a picture and write its previews: a line of JSON that tells their sizes, then their bytes.

    Args:
        memory: bytes of address space.
        seconds: of processor time.
        sizes: longest sides.
    """
    if __name__ == "__main__":
        _name_packages()
    from app.core.media.faults import PictureError  # noqa: PLC0415 - the packages have their names only now
    from app.core.media.pictures import make_previews  # noqa: PLC0415 - as above

    # Only now: what was loaded so far is our own.
    _limit(memory, seconds)
    out = sys.stdout.buffer
    try:
        previews = make_previews(sys.stdin.buffer, sizes)
    except PictureError as error:
        out.write(json.dumps({"code": error.code, "detail": error.detail}).encode() + b"\n")
    else:
        rows = [[preview.width, preview.height, len(preview.data)] for preview in previews]
        out.write(json.dumps({"previews": rows}).encode() + b"\n")
        out.writelines(preview.data for preview in previews)
    out.flush()
    # Nothing is tidied up: the system does it faster.
    os._exit(0)


def _limit(memory: int, seconds: int) -> None:
    import resource  # noqa: PLC0415  (there is none on Windows, where only the clock of the parent guards)

    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, LARGEST_ANSWER),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        # macOS knows some of them by name only.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))
    with contextlib.suppress(OSError):
        os.nice(10)


def _name_packages() -> None:
    """Let the names of our packages lead to their folders, without running what the packages load."""
    for name, folder in (("app", HERE.parents[1]), ("app.core", HERE.parent), ("app.core.media", HERE)):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), [int(size) for size in sys.argv[3:]])
