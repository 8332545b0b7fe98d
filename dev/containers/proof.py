"""What has been shown: one line a check with its duration, and a summary at the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dev.faults import Fault
from dev.terminal import say, styled


class Failed(Exception):
    """A check did not hold."""


def expect(holds: object, found: str) -> None:
    """Go on only when something holds.

    Raises:
        Failed: with what was found instead.
    """
    if not holds:
        raise Failed(found)


@dataclass
class Proof:
    """The checks of one run, in their order."""

    began: float = field(default_factory=time.monotonic)
    held: int = 0
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def section(self, title: str) -> None:
        say(f"\n{styled(title, 'bold')}")

    def note(self, text: str) -> None:
        """Say what stands in for something else; it is said again at the end."""
        self.notes.append(text)
        say(f"  {styled('note', 'yellow')}  {text}")

    def step(self, name: str, story: Callable[[], str | None]) -> bool:
        """Run one check and tell its outcome.

        Args:
            name: what holds when the story ends.
            story: returns a detail worth telling, or nothing.

        Returns:
            Whether it held.
        """
        began = time.monotonic()
        try:
            detail = story()
        except (Failed, Fault) as failure:
            self.failed.append(name)
            say(f"  {styled('FAIL', 'red')}  {name}  ({time.monotonic() - began:.1f} s)")
            say("\n".join(f"        {line}" for line in str(failure).splitlines()))
            return False
        self.held += 1
        seconds = f"{time.monotonic() - began:5.1f} s"
        say(f"  {styled('ok  ', 'green')}  {seconds}  {name}{f': {detail}' if detail else ''}")
        return True

    def must(self, name: str, story: Callable[[], str | None]) -> None:
        """Run a check without which nothing further makes sense.

        Raises:
            Failed: when it did not hold; it is told and counted already.
        """
        if not self.step(name, story):
            raise Failed(name)

    def summary(self) -> int:
        """Tell the outcome; 0 when everything held."""
        say()
        for note in self.notes:
            say(f"  {styled('note', 'yellow')}  {note}")
        seconds = time.monotonic() - self.began
        if self.failed:
            say(f"  {len(self.failed)} of {self.held + len(self.failed)} checks failed ({seconds:.0f} s):")
            say("\n".join(f"    {name}" for name in self.failed))
            return 1
        say(f"  {styled('all ok', 'green')}: {self.held} checks ({seconds:.0f} s)")
        return 0
