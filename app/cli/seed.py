"""`flask seed`: the demo cast of a laptop, or many accounts for load tests."""

import click

from app.cli.bulk import BulkSeed
from app.core.access import Actor, SiteRole
from app.core.errors import AppError
from app.core.ids import new_id
from app.core.passwords import PasswordHasher
from app.core.system import SystemRepository
from app.demo import DEMO_ACCOUNTS, DEMO_MEMBERS, DEMO_PASSWORD, DEMO_PROJECTS, DEMO_TOTP_SECRET
from app.members.service import MemberService
from app.projects.models import ProjectRole
from app.projects.service import ProjectService
from app.second_factor.codes import current_code
from app.second_factor.service import SecondFactorService
from app.users.service import UserService
from app.web.current import parts, service, settings

PROJECTS_EACH = 10


@click.command("seed")
@click.option(
    "--accounts", type=click.IntRange(1, 1_000_000), help="Load test: so many accounts instead of the cast."
)
@click.option(
    "--projects-each", type=click.IntRange(0, 1_000_000), help="Load test: of each account.  [default: 10]"
)
@click.option("--password", help=f"Of the load-test accounts.  [default: {DEMO_PASSWORD}]")
def seed(accounts: int | None, projects_each: int | None, password: str | None) -> None:
    """Fill a development database: alice, bob, charlie and ada, or user1@bench.example and up.

    A load that was interrupted goes on when the same numbers are given again.
    """
    if settings().production:
        raise click.ClickException(
            "seeding is for development; production refuses a database that was seeded"
        )
    if accounts:
        loader = BulkSeed(settings(), service(PasswordHasher), parts().clock)
        loader.run(
            accounts, PROJECTS_EACH if projects_each is None else projects_each, password or DEMO_PASSWORD
        )
        return
    if projects_each is not None or password is not None:
        raise click.UsageError("--projects-each and --password belong to --accounts")
    seed_demo()


@click.command("demo-code")
def demo_code() -> None:
    """Print what the authenticator app of the demo's administrator shows now, by the service's clock."""
    if settings().production:
        raise click.ClickException("the demo cast is for development")
    click.echo(current_code(DEMO_TOTP_SECRET, parts().clock.timestamp()))


def seed_demo() -> None:
    """Make the cast and their projects, once."""
    system = service(SystemRepository)
    with parts().uow.reading():
        seeded = system.read().demo_seeded_at
    if seeded:
        click.echo("The demo cast lives here already.")
        return
    hashes = {email: service(PasswordHasher).hash(DEMO_PASSWORD) for email, _, _ in DEMO_ACCOUNTS}
    try:
        _make_cast(hashes)
    except AppError:
        raise click.ClickException(
            "one of the demo addresses has an account already; nothing was changed"
        ) from None
    click.echo(f"The demo cast is here: {', '.join(email for email, _, _ in DEMO_ACCOUNTS)}.")


def _make_cast(hashes: dict[str, str]) -> None:
    projects, members = service(ProjectService), service(MemberService)
    with parts().uow:
        ids = {}
        for email, name, role in DEMO_ACCOUNTS:
            user = service(UserService).create(
                email=email, password_hash=hashes[email], display_name=name, role=SiteRole(role)
            )
            ids[email] = user.id
            if user.role == SiteRole.admin:
                service(SecondFactorService).plant(user.id, DEMO_TOTP_SECRET)
        for owner, titles in DEMO_PROJECTS.items():
            actor = Actor(ids[owner], new_id())
            for title, description in titles:
                project, _ = projects.hold(actor, projects.create(actor, title, description).id)
                for email, given in DEMO_MEMBERS.get(title, ()):
                    members.admit(project, ids[email], ProjectRole(given), actor.user_id)
        service(SystemRepository).mark_demo_seeded(parts().clock.now())
