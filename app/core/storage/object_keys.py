"""The names of objects: what may be one, and what file it becomes."""

import hashlib
import re

LONGEST = 200
"""So that a key fits into one file name of any file system (255 bytes), and into a key of S3 (1,024)."""
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)*")
_SLASH = "="  # not in the alphabet of keys, so that every file name is the name of one key only


def checked(key: str) -> str:
    """The key itself.

    Raises:
        ValueError: for anything but segments of lower-case letters, digits, ``-`` and ``.`` that begin with a letter or
            digit; ``..``, absolute paths and hidden files are none.
    """
    if len(key) > LONGEST or not _KEY.fullmatch(key):
        raise ValueError("not the key of an object")
    return key


def file_of(key: str) -> str:
    """The path below the folder of objects: two levels by the key's hash, so that no folder grows large.

    Raises:
        ValueError: it is no key.
    """
    name = checked(key).replace("/", _SLASH)
    shard = hashlib.sha256(key.encode()).hexdigest()
    return f"{shard[:2]}/{shard[2:4]}/{name}"


def key_of(file_name: str) -> str | None:
    """The key that has this file name; ``None`` for a file that is not ours."""
    key = file_name.replace(_SLASH, "/")
    return key if len(key) <= LONGEST and _KEY.fullmatch(key) else None
