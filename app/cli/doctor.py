"""`flask doctor`: what is wrong with this installation, and how to mend it."""

import click

from app.config import ConfigError


@click.command("doctor")
def doctor() -> None:
    """Look at everything the service needs."""


def faults_only(error: ConfigError) -> click.Command:
    """The doctor of a configuration that does not even load."""

    @click.command("doctor")
    def told() -> None:
        """Tell the faults of the configuration."""
        for fault in error.faults:
            click.echo(f"FAULT  settings  {fault}")
        raise SystemExit(2)

    return told
