"""What is kept of things that were read: which kinds there are, is for their features to say."""

from collections.abc import Callable
from typing import Any, NamedTuple


def _same(facts: Any) -> Any:
    return facts


class FactKind(NamedTuple):
    """What is kept of one kind of thing.

    Attributes:
        namespace: its name.
        names: of the facts. Processes of two releases share Redis while one replaces the other; neither takes facts of the
            other's shape.
        flatten: makes JSON data of what is loaded.
        revive: the reverse of ``flatten``. What it makes is shared by threads: nobody changes it.
        lasting: take facts for ``LIFE_MS`` while their generation stands, and every change of them is told by ``Invalidator``.
        most: of what is not for Redis, how many a process keeps, whatever their size.
    """

    namespace: str
    names: tuple[str, ...] = ()
    flatten: Callable[[Any], Any] = _same
    revive: Callable[[Any], Any] = _same
    lasting: bool = False
    most: int = 0


class Passing(NamedTuple):
    """What a load answers for once, not to be kept."""

    facts: Any


def once(facts: Any) -> Any:
    """What was loaded, whether or not it is to be kept."""
    return facts.facts if isinstance(facts, Passing) else facts
