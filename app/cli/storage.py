"""`flask storage`: objects compared with what should be there, moved to another back end, or put under another key."""

from collections.abc import Callable
from datetime import timedelta

import click

from app.config import Settings
from app.core.errors import AppError
from app.core.storage.build import local_store, s3_store
from app.core.storage.interface import ObjectStore
from app.core.storage.migration import Migrated, Tell, migrate, reseal
from app.core.storage.verification import Report, verify
from app.inventory import Inventory
from app.web.current import parts, service, settings

PLACES = ("local", "s3")
NAMED = 20
PLACE = click.Choice(PLACES)


@click.group()
def storage() -> None:
    """Where the bytes of files are."""


@storage.command("migrate")
@click.option("--from", "source", type=PLACE, required=True, help="Where the objects are.")
@click.option("--to", "target", type=PLACE, required=True, help="Where they are to be.")
def migrate_objects(source: str, target: str) -> None:
    """Copy every object; can be stopped and given again. From local to local: seal anew under the first key.

    Set STORAGE_DIR and S3_BUCKET both. Nothing is removed. Exit code 1: something differs.
    """
    own = settings()
    if source == target == "s3":
        raise click.UsageError("from s3 to s3 there is nothing to do: the bucket encrypts by itself")
    try:
        if source == target:
            store = local_store(own)
            done = _with_bar(store, lambda tell: reseal(store, tell))
        else:
            here, there = _place(own, source), _place(own, target)
            done = _with_bar(here, lambda tell: migrate(here, there, tell))
    except AppError as error:
        raise click.ClickException(f"{_why(error)} What was copied stays.") from None
    _report(done)


@storage.command("verify")
@click.option(
    "--grace-minutes", default=60, show_default=True, help="How young an object may be that no row names."
)
@click.option("--remove-orphans", is_flag=True, help="Delete objects that no row names.")
def verify_objects(grace_minutes: int, *, remove_orphans: bool) -> None:
    """Read every object and compare it with the database. Exit code 1: one is missing, damaged, unreadable or left over."""
    store, expected = parts().engines.store, service(Inventory)
    try:
        number = sum(1 for _ in store.objects())
        with click.progressbar(length=number, label="Objects", show_pos=True) as bar:
            report = verify(
                store, expected.expected(), timedelta(minutes=grace_minutes), parts().clock.now(),
                lambda _key: bar.update(1), expected.is_doomed,
            )  # fmt: skip
    except AppError as error:
        raise click.ClickException(_why(error)) from None
    _tell(report)
    if remove_orphans:
        for key in report.orphaned.keys:
            store.delete(key)
        click.echo(f"{len(report.orphaned.keys)} orphaned objects removed.")
    if not report.readable or (report.orphaned.number and not remove_orphans):
        raise SystemExit(1)


def _tell(report: Report) -> None:
    click.echo(
        f"{report.sound} sound, {report.missing.number} missing, {report.damaged.number} damaged,"
        f" {report.unreadable.number} unreadable, {report.orphaned.number} orphaned."
    )
    waiting = {"young": report.young, "to be swept": report.doomed}
    click.echo(f"Left out: {', '.join(f'{number} {what}' for what, number in waiting.items())}.")
    for what, found in (
        ("missing", report.missing),
        ("damaged", report.damaged),
        ("orphaned", report.orphaned),
    ):
        for key in found.keys[:NAMED]:
            click.echo(f"{what}: {key}", err=True)
    for key in report.unreadable.keys[:NAMED]:
        click.echo(f"unreadable: {key} ({report.reasons[key]})", err=True)


def _why(error: AppError) -> str:
    """What people are told, and what only the operator is."""
    return f"{error.detail} ({error.__cause__})" if error.__cause__ else error.detail


def _place(own: Settings, name: str) -> ObjectStore:
    if name == "s3" and not own.s3_bucket:
        raise click.ClickException("S3_BUCKET: must name the bucket")
    return s3_store(own) if name == "s3" else local_store(own)


def _with_bar(source: ObjectStore, work: Callable[[Tell], Migrated]) -> Migrated:
    number = sum(1 for _ in source.objects())
    with click.progressbar(length=number, label="Objects", show_pos=True) as bar:
        return work(lambda _facts: bar.update(1))


def _report(done: Migrated) -> None:
    click.echo(f"{done.copied} copied ({done.copied_bytes:,} bytes), {done.there} there already.")
    if done.gone:
        click.echo(f"{done.gone} were removed meanwhile.")
    for key in done.differing[:NAMED]:
        click.echo(f"differs: {key}", err=True)
    if done.differing:
        raise click.ClickException(f"{len(done.differing)} objects differ or are damaged; see above")
