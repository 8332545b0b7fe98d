"""`flask db`: the schema."""

import click

from app.core import schema
from app.web.current import settings

MENDS = {
    "Can't locate revision": (
        "there is no such file in migrations/versions. If the database is at it, newer code or another branch migrated it: "
        "go back to that code (`flask db downgrade` there undoes it), or begin afresh on a laptop with `make clean-data`"
    ),
    "Target database is not up to date": "run `flask db upgrade` first",
}
"""By how Alembic's words begin."""


def explained(words: str) -> str:
    """What Alembic says, and how to mend it."""
    mends = [mend for beginning, mend in MENDS.items() if words.startswith(beginning)]
    return ": ".join([words.rstrip("."), *mends])


class SchemaGroup(click.Group):
    """Says in one line what a command on the schema met."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except schema.SchemaUnreachableError as error:
            raise click.ClickException(f"the database cannot be reached: {error}") from None
        except schema.SchemaRefusedError as error:
            raise click.ClickException(explained(str(error))) from None


@click.group(cls=SchemaGroup)
def db() -> None:
    """The database schema."""


@db.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate up, alone, and grant the service's role its rights. Safe to repeat and to run from many places."""
    schema.upgrade(settings(), revision)
    click.echo(f"The schema is at {schema.expected_revision() if revision == 'head' else revision}.")


@db.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="This removes tables or columns and what is in them. Go on?")
def downgrade(revision: str) -> None:
    """Migrate down to REVISION (`base` removes everything)."""
    schema.downgrade(settings(), revision)
    click.echo(f"The schema is at {revision}.")


@db.command("revision")
@click.argument("message")
@click.option("--empty", is_flag=True, help="Do not compare models and database.")
def revision(message: str, *, empty: bool) -> None:
    """Write a migration from the difference between models and database."""
    schema.write_revision(settings(), message, empty=empty)


@db.command("check")
def check() -> None:
    """Say whether the models say more than the migrations."""
    schema.check(settings())
    click.echo("Models and migrations agree.")
