"""The job queue: somebody works on it, and nothing piles up."""

from collections.abc import Iterator

from app.cli.checks.finding import Finding, ok, warn
from app.cli.checks.look import Look
from app.readiness import WORKER_SILENT_AFTER

LONG_WAIT = 300
# All stamps of the queue are the server's, so their age is taken by the server's clock too.
ALIVE = (
    "SELECT count(*) FILTER (WHERE clock_timestamp() - last_heartbeat < make_interval(secs => %s)),"
    " extract(epoch FROM clock_timestamp() - max(last_heartbeat)) FROM procrastinate_workers"
)
WAITING = (
    "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(e.at)), 0) FROM procrastinate_jobs j"
    " JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'"
    " WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp())"
)
FAILED = (
    "SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC, 1"
)


def worker(place: Look) -> Iterator[Finding]:
    alive, silent = place.row(ALIVE, WORKER_SILENT_AFTER)
    if alive:
        yield ok("worker", f"{alive} at work")
    elif silent is None:
        yield warn(
            "worker", "none has reported: mails wait, nothing is swept", "start `flask worker` beside the API"
        )
    else:
        yield warn(
            "worker",
            f"the last sign of life is {int(silent)} s old",
            "start `flask worker` again, and read its log",
        )


def jobs(place: Look) -> Iterator[Finding]:
    waiting, oldest = place.row(WAITING)
    failed = place.rows(FAILED)
    if failed:
        listed = ", ".join(f"{count} x {name}" for name, count in failed)
        yield warn(
            "jobs",
            f"failed for good: {listed}",
            'the worker\'s log tells why (lines with "outcome":"failed"); then `flask jobs retry ID` or `flask jobs cancel ID`',
        )
    if oldest > LONG_WAIT:
        yield warn("jobs", f"{waiting} wait, the oldest for {int(oldest)} s", "start another `flask worker`")
    if not failed and oldest <= LONG_WAIT:
        yield ok("jobs", f"{waiting} waiting, none failed")
