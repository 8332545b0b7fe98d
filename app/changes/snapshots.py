"""What PostgreSQL calls a snapshot: which transactions had ended at a moment, and so which rows were to be seen.

Only numbers of whole transactions stand in one. A savepoint has a number of its own inside PostgreSQL, but
``pg_current_snapshot`` lists none of them and ``pg_current_xact_id``, from which events have their ``xid``, answers the
transaction around it: what was written under a savepoint is seen, or not, with the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from app.core.clock import from_timestamp

EPOCH, FIRST_NORMAL = 2**32, 3
"""The first three numbers of each epoch belong to no transaction (PostgreSQL, access/transam.h)."""


@dataclass(frozen=True)
class Snapshot:
    """Everything before ``xmin`` had ended, nothing from ``xmax`` on, and in between all but those that were ``running``.

    Attributes:
        running: in rising order.
        taken_at: by the service's clock, in whole seconds.
    """

    xmin: int
    xmax: int
    running: tuple[int, ...]
    taken_at: datetime

    @classmethod
    def parse(cls, text: str, taken_at: datetime) -> "Snapshot":
        """Read PostgreSQL's own form, ``xmin:xmax:running``."""
        xmin, xmax, running = text.split(":")
        numbers = tuple(int(number) for number in running.split(",") if number)
        return cls(int(xmin), int(xmax), numbers, taken_at.replace(microsecond=0))

    def __str__(self) -> str:
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, self.running))}"

    def before(self, xid: int) -> "Snapshot":
        """The same, as if ``xid`` and whatever came after it had not begun."""
        xid = _of_a_transaction(xid)
        if xid >= self.xmax:
            return self
        running = tuple(number for number in self.running if number < xid)
        return replace(self, xmin=min(self.xmin, xid), xmax=xid, running=running)

    def fitted(self, size: int) -> "Snapshot":
        """The same, or where that takes more than ``size`` bytes packed, an earlier one that does not.

        What ended in between is new once more to whoever reads on from there: told twice rather than never.
        """
        if len(self.packed()) <= size:
            return self
        room = size - len(replace(self, running=()).packed()) - len(_varint(len(self.running)))
        for number, step in zip(self.running, self._steps(), strict=True):
            room -= len(_varint(step))
            if room < 0:
                return self.before(number)
        raise AssertionError("what does not fit has a number that does not fit")

    def packed(self) -> bytes:
        """As few bytes as may be: numbers as distances from the one before, seven bits a byte (LEB128)."""
        head = (self.xmin, self.xmax - self.xmin, int(self.taken_at.timestamp()), len(self.running))
        return b"".join(map(_varint, (*head, *self._steps())))

    def _steps(self) -> Iterator[int]:
        return (after - before for before, after in pairwise((self.xmin, *self.running)))

    @classmethod
    def unpack(cls, numbers: Iterator[int]) -> "Snapshot":
        """Args: numbers: from ``unpacked``; takes as many as it packed."""
        xmin, span, seconds, many = (next(numbers) for _ in range(4))
        running, last = [], xmin
        for _ in range(many):
            last += next(numbers)
            running.append(last)
        return cls(xmin, xmin + span, tuple(running), from_timestamp(seconds))


def unpacked(data: bytes) -> Iterator[int]:
    """The numbers that ``packed`` put there."""
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


def _of_a_transaction(xid: int) -> int:
    """The same number, or the next that a transaction can have: PostgreSQL refuses snapshots that end at another."""
    low = xid % EPOCH
    return xid if low >= FIRST_NORMAL else xid - low + FIRST_NORMAL


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))
