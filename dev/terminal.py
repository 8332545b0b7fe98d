"""What the person sees: short lines, colour only where a terminal shows it."""

import contextlib
import os
import sys
import time

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def styled(text: str, style: str) -> str:
    """The text in a style, plain when the output is no terminal or NO_COLOR is set (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\033[{_CODES[style]}m{text}\033[0m"


def say(text: str = "") -> None:
    """Write a line; a terminal that is gone is no reason to fail while things are being ended."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


class Steps:
    """Start-up progress: one line for each thing done, with the time since the start."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def done(self, text: str) -> None:
        say(f"  {styled(f'{self.seconds:5.1f} s', 'dim')}  {text}")
