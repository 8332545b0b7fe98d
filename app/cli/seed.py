"""`flask seed`: the demo cast of a laptop, or many accounts for load tests."""

import click

from app.cli.bulk import BulkSeed
from app.core.access import Actor, SiteRole
from app.core.ids import new_id
from app.core.passwords import PasswordHasher
from app.core.system import SystemRepository
from app.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, DEMO_PROJECTS
from app.projects.service import ProjectService
from app.users.service import UserService
from app.web.current import parts, service, settings


@click.command("seed")
@click.option(
    "--accounts", type=click.IntRange(1, 1_000_000), help="Load test: so many accounts instead of the cast."
)
@click.option("--projects-each", type=click.IntRange(0, 1_000_000), default=10, show_default=True)
@click.option("--password", default=DEMO_PASSWORD, help="Of the load-test accounts.")
def seed(accounts: int | None, projects_each: int, password: str) -> None:
    """Fill a development database: alice, bob, charlie and ada, or user1@bench.example and up."""
    if settings().production:
        raise click.ClickException(
            "seeding is for development; production refuses a database that was seeded"
        )
    if accounts:
        BulkSeed(settings(), service(PasswordHasher), parts().clock).run(accounts, projects_each, password)
        return
    seed_demo()


def seed_demo() -> None:
    """Make the cast and their projects, once."""
    system = service(SystemRepository)
    with parts().uow.reading():
        seeded = system.read().demo_seeded_at
    if seeded:
        click.echo("The demo cast lives here already.")
        return
    hashes = {email: service(PasswordHasher).hash(DEMO_PASSWORD) for email, _, _ in DEMO_ACCOUNTS}
    with parts().uow:
        for email, name, role in DEMO_ACCOUNTS:
            user = service(UserService).create(
                email=email, password_hash=hashes[email], display_name=name, role=SiteRole(role)
            )
            actor = Actor(user.id, new_id())
            for title, description in DEMO_PROJECTS.get(email, ()):
                service(ProjectService).create(actor, title, description)
        system.mark_demo_seeded(parts().clock.now())
    click.echo(f"The demo cast is here: {', '.join(email for email, _, _ in DEMO_ACCOUNTS)}.")
