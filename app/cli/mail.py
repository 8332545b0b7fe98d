"""`flask mail`: whether mail goes out."""

import click

from app.core.mail import MailError
from app.core.mail_templates import render
from app.web.current import parts, settings


@click.group()
def mail() -> None:
    """Outgoing mail."""


@mail.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send one mail to ADDRESS, now, and say what became of it."""
    own = settings()
    if not address.isprintable():
        raise click.ClickException("the address is not one that mail can be sent to")
    message = render(
        "test", to=address, product_name=own.product_name, server=own.base_url, at=parts().clock.now()
    )
    try:
        parts().mailer.send(message)
    except MailError as error:
        raise click.ClickException(f"the mail was not sent: {error}") from None
    where = "by SMTP" if own.smtp_url else f"to the mailbox at {own.base_url}/dev/mailbox"
    click.echo(f"Sent to {address} {where}.")
