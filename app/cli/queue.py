"""`flask jobs`: what waits, what runs, what failed for good, and what to do about it."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import click

from app.core.job_admin import STATES, JobAdmin, JobRow, Outcome
from app.core.jobs import QUEUES
from app.web.current import service

HEADINGS = ("ID", "STATE", "QUEUE", "KIND", "ATTEMPTS", "AGE", "DUE")
AT_ONCE = "now"


@click.group()
def jobs() -> None:
    """The queue of the worker."""


@jobs.command("list")
@click.option("--state", type=click.Choice(sorted(STATES)), help="Only these.")
@click.option("--queue", type=click.Choice(QUEUES), help="Only of this queue.")
@click.option("--kind", help="Only jobs of this name.")
@click.option(
    "--most", default=100, show_default=True, type=click.IntRange(1, 10_000), help="So many at most."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_jobs(state: str | None, queue: str | None, kind: str | None, most: int, *, as_json: bool) -> None:
    """List jobs, the newest first; done ones are deleted at once."""
    found = service(JobAdmin).list(state, queue, kind, most)
    click.echo(_as_json([_plain(each) for each in found]) if as_json else _as_table(found))


@jobs.command("show")
@click.argument("job_id", type=int, metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(job_id: int, *, as_json: bool) -> None:
    """Show one job with its arguments, which are ids, and what happened to it."""
    found = service(JobAdmin).show(job_id)
    if found is None:
        raise _missing(job_id)
    job, history = found
    told = {**_plain(job), "history": [{"event": each.event, "at": each.at.isoformat()} for each in history]}
    if as_json:
        click.echo(_as_json(told))
        return
    for name in ("id", "kind", "queue", "state", "attempts", "scheduled_at"):
        click.echo(f"{name:13} {'' if told[name] is None else told[name]}".rstrip())
    for name, value in sorted(told["arguments"].items()):
        click.echo(f"{'argument':13} {name} = {json.dumps(value)}")
    for happening in told["history"]:
        click.echo(f"{'history':13} {happening['at']} {happening['event']}")


@jobs.command("retry")
@click.argument("job_id", type=int, metavar="ID", required=False)
@click.option("--all-failed", is_flag=True, help="All that failed for good.")
def retry(job_id: int | None, *, all_failed: bool) -> None:
    """Let a job that failed for good wait again, with all its tries."""
    if all_failed == (job_id is not None):
        raise click.UsageError("give an ID or --all-failed")
    if job_id is None:
        click.echo(f"{service(JobAdmin).retry_all()} wait again.")
        return
    _answer(
        service(JobAdmin).retry(job_id),
        job_id,
        "waits again",
        "did not fail for good, or its like waits already",
    )


@jobs.command("cancel")
@click.argument("job_id", type=int, metavar="ID")
def cancel(job_id: int) -> None:
    """Cancel a job that waits or that failed for good; one that runs cannot be stopped."""
    _answer(service(JobAdmin).cancel(job_id), job_id, "is cancelled", "runs or is done with")


def _answer(outcome: Outcome, job_id: int, done: str, refused: str) -> None:
    if outcome is Outcome.not_found:
        raise _missing(job_id)
    if outcome is Outcome.refused:
        raise click.ClickException(f"job {job_id} {refused}")
    click.echo(f"Job {job_id} {done}.")


def _missing(job_id: int) -> click.ClickException:
    return click.ClickException(f"there is no job {job_id}: done ones are deleted at once")


def _plain(job: JobRow) -> dict[str, Any]:
    due = job.scheduled_at.isoformat() if job.scheduled_at else None
    return {**asdict(job), "scheduled_at": due}


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2)


def _as_table(found: Iterable[JobRow]) -> str:
    rows = [HEADINGS, *(_cells(each) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(job: JobRow) -> tuple[str, ...]:
    waits = job.state == "waiting"
    due = job.scheduled_at.isoformat(timespec="seconds") if job.scheduled_at else AT_ONCE
    age = "" if job.age is None else f"{job.age} s"
    return str(job.id), job.state, job.queue, job.kind, str(job.attempts), age, due if waits else ""
