"""Budgets that must hold whatever happens to Redis: sign-in, registration, mails, refresh (SEC-13, 15, 16, 49).

One row per budget and subject; the subject is stored as a MAC, so the table names nobody. A window begins with the
first hit. Known and unknown subjects are counted exactly alike. Rows end by themselves: the job ``throttle.sweep``
deletes what expired, along ``ix_throttle_counters_expires_at``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import DateTime, Index, LargeBinary, case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import Clock
from app.core.db import Base, rows_changed
from app.core.errors import AppError, Code
from app.core.keys import KeyRing, mac
from app.core.uow import UnitOfWork


class ThrottleCounter(Base):
    __tablename__ = "throttle_counters"
    __table_args__ = (Index("ix_throttle_counters_expires_at", "expires_at"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Budget:
    """So many hits in so many seconds.

    Attributes:
        name: a short word; it stands in the RateLimit fields.
        quota: hits allowed.
        seconds: length of the window.
    """

    name: str
    quota: int
    seconds: int

    @classmethod
    def of(cls, name: str, rate: str, factor: float) -> "Budget":
        """From a setting such as ``10/300``; the quota is multiplied by ``RATE_LIMIT_FACTOR``."""
        quota, _, seconds = rate.partition("/")
        return cls(name, max(1, int(int(quota) * factor)), int(seconds))


class RateLimitedError(AppError):
    """A budget is spent.

    Attributes:
        budget: which one.
        reset: seconds until its window ends.
    """

    def __init__(self, budget: Budget, reset: int) -> None:
        detail = f"Too many requests. Try again in {reset} s."
        super().__init__(Code.rate_limited, detail, retry_after=reset, extra={"retry_after": reset})
        self.budget = budget
        self.reset = reset


@dataclass(frozen=True)
class Spent:
    budget: Budget
    hits: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.hits > self.budget.quota

    @property
    def exceeded_next(self) -> bool:
        """Whether one more hit would be too many."""
        return self.hits >= self.budget.quota


class Throttle:
    """Counts hits in PostgreSQL.

    Args:
        ring: keys of the purpose ``throttle``.
    """

    def __init__(self, uow: UnitOfWork, clock: Clock, ring: KeyRing) -> None:
        self._uow = uow
        self._clock = clock
        self._ring = ring

    def spend(self, hits: Sequence[tuple[Budget, str]], *, weight: int = 1) -> None:
        """Take one hit of each budget, all in one statement and committed at once.

        Counting comes before whatever it guards, so that many at once cannot slip through together.

        Args:
            hits: budget and subject (an address, an identifier).
            weight: how many hits this one counts as.

        Raises:
            RateLimitedError: for the spent budget that is closed longest; the hit counts all the same.
        """
        with self._uow:
            spent = self._count(hits, weight)
        exceeded = [each for each in spent if each.exceeded]
        if exceeded:
            worst = max(exceeded, key=lambda each: each.reset)
            raise RateLimitedError(worst.budget, worst.reset)

    def count(self, budget: Budget, subject: str) -> Spent:
        """Take one hit inside the caller's transaction, and let the caller decide."""
        return self._count([(budget, subject)])[0]

    def peek(self, budget: Budget, subject: str) -> Spent:
        """What was spent so far, without spending."""
        now = self._clock.now()
        live = select(ThrottleCounter).where(
            ThrottleCounter.key == self._key(budget, subject), ThrottleCounter.expires_at > now
        )
        with self._uow.reading():
            session = self._uow.session
            row = session.execute(live).scalar_one_or_none()
        return Spent(budget, row.hits if row else 0, _seconds_left(row.expires_at, now) if row else 1)

    def refund(self, hits: Sequence[tuple[Budget, str]], *, weight: int = 1) -> None:
        """Give hits back, inside the caller's transaction: a right password is no failed one.

        Args:
            weight: as it was spent.
        """
        keys = sorted(self._key(*hit) for hit in hits)
        for key in keys:
            self._uow.session.execute(
                update(ThrottleCounter)
                .where(ThrottleCounter.key == key, ThrottleCounter.hits > 0)
                .values(hits=func.greatest(ThrottleCounter.hits - weight, 0))
            )

    def forget(self, budget: Budget, subject: str) -> None:
        """Start a budget afresh, inside the caller's transaction."""
        self._uow.session.execute(
            delete(ThrottleCounter).where(ThrottleCounter.key == self._key(budget, subject))
        )

    def sweep(self) -> int:
        """Delete ended windows; the answer is how many."""
        ended = delete(ThrottleCounter).where(ThrottleCounter.expires_at <= self._clock.now())
        return rows_changed(self._uow.session, ended)

    def _key(self, budget: Budget, subject: str) -> bytes:
        return mac(self._ring.first.secret, budget.name.encode(), subject.encode(), size=16)

    def _count(self, hits: Sequence[tuple[Budget, str]], weight: int = 1) -> list[Spent]:
        now = self._clock.now()
        # Rows are locked in key order, whoever comes: no deadlock between two requests with the same subjects.
        keyed = {self._key(budget, subject): budget for budget, subject in hits}
        by_key = {key: keyed[key] for key in sorted(keyed)}
        rows = [
            {"key": key, "hits": weight, "expires_at": now + timedelta(seconds=budget.seconds)}
            for key, budget in by_key.items()
        ]
        statement = insert(ThrottleCounter).values(rows)
        ended = ThrottleCounter.expires_at <= literal(now)
        counted = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "hits": case((ended, weight), else_=ThrottleCounter.hits + weight),
                "expires_at": case((ended, statement.excluded.expires_at), else_=ThrottleCounter.expires_at),
            },
        ).returning(ThrottleCounter.key, ThrottleCounter.hits, ThrottleCounter.expires_at)
        return [
            Spent(by_key[bytes(row.key)], row.hits, _seconds_left(row.expires_at, now))
            for row in self._uow.session.execute(counted)
        ]


def _seconds_left(end: datetime, now: datetime) -> int:
    return max(1, math.ceil((end - now).total_seconds()))
