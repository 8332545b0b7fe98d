"""What the rows of accounts say about the installation."""

from collections.abc import Iterator

from app.cli.bulk_rows import address
from app.cli.checks.finding import Finding, fault
from app.cli.checks.look import Look
from app.cli.checks.settings import key_ids

NEWEST = 10_000


def peppers(place: Look) -> Iterator[Finding]:
    """Passwords hashed under a pepper that is lost can never be checked again."""
    used = place.rows(
        "SELECT split_part(password_hash, '$', 2) AS pepper, count(*) FROM ("
        " SELECT password_hash FROM users WHERE password_hash LIKE 'hf1$%%' ORDER BY id DESC LIMIT %s"
        ") AS newest GROUP BY 1 ORDER BY 1",
        NEWEST,
    )
    known = key_ids(place.settings, "password_peppers")
    for pepper, count in used:
        if pepper not in known:
            yield fault(
                "accounts",
                f"{count:,} of the newest accounts have passwords under the pepper {pepper}, which PASSWORD_PEPPERS lacks",
                f"put the pepper {pepper} back behind the current one; without it those people must reset their password",
            )


def strangers(place: Look) -> Iterator[Finding]:
    """Accounts with a password that everybody knows do not belong in production."""
    if not place.settings.production:
        return
    if place.value("SELECT demo_seeded_at FROM system_state"):
        mend = "use a fresh database: its data were made for a laptop"
        yield fault(
            "accounts", "the demo accounts live here, and their password is in the documentation", mend
        )
    if place.value("SELECT EXISTS (SELECT FROM users WHERE email_key = %s)", address(1)):
        yield fault(
            "accounts", f"accounts of a load test live here ({address(1)} ...)", "use a fresh database"
        )
