"""`flask storage`: objects from one back end to another, or under another key."""

from collections.abc import Callable

import click

from app.config import Settings
from app.core.errors import AppError
from app.core.storage.build import local_store, s3_store
from app.core.storage.interface import ObjectStore
from app.core.storage.migration import Migrated, Tell, migrate, reseal
from app.web.current import settings

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
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise click.ClickException(f"{error.detail}{cause} What was copied stays.") from None
    _report(done)


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
