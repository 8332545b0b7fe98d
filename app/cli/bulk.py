"""Many accounts and projects by COPY, for load tests."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

import click
import psycopg

from app.cli import bulk_database as database
from app.cli.bulk_database import Link
from app.cli.bulk_rows import DOMAIN, YEAR, BulkRows, address
from app.config import Settings
from app.core.clock import Clock
from app.core.passwords import PasswordHasher
from app.core.schema import owner_url

BATCH = 20_000
LINKS = 4
AFRESH = "give the same numbers again, or begin with an empty database (`make clean-data` on a laptop)"


class BulkSeed:
    """Loads accounts ``user1@bench.example`` and up with projects, the same rows for the same numbers.

    The accounts are one transaction, then so many projects a transaction, over several connections at once. An
    interrupted load goes on where it stopped when the command is given again.
    """

    def __init__(self, settings: Settings, hasher: PasswordHasher, clock: Clock) -> None:
        self._url = settings.database_url.get_secret_value()
        self._owner_url = owner_url(settings)
        self._hasher = hasher
        self._clock = clock

    def run(self, accounts: int, projects_each: int, password: str) -> None:
        """Load with a progress bar, then renew the statistics.

        Raises:
            click.ClickException: accounts of another load are there, or the database cannot be used.
        """
        try:
            with database.link(self._url) as link, database.lock(link) as mine:
                if not mine:
                    raise click.ClickException("another load is running in this database")
                rows = self._rows(link, accounts, projects_each, password)
                missing = self._missing(link, rows)
                if missing:
                    self._load(rows, missing)
                else:
                    self._nothing_to_do(rows)
        except psycopg.errors.UniqueViolation as error:
            name = error.diag.constraint_name
            raise click.ClickException(f"other rows are in the way ({name}); {AFRESH}") from None
        except psycopg.Error as error:
            raise click.ClickException(f"the database could not be loaded: {str(error).strip()}") from None

    def _rows(self, link: Link, accounts: int, projects_each: int, password: str) -> BulkRows:
        """What to load; the accounts are there when this returns."""
        found = database.found_accounts(link)
        if found is None:
            rows = BulkRows(accounts, projects_each, self._clock.now().replace(microsecond=0) - YEAR)
            hashed = self._hasher.hash(password)
            with link.transaction():
                database.copy(link, rows.account_lines(hashed))
            click.echo(f"Accounts {address(1)} to {address(accounts)} are made; all have the same password.")
            return rows
        if found.number != accounts:
            raise click.ClickException(
                f"{found.number:,} accounts of {DOMAIN} are here, not {accounts:,}; {AFRESH}"
            )
        if not self._hasher.verify(password, found.password_hash):
            raise click.ClickException(f"the accounts of {DOMAIN} have another password; {AFRESH}")
        return BulkRows(accounts, projects_each, found.began)

    def _missing(self, link: Link, rows: BulkRows) -> list[range]:
        """The batches that are not there yet; each is there as a whole or not at all."""
        batches = list(rows.batches(BATCH))
        there = database.present(link, [rows.project_id(each[-1]) for each in batches])
        if not there and database.owns_projects(link, address(1)):
            raise click.ClickException(f"the accounts of {DOMAIN} have other projects than these; {AFRESH}")
        if there and len(there) < len(batches):
            click.echo("An earlier load stopped on its way; this one goes on from there.")
        return [each for each in batches if rows.project_id(each[-1]) not in there]

    def _load(self, rows: BulkRows, missing: list[range]) -> None:
        total = sum(len(each) for each in missing)
        started = time.monotonic()
        self._copy_all(rows, missing, total)
        seconds = time.monotonic() - started
        with database.link(self._owner_url) as owner:
            if database.owns_tables(owner):
                # The visibility map too, so that the first measurement is not one of autovacuum.
                owner.execute("VACUUM (ANALYZE) users, projects, project_members, events")
            else:
                click.echo(
                    "Statistics are left to autovacuum; only the owner (MIGRATION_DATABASE_URL) may renew them."
                )
        click.echo(f"{total:,} projects in {seconds:.1f} s, {total / max(seconds, 0.001):,.0f} a second.")

    def _nothing_to_do(self, rows: BulkRows) -> None:
        each = f" with {rows.projects_each:,} projects each" if rows.projects_each else ""
        click.echo(f"{rows.accounts:,} accounts{each} live here: {address(1)} to {address(rows.accounts)}.")

    def _copy_all(self, rows: BulkRows, missing: list[range], total: int) -> None:
        """Batches over several connections: while the server checks some rows, the next are written here."""
        waiting = iter(missing)
        with (
            click.progressbar(length=total, label="Projects", show_pos=True) as bar,
            ThreadPoolExecutor(LINKS, thread_name_prefix="seed") as pool,
        ):
            running: set[Future[int]] = set()
            while True:
                running |= {
                    pool.submit(self._copy_batch, rows, each)
                    for each in islice(waiting, LINKS - len(running))
                }
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    bar.update(each.result())

    def _copy_batch(self, rows: BulkRows, positions: range) -> int:
        lines = rows.project_lines(positions)
        with database.link(self._url) as link, link.transaction():
            database.copy(link, lines)
        return len(positions)
