"""`flask keys`: fresh key rings."""

import secrets

import click

from app.core.keys import fresh_ring

RINGS = ("SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS")


@click.group()
def keys() -> None:
    """Key rings."""


@keys.command("new")
@click.option("--id", "key_id", default="k1", show_default=True, help="Name of the keys: letters and digits.")
def new(key_id: str) -> None:
    """Print a fresh set as environment lines. Keep them: without the pepper no password can be checked."""
    for name in RINGS:
        click.echo(f"{name}={fresh_ring(key_id, secrets.token_bytes(32))}")
    click.echo(f"OPS_TOKEN={secrets.token_urlsafe(32)}")
