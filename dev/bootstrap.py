"""Goes on under a Python that is new enough, and makes `.venv` with it.

    python3 dev/bootstrap.py

This file alone is written for any python3 that a machine may have, so that too old a one gets a
sentence and not a syntax error; the work is in dev/install.py.
"""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
CANDIDATES = ("python3.14", "python3.13", "python3.12", "python3.11")


def newer_python() -> str:
    """Another Python on the PATH that is new enough, or nothing."""
    check = "import sys; sys.exit(sys.version_info[:2] < (3, 11))"
    for name in CANDIDATES:
        found = shutil.which(name)
        # Asked, not believed: a version manager's placeholder has the name but does not run.
        if found and not subprocess.call(
            [found, "-c", check], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ):
            return found
    return ""


def main() -> int:
    version = tuple(sys.version_info[:2])
    if version < OLDEST:
        found = newer_python()
        if found:
            return subprocess.call([found] + sys.argv)  # noqa: RUF005 - read by old Pythons
        sys.stderr.write(
            "holdfast: Python 3.11 or later is needed, and this is {}.{}. Install one (python.org/downloads), "
            "or name it: make run PYTHON=/path/to/python3.12\n".format(*version)
        )
        return 1
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120 - read by old Pythons
    from dev import install  # noqa: PLC0415 - an older Python could not even read it

    return install.main()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
