"""Work for later: a job is a row written in the same transaction as the change that wants it (procrastinate).

Arguments hold ids and plain words, never a token, code or address. A finished job is deleted at once, a failed one
after seven days by the job ``jobs.sweep``. Each job carries the id of the request that caused it into its log lines.
What takes long waits in a queue of its own, so that mails need not wait behind it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import procrastinate
from procrastinate.contrib.sqlalchemy import SQLAlchemyPsycopg2Connector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.types import JSONValue
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import rows_changed
from app.core.db_errors import RetryableConflict
from app.core.job_rescue import JobRescue
from app.core.telemetry import log, request_id, start_request
from app.core.uow import UnitOfWork

logger = log(__name__)
TRIES_ON_CONFLICT = 3
DEFAULT, HEAVY = "default", "heavy"
QUEUES = (DEFAULT, HEAVY)
"""Mails, sweeps and other short work; what keeps a core or a disk busy for long."""
TRIES_TO_MAIL = 14
"""With pauses of 2, 4, 8 ... s: a mail server may be away for four hours and a half."""
OLD_FAILURES = text(
    "DELETE FROM procrastinate_jobs WHERE status IN ('failed', 'cancelled', 'aborted', 'succeeded') AND id IN ("
    " SELECT job_id FROM procrastinate_events GROUP BY job_id"
    " HAVING max(at) < clock_timestamp() - interval '7 days')"
)
"""The queue stamps its rows with the server's clock, so their age is taken by it too."""
Handler = Callable[..., Any]


class JobQueue:
    """Registers handlers and inserts jobs.

    Args:
        engine: the service's pool, for what is deferred outside a unit of work.
        uow: jobs are written on its connection.
        before_each: called before a handler (reads the shared clock).
    """

    def __init__(self, engine: Engine, uow: UnitOfWork, before_each: Callable[[], None]) -> None:
        # Two apps: one only inserts, on our own connections; the other knows the handlers, and the worker gives it
        # its own connector. With one app a handler that defers would meet the worker's.
        self._inserts = procrastinate.App(connector=SQLAlchemyPsycopg2Connector())
        self._inserts.open(engine)
        self.app = procrastinate.App(connector=SQLAlchemyPsycopg2Connector())
        self._uow = uow
        self._before_each = before_each
        self.names: list[str] = []
        self._tries: dict[str, int] = {}
        self._queues: dict[str, str] = {}

    def register(
        self,
        name: str,
        handler: Handler,
        *,
        attempts: int = 8,
        cron: str | None = None,
        queue: str = DEFAULT,
    ) -> None:
        """Name a handler; with ``cron`` it also runs by itself.

        Args:
            name: ``feature.verb``; it stands in the queue, so it is never renamed.
            handler: called with the job's arguments; it may run twice, so it must not mind.
            attempts: tries in all, with growing pauses (2, 4, 8 ... s).
            cron: five fields, UTC.
            queue: ``HEAVY`` for what may take minutes.

        Raises:
            ValueError: no worker looks into a queue of that name.
        """
        if queue not in QUEUES:
            raise ValueError(queue)
        # What the library calls attempts are those after the first; none is said by False.
        retry = attempts > 1 and procrastinate.RetryStrategy(max_attempts=attempts - 1, exponential_wait=2)

        def run(caused_by: str | None = None, timestamp: int = 0, **arguments: Any) -> None:
            # A periodic job is told when it was due; ours look at the clock themselves.
            del timestamp
            self._run(name, handler, caused_by, arguments)

        task = self.app.task(name=name, retry=retry, queueing_lock=name if cron else None, queue=queue)(run)
        if cron:
            self.app.periodic(cron=cron)(task)  # type: ignore[arg-type]  # it passes `timestamp` by name
        self.names.append(name)
        self._tries[name], self._queues[name] = attempts, queue

    def defer(self, name: str, **arguments: JSONValue) -> None:
        """Insert a job on the current unit of work's connection: it exists if and only if that commits."""
        if name not in self.app.tasks:
            raise KeyError(name)
        connection = self._uow.session.connection()
        with _as_the_database_said_it():
            # By the app that inserts: inside the worker the other one has the worker's connector.
            self._inserts.configure_task(name, queue=self._queues[name], connection=connection).defer(
                caused_by=request_id.get(), **arguments
            )

    def defer_now(self, name: str) -> None:
        """Let a periodic job run soon, unless it already waits."""
        try:
            with _as_the_database_said_it():
                waits_once = self._inserts.configure_task(
                    name, queue=self._queues.get(name, DEFAULT), queueing_lock=name
                )
                waits_once.defer(caused_by=request_id.get())
        except AlreadyEnqueued:
            logger.debug("job_already_waits", job=name)

    def sweep(self) -> int:
        """Delete jobs that failed a week ago, inside the caller's transaction; the answer is how many."""
        return rows_changed(self._uow.session, OLD_FAILURES)

    def rescue(self) -> int:
        """Take up what workers left that died, inside the caller's transaction; the answer is how many."""
        return JobRescue(self._uow).run(self._tries)

    def _run(self, name: str, handler: Handler, caused_by: str | None, arguments: dict[str, Any]) -> None:
        stats = start_request(caused_by)
        self._before_each()
        started = time.perf_counter()
        outcome = "failed"
        try:
            _with_retries(handler, arguments)
            outcome = "done"
        finally:
            logger.info(
                "job",
                job=name,
                outcome=outcome,
                ms=round((time.perf_counter() - started) * 1000, 1),
                db_queries=stats.db_queries,
            )
            request_id.set(None)


@contextmanager
def _as_the_database_said_it() -> Iterator[None]:
    """The queue's library wraps driver errors; unwrapped, they are told like those of any other statement (REL-03)."""
    try:
        yield
    except ConnectorException as error:
        if isinstance(error.__cause__, SQLAlchemyError):
            raise error.__cause__ from None
        raise


def _with_retries(handler: Handler, arguments: dict[str, Any]) -> None:
    """The job runner is an outermost caller: it runs the whole handler again when transactions met."""
    for left in reversed(range(TRIES_ON_CONFLICT)):
        try:
            handler(**arguments)
        except RetryableConflict:
            if not left:
                raise
        else:
            return
