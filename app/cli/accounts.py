"""Commands about accounts: the first administrator, a locked sign-in, ending all sessions."""

import click

from app.auth.service import AuthService
from app.core.access import SiteRole
from app.core.audit import AuditKind, AuditTrail
from app.core.errors import AppError
from app.core.password_policy import PasswordPolicy
from app.core.passwords import PasswordHasher
from app.sessions.service import SessionService
from app.users.service import UserService
from app.web.current import parts, service


@click.command("create-admin")
@click.argument("email")
@click.option("--name", default="Administrator", show_default=True, help="Display name.")
@click.password_option(help="Asked for when left out; never put it on a shared machine's command line.")
def create_admin(email: str, name: str, password: str) -> None:
    """Make an account that administers the site; there is no other way to the first one."""
    faults = service(PasswordPolicy).faults(password, email=email, display_name=name)
    if faults:
        raise click.ClickException("; ".join(fault.detail for fault in faults))
    hashed = service(PasswordHasher).hash(password)
    try:
        with parts().uow:
            user = service(UserService).create(
                email=email, password_hash=hashed, display_name=name, role=SiteRole.admin
            )
            service(AuditTrail).record(AuditKind.administrator_created, user=user.id)
    except AppError:
        raise click.ClickException(f"{email} has an account already.") from None
    click.echo(f"{user.email} administers this site now.")


@click.command("unlock")
@click.argument("email")
def unlock(email: str) -> None:
    """Forget the failed sign-ins counted for EMAIL."""
    service(AuthService).unlock(email)
    click.echo(
        f"Failed sign-ins of {email} are forgotten; a network they came from may have to wait some minutes more."
    )


@click.group()
def sessions() -> None:
    """Sessions of everybody."""


@sessions.command("revoke-all")
@click.confirmation_option(prompt="This signs everybody out on every device. Go on?")
def revoke_all() -> None:
    """End every session, by moving the epoch that each belongs to; takes effect within a second."""
    epoch = service(SessionService).revoke_all()
    click.echo(f"All sessions have ended; the epoch is {epoch}.")
