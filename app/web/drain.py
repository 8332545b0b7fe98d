"""Whether this server is about to stop: one flag that all its processes share.

The flag lies in memory that the master maps before it forks, so each worker, started before or after, sees the
same byte. /readyz answers 503 while it is set; everything else is served as ever (REL-05).
"""

import mmap

_flag = mmap.mmap(-1, 1)


def begin() -> None:
    """Say that the server will stop soon; there is no way back."""
    _flag[0] = 1


def draining() -> bool:
    """Whether the server has been told to stop and only finishes what it has."""
    return _flag[0] != 0
