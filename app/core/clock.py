"""The one place where time comes from.

Everything that expires compares with a value of this clock, handed to SQL as a bound parameter. That is what
lets a test (or a developer, by ``POST /dev/clock``) move time for all processes at once.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Wall clock in UTC plus an offset, which is always zero in production.

    Args:
        offset: answers the seconds to add; read on each call, so it must be cheap.
    """

    def __init__(self, offset: Callable[[], float] | None = None) -> None:
        self._offset = offset

    def now(self) -> datetime:
        """The current time with zone UTC."""
        real = datetime.now(UTC)
        return real + timedelta(seconds=self._offset()) if self._offset else real

    def timestamp(self) -> float:
        """Seconds since the epoch."""
        return self.now().timestamp()


def from_timestamp(seconds: float) -> datetime:
    """The moment that lies so many seconds after the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def wall_seconds() -> float:
    """Real seconds since the epoch, for the ages of cache entries and rate windows: the test clock leaves them be."""
    return time.time()
