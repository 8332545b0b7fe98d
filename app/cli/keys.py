"""`flask keys`: fresh rings, and moving a ring on without a failed request."""

import secrets

import click

from app.core.audit import AuditKind, AuditTrail
from app.core.key_rotation import RotationError, Stage, turned
from app.core.key_usage import PASSWORD_PEPPERS, SECRET_KEYS, SIGNING_KEYS, KeyUsage, Use
from app.core.keys import KeyRing, fresh_ring
from app.second_factor.jobs import RESEAL, Resealed, SecondFactorJobs
from app.web.current import parts, service, settings

RINGS = (SECRET_KEYS, PASSWORD_PEPPERS, SIGNING_KEYS)
NEXT = {
    Stage.now: "Stop every process, set the line, start again: the API and the worker at once, or some would not know it.",
    Stage.add: "Set the line everywhere and restart API and worker. Nothing uses {key} yet. Then: `--stage use`.",
    Stage.use: "Set the line everywhere and restart API and worker. New things use {key}. Then see `flask keys status`.",
    Stage.retire: "Set the line everywhere and restart API and worker. What {key} made is refused from then on.",
}


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


@keys.command("rotate")
@click.argument("ring", type=click.Choice(RINGS))
@click.option(
    "--stage", type=click.Choice(list(Stage)), default=Stage.now, show_default=True,
    help="add, use, retire: three deploys without a failed request. now: a fresh key in front at once.",
)  # fmt: skip
@click.option("--id", "key_id", help="Of the key.  [default: the next number, or the last of the ring]")
@click.option("--force", is_flag=True, help="Retire a key although rows still need it: it was stolen.")
def rotate(ring: str, stage: Stage, key_id: str | None, *, force: bool) -> None:
    """Print the line of RING after the next step; what is set now comes from the settings."""
    stage = Stage(stage)
    held = getattr(settings(), ring.lower()).get_secret_value()
    try:
        line, key = turned(held, stage, key_id)
    except RotationError as error:
        raise click.ClickException(f"{ring}: {error}") from None
    if stage == Stage.retire and not force:
        _refuse_while_needed(ring, key)
    with parts().uow:
        service(AuditTrail).record(
            AuditKind.keys_rotated, user=None, data={"ring": ring, "stage": stage.value, "key_id": key}
        )
    click.echo(f"{ring}={line}")
    click.echo(NEXT[stage].format(key=key), err=True)


@keys.command("status")
def status() -> None:
    """Tell which keys rows still need, so that one knows when a key can be retired. No key is shown."""
    uses = service(KeyUsage).of(*RINGS)
    for ring in RINGS:
        held = KeyRing.parse(getattr(settings(), ring.lower()).get_secret_value())
        of_ring = [use for use in uses if use.ring == ring]
        click.echo(ring)
        for key_id in dict.fromkeys([*held.ids, *(use.key_id for use in of_ring)]):
            rows = ", ".join(f"{use.rows} in {use.table}" for use in of_ring if use.key_id == key_id)
            click.echo(f"  {key_id}: {_role(held, key_id)}; {rows or 'no rows'}")
        click.echo(f"  besides rows: {_besides(ring)}")


@keys.command("reseal")
@click.option("--by-worker", is_flag=True, help="Leave it to the worker, as a job.")
def reseal(*, by_worker: bool) -> None:
    """Encrypt stored secrets anew under the current key; can be stopped and given again at any time."""
    if by_worker:
        parts().jobs.defer_now(RESEAL)
        click.echo("The worker does it; `flask keys status` tells what is left.")
        return
    done = service(SecondFactorJobs).reseal(_tell)
    click.echo(f"{done.moved} secrets were sealed anew.")
    if done.left:
        raise click.ClickException(f"{done.left} secrets are under a key that is not in SECRET_KEYS")


def _tell(done: Resealed) -> None:
    click.echo(f"{done.moved} ...", err=True)


def _refuse_while_needed(ring: str, key: str) -> None:
    needed = [use for use in service(KeyUsage).of(ring) if use.key_id == key]
    if needed:
        raise click.ClickException(
            f"{ring}: {key} is still needed by {_rows(needed)}; see docs/operations.md"
        )


def _rows(uses: list[Use]) -> str:
    return ", ".join(f"{use.rows} rows of {use.table}" for use in uses)


def _role(held: KeyRing, key_id: str) -> str:
    if held.get(key_id) is None:
        return "NOT IN THE RING, nothing of it can be used"
    return "current" if key_id == held.first.id else "known"


def _besides(ring: str) -> str:
    """What carries a key of the ring and stands in no row."""
    own = settings()
    return {
        SECRET_KEYS: f"refresh tokens, at most {max(own.body_idle_days, own.cookie_idle_days)} days without use;"
        " device tokens and cursors",
        PASSWORD_PEPPERS: "nothing",
        SIGNING_KEYS: f"access tokens, {own.access_token_seconds} seconds",
    }[ring]
