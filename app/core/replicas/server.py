"""One replica: how far it has come, and whether it may be asked."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, exc, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from app.config import Settings
from app.core.db import make_engine, reading
from app.core.db_errors import translate
from app.core.errors import Code
from app.core.metrics import REPLICA_IN_ROTATION, REPLICA_LAG_BYTES, REPLICA_LAG_SECONDS
from app.core.telemetry import log

logger = log(__name__)
MOST_SECONDS, MOST_BYTES = 60.0, 8 * 2**20
"""So far behind a replica may be (REL-07; GitLab's bounds)."""
PAUSE = 1.0
LOOK_LASTS = 10.0
"""For so long what was found counts: a look may wait for a server that does not answer."""

# Another cluster, or another database of this one, must not be taken for ours, whatever the URL says.
SAME = (
    "concat_ws('/', (SELECT system_identifier FROM pg_control_system()),"
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
HERE = (
    "SELECT pg_is_in_recovery() AS standby,"
    f" coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), 0)::bigint AS position, {SAME} AS identity"
)
THERE = f"SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS position, {SAME} AS identity"


@dataclass(frozen=True)
class State:
    """What a look found.

    Attributes:
        fault: why it is not asked, in words for operators; none while it is in the rotation.
        replayed: so far it has come in the log.
        seconds: what the primary had written so long ago, it shows; ``None`` where that is longer than it was watched.
        bytes: how much of the log it lacks.
        found_at: when, by this process's monotonic clock.
    """

    fault: str
    replayed: int = 0
    seconds: float | None = None
    bytes: int | None = None
    found_at: float = float("-inf")


UNKNOWN = State("was not looked at yet")


class Replica:
    """A pool of its own, and a thread that looks at the server once a second from the first question on.

    Lag is measured without any server's clock: the process remembers what the primary had written when, and looks how far
    back in that the replica is. So it grows too while nothing reaches the replica, and is nothing while nothing is written.

    Args:
        url: of the replica.
        primary: in autocommit.
    """

    def __init__(self, settings: Settings, url: str, primary: Engine) -> None:
        place = make_url(url)
        self.name = f"{place.host or 'socket'}:{place.port or 5432}"
        self._engine = make_engine(settings, url, poolclass=QueuePool)
        self.reader = reading(self._engine)
        self._primary = primary
        self._written: deque[tuple[float, int]] = deque()
        self._state = UNKNOWN
        self._looking, self._starting = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def state(self) -> State:
        """What is known now; what was found too long ago is not."""
        found = self._state
        return found if time.monotonic() - found.found_at < LOOK_LASTS else UNKNOWN

    def watch(self) -> None:
        """See to it that the thread runs: it is started on first use, so after a fork each process has its own."""
        if (self._thread is not None and self._thread.is_alive()) or self._ended.is_set():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._look_on, name=f"replica {self.name}", daemon=True
                )
                self._thread.start()

    def look(self) -> State:
        """Ask the replica, then the primary; what was found."""
        with self._looking:
            return self._keep(self._found())

    def failed(self, error: SQLAlchemyError) -> None:
        """A read failed here: where the server itself is in trouble, nobody else is sent here until it was looked at."""
        told = translate(error)
        full = isinstance(error, exc.TimeoutError)
        if full or (told is not None and told.code == Code.database_unavailable):
            self._keep(State(f"failed a read ({type(error).__name__})", found_at=time.monotonic()))

    def stop_watching(self) -> None:
        """End the thread; none is started again."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        self.stop_watching()
        self._engine.dispose()

    def _look_on(self) -> None:
        self.look()
        while not self._ended.wait(PAUSE):
            self.look()

    def _found(self) -> State:
        try:
            with self.reader.connect() as connection:
                here = connection.execute(text(HERE)).one()
        except SQLAlchemyError as error:
            return State(f"cannot be asked ({type(error).__name__})", found_at=time.monotonic())
        asked_at = time.monotonic()
        try:
            with self._primary.connect() as connection:
                there = connection.execute(text(THERE)).one()
        except SQLAlchemyError:
            # Without the primary nobody can say how old it is; what was known ends by itself.
            return self.state
        return self._judged(here, there, asked_at)

    def _judged(self, here: Any, there: Any, asked_at: float) -> State:
        self._written.append((asked_at, there.position))
        behind, seconds = max(0, there.position - here.position), self._age(here.position, asked_at)
        if not here.standby:
            fault = "is no standby: it was promoted, or never followed the primary"
        elif here.identity != there.identity:
            fault = "is of another cluster, or another database"
        elif here.position > there.position:
            fault = "is ahead of the primary, so it follows another one"
        elif behind > MOST_BYTES:
            fault = f"is {behind // 2**20} MiB behind"
        elif seconds is None or seconds > MOST_SECONDS:
            fault = f"shows nothing of the last {asked_at - self._written[0][0]:.0f} s"
        else:
            fault = ""
        return State(fault, here.position, seconds, behind, asked_at)

    def _age(self, position: int, now: float) -> float | None:
        """For how long at most the primary has had more than that; ``None`` for longer than this process knows."""
        while len(self._written) > 1 and (
            self._written[1][1] <= position or now - self._written[0][0] > MOST_SECONDS + LOOK_LASTS
        ):
            self._written.popleft()
        since, written = self._written[0]
        return now - since if written <= position else None

    def _keep(self, found: State) -> State:
        before, self._state = self._state, found
        REPLICA_IN_ROTATION.labels(self.name).set(int(not found.fault))
        if found.bytes is not None:
            REPLICA_LAG_BYTES.labels(self.name).set(found.bytes)
            REPLICA_LAG_SECONDS.labels(self.name).set(found.found_at - self._written[0][0])
        if before.fault and not found.fault:
            logger.info("replica_joined", replica=self.name)
        elif found.fault and not before.fault:
            logger.warning("replica_left", replica=self.name, why=found.fault)
        return found
