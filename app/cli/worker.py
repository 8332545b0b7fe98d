"""`flask worker`: the process that does the jobs."""

import asyncio
import signal
import sys
import time
from types import FrameType

import click
import procrastinate
import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException

from app.config import Settings
from app.core.jobs import JobQueue
from app.core.telemetry import log
from app.web.current import parts, settings

logger = log(__name__)
PAUSE = 2.0
GRACE = 20.0
CONNECT_SECONDS = 5


@click.command("worker")
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 64), help="Jobs at once.")
@click.option("--until-idle", is_flag=True, help="Do what waits, then end.")
def worker(concurrency: int, *, until_idle: bool) -> None:
    """Do jobs until told to stop; a database that is away is waited for."""
    while True:
        if not until_idle:
            # While it works the queue listens to signals itself. As a container's first process it would be deaf
            # to SIGTERM otherwise: such a process has no default reaction.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _leave)
        if run(settings(), parts().jobs, concurrency=concurrency, wait=not until_idle):
            return
        logger.warning("worker_waits_for_database", seconds=PAUSE)
        time.sleep(PAUSE)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def run(own: Settings, jobs: JobQueue, *, concurrency: int = 4, wait: bool = True) -> bool:
    """One life of the worker; whether it ended as asked, not because the database went away."""
    try:
        return asyncio.run(_work(own, jobs, concurrency, wait=wait))
    except (ConnectorException, psycopg.Error, OSError):
        logger.exception("worker_lost_database")
        return False


async def _work(own: Settings, jobs: JobQueue, concurrency: int, *, wait: bool) -> bool:
    url = own.database_url.get_secret_value().replace("postgresql+psycopg2://", "postgresql://", 1)
    # The pool would try for half a minute before it says that there is no database.
    await (await psycopg.AsyncConnection.connect(url, connect_timeout=CONNECT_SECONDS)).close()
    connector = PsycopgConnector(conninfo=url, min_size=1, max_size=concurrency + 2, timeout=5)
    with jobs.app.replace_connector(connector) as app:
        async with app.open_async():
            return await _run_worker(app, concurrency, wait=wait)


async def _run_worker(app: procrastinate.App, concurrency: int, *, wait: bool) -> bool:
    """Whether it ended as asked: the queue's library also ends, without an error, when it loses its connection."""
    logger.info("worker_started", concurrency=concurrency)
    asked = not wait
    working = asyncio.create_task(
        app.run_worker_async(
            concurrency=concurrency, wait=wait, delete_jobs="successful", shutdown_graceful_timeout=GRACE,
            listen_notify=wait, install_signal_handlers=False,
        )
    )  # fmt: skip

    def stop() -> None:
        nonlocal asked
        asked = True
        working.cancel()  # it finishes the jobs in hand first

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT) if wait else ():
        loop.add_signal_handler(number, stop)
    try:
        await working
    except asyncio.CancelledError:
        if not asked:
            raise
    finally:
        logger.info("worker_stopped")
    return asked
