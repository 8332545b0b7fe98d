"""Faults that a person can mend, told in one line."""

import contextlib
import sys
from collections.abc import Callable


class Fault(Exception):
    """Something outside the code is in the way; the text says what, and what to do about it."""


class Stopped(Exception):
    """The person asked to stop (Ctrl-C, a closed terminal, SIGTERM)."""


def tell(line: str) -> None:
    """Write a line to standard error; a terminal that is gone is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def finish(story: Callable[[], int]) -> int:
    """Run the story of a command; a fault becomes one line and exit code 1."""
    try:
        return story()
    except Fault as fault:
        tell(f"holdfast: {fault}")
        return 1
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        tell(f"holdfast: {what}{error.strerror or error}")
        return 1
    except (KeyboardInterrupt, Stopped):
        return 130
