"""`flask worker`: the process that does the jobs."""

import asyncio
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType

import click
import procrastinate
import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException

from app.config import Settings
from app.core.job_rescue import BEAT, SILENT
from app.core.jobs import DEFAULT, HEAVY, QUEUES, JobQueue
from app.core.telemetry import log
from app.web.current import parts, settings

logger = log(__name__)
PAUSE = 2.0
GRACE = 20.0
CONNECT_SECONDS = 5


@click.command("worker")
@click.option(
    "--concurrency", default=4, show_default=True, type=click.IntRange(1, 64), help="Short jobs at once."
)
@click.option(
    "--heavy",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Long jobs at once, beside them.",
)
@click.option("--until-idle", is_flag=True, help="Do what waits, then end.")
def worker(concurrency: int, heavy: int, *, until_idle: bool) -> None:
    """Do jobs until told to stop; a database that is away is waited for."""
    while True:
        if not until_idle:
            # While it works the queue listens to signals itself. As a container's first process it would be deaf
            # to SIGTERM otherwise: such a process has no default reaction.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _leave)
        if run(settings(), parts().jobs, concurrency=concurrency, heavy=heavy, wait=not until_idle):
            return
        logger.warning("worker_waits_for_database", seconds=PAUSE)
        time.sleep(PAUSE)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def run(own: Settings, jobs: JobQueue, *, concurrency: int = 4, heavy: int = 1, wait: bool = True) -> bool:
    """One life of the worker; whether it ended as asked, not because the database went away."""
    lanes = [Lane((DEFAULT,), concurrency), Lane((HEAVY,), heavy)] if wait else [Lane(QUEUES, concurrency)]
    try:
        return asyncio.run(_work(own, jobs, lanes, wait=wait))
    except (ConnectorException, psycopg.Error, OSError):
        logger.exception("worker_lost_database")
        return False


@dataclass(frozen=True)
class Lane:
    """So many jobs of these queues at once."""

    queues: tuple[str, ...]
    concurrency: int


async def _work(own: Settings, jobs: JobQueue, lanes: list[Lane], *, wait: bool) -> bool:
    url = own.database_url.get_secret_value().replace("postgresql+psycopg2://", "postgresql://", 1)
    at_once = sum(lane.concurrency for lane in lanes)
    # Handlers run in the loop's threads, of which there would be as many as the host has cores, and four. The two
    # more are for looking up host names while every job is busy.
    threads = ThreadPoolExecutor(at_once + 2, thread_name_prefix="job")
    asyncio.get_running_loop().set_default_executor(threads)
    # The pool would try for half a minute before it says that there is no database.
    await (await psycopg.AsyncConnection.connect(url, connect_timeout=CONNECT_SECONDS)).close()
    connector = PsycopgConnector(conninfo=url, min_size=1, max_size=at_once + 2, timeout=5)
    with jobs.app.replace_connector(connector) as app:
        async with app.open_async():
            return await _run_worker(app, lanes, wait=wait)


async def _run_worker(app: procrastinate.App, lanes: list[Lane], *, wait: bool) -> bool:
    """Whether it ended as asked: the queue's library also ends, without an error, when it loses its connection."""
    logger.info("worker_started", lanes={" and ".join(lane.queues): lane.concurrency for lane in lanes})
    asked, stopping = not wait, False
    working = [asyncio.create_task(_run_lane(app, lane, wait=wait)) for lane in lanes]

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            for each in working:
                each.cancel()  # it finishes the jobs in hand first, unless it is told again

    def stop_as_asked() -> None:
        nonlocal asked
        asked = True
        stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT) if wait else ():
        loop.add_signal_handler(number, stop_as_asked)
    try:
        await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        stop()  # one lane alone would leave the jobs of the other waiting
        for ended in await asyncio.gather(*working, return_exceptions=True):
            if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
                raise ended
    finally:
        logger.info("worker_stopped")
    return asked


async def _run_lane(app: procrastinate.App, lane: Lane, *, wait: bool) -> None:
    await app.run_worker_async(
        queues=list(lane.queues), concurrency=lane.concurrency, wait=wait,
        delete_jobs="successful", shutdown_graceful_timeout=GRACE, listen_notify=wait,
        install_signal_handlers=False, update_heartbeat_interval=BEAT, stalled_worker_timeout=SILENT,
    )  # fmt: skip
