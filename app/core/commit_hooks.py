"""What a transaction wants called around its commit."""

from collections.abc import Callable
from typing import Any

from app.core.telemetry import log

logger = log(__name__)
Before = Callable[[list[Any]], None]
After = Callable[..., Any]


class CommitHooks:
    """Of one transaction, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._before: list[tuple[Before, Any]] = []
        self._after: list[tuple[After, tuple[Any, ...]]] = []

    def before(self, hook: Before, arg: Any) -> None:
        """Call ``hook`` once before the commit, with all that it is asked to be called with, in a list."""
        self._before.append((hook, arg))

    def after(self, hook: After, *args: Any) -> None:
        """Call ``hook(*args)`` after the commit."""
        self._after.append((hook, args))

    def first_after(self, hook: After, *args: Any) -> None:
        """As ``after``, ahead of the others."""
        self._after.insert(0, (hook, args))

    @property
    def number(self) -> tuple[int, int]:
        """How many there are, for ``cut``."""
        return len(self._before), len(self._after)

    def cut(self, number: tuple[int, int]) -> None:
        """Drop those that came since."""
        del self._before[number[0] :], self._after[number[1] :]

    def run_before(self) -> None:
        """Call those before the commit, and those that they ask for in turn.

        Raises: what a hook raises.
        """
        while noted := self._before:
            self._before = []
            for hook in dict.fromkeys(hook for hook, _ in noted):
                hook([arg for of, arg in noted if of == hook])

    @property
    def any_before(self) -> bool:
        return bool(self._before)

    def run_after(self) -> None:
        """Call those after the commit. One that fails is logged: what is committed cannot be taken back."""
        for hook, args in self._after:
            try:
                hook(*args)
            except Exception:
                logger.exception("after_commit_hook_failed", hook=getattr(hook, "__qualname__", repr(hook)))
