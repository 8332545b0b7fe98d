"""Whether the objects are those that the database knows of: none missing, left over or damaged, and all can be read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.errors import AppError
from app.core.storage.interface import (
    UNKNOWN_SIZE,
    DamagedObjectError,
    MissingKeyError,
    ObjectFacts,
    ObjectMissingError,
    ObjectStore,
)
from app.core.storage.pieces import digest

Expected = tuple[str, int, bytes | None]
"""Key, size, SHA-256 where it is known."""
NAMED = 1_000
"""So many keys of a kind are named; all are counted."""


@dataclass
class Found:
    """Keys of one kind. Attributes: number: of all. keys: the first of them."""

    number: int = 0
    keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        self.number += 1
        if len(self.keys) < NAMED:
            self.keys.append(key)


@dataclass
class Report:
    """What was found.

    Attributes:
        unreadable: nobody can say what they are: their key is not in ``STORAGE_KEYS``, or the disk does not give them.
        reasons: why, of those of them that are named.
        sound: objects that are what they should be.
        young: left out, since they are too new.
        doomed: nobody's, and known to be: the next sweep takes them.
    """

    missing: Found = field(default_factory=Found)
    orphaned: Found = field(default_factory=Found)
    damaged: Found = field(default_factory=Found)
    unreadable: Found = field(default_factory=Found)
    reasons: dict[str, str] = field(default_factory=dict)
    sound: int = 0
    young: int = 0
    doomed: int = 0

    @property
    def clean(self) -> bool:
        return self.readable and not self.orphaned.number

    @property
    def readable(self) -> bool:
        """Whether all that should be there is, as it should be."""
        return not (self.missing.number or self.damaged.number or self.unreadable.number)


def verify(
    store: ObjectStore,
    expected: Iterable[Expected],
    grace: timedelta,
    now: datetime,
    tell: Callable[[str], None] = lambda _key: None,
    is_doomed: Callable[[str], bool] = lambda _key: False,
) -> Report:
    """Read every object and compare it with what is expected; both lists are walked side by side, neither is held.

    Args:
        expected: in the order of keys, byte by byte (``ORDER BY key COLLATE "C"``), each key once.
        grace: an object without an expectation that is younger may be one that is just being stored.
        tell: called with each key once it was looked at.
        is_doomed: whether an object without an expectation goes by itself.

    Raises:
        ValueError: ``expected`` is not in order.
        AppError: ``storage_unavailable`` where it is the whole storage that cannot be used; one object that cannot be read is
            counted, and the others are looked at.
    """
    report = Report()
    for key, wanted, facts in _side_by_side(expected, store.objects()):
        if wanted is None and facts is not None:
            if is_doomed(key):
                report.doomed += 1
            elif facts.modified_at > now - grace:
                report.young += 1
            else:
                report.orphaned.add(key)
        elif wanted is not None:
            _compare(store, wanted, facts, report)
        tell(key)
    return report


def _compare(store: ObjectStore, wanted: Expected, facts: ObjectFacts | None, report: Report) -> None:
    key, size, sha256 = wanted
    try:
        # One that came after the list was begun may not be in it.
        if facts is None and (facts := store.facts(key)) is None:
            report.missing.add(key)
            return
        found = digest(store.read(key)) if facts.size in {size, UNKNOWN_SIZE} else None
    except ObjectMissingError:
        report.missing.add(key)
    except DamagedObjectError:
        report.damaged.add(key)
    except AppError as error:
        if not isinstance(error.__cause__, MissingKeyError):
            store.check()
        report.unreadable.add(key)
        if len(report.reasons) < NAMED:
            report.reasons[key] = str(error.__cause__ or error.detail)
    else:
        if found and found.size == size and sha256 in {None, found.sha256}:
            report.sound += 1
        else:
            report.damaged.add(key)


def _side_by_side(
    expected: Iterable[Expected], objects: Iterator[ObjectFacts]
) -> Iterator[tuple[str, Expected | None, ObjectFacts | None]]:
    """Both lists merged by key."""
    wanted_ones = _ordered(expected)
    wanted, facts = next(wanted_ones, None), next(objects, None)
    while wanted or facts:
        key = min(side for side in (wanted and wanted[0], facts and facts.key) if side)
        here, there = wanted is not None and wanted[0] == key, facts is not None and facts.key == key
        yield key, wanted if here else None, facts if there else None
        if here:
            wanted = next(wanted_ones, None)
        if there:
            facts = next(objects, None)


def _ordered(expected: Iterable[Expected]) -> Iterator[Expected]:
    before = ""
    for each in expected:
        if each[0] <= before:
            raise ValueError('what is expected is not in the order of keys (COLLATE "C"), or holds one twice')
        before = each[0]
        yield each
