"""What is printed when everything is ready."""

import contextlib
import runpy
from pathlib import Path

from dev.address import ANDROID_EMULATOR, Address
from dev.places import ROOT
from dev.terminal import say, styled


def _demo() -> tuple[list[tuple[str, str]], str, str]:
    """The demo cast as (e-mail, remark), its password, and the secret of the administrator's authenticator app."""
    # The file alone: importing the package would load the whole service into the launcher.
    told = runpy.run_path(str(ROOT / "app" / "demo.py"))
    people = [(email, "administrator" if role == "admin" else "") for email, _, role in told["DEMO_ACCOUNTS"]]
    return people, told["DEMO_PASSWORD"], told["DEMO_TOTP_SECRET"]


def show(address: Address, home: Path, *, seconds: float, seeded: bool, notes: list[str]) -> None:
    """Print where to go, who can sign in and how to stop.

    Args:
        address: where the API listens.
        home: `var/`.
        seconds: how long the start took.
        seeded: whether the demo cast is in this database.
        notes: anything that is not as it should be.
    """
    base = address.local_url
    rows = [
        ("API", f"{base}/api/v1"),
        ("Swagger UI", f"{base}/docs"),
        ("Mailbox", f"{base}/dev/mailbox"),
    ]
    if address.lan:
        rows += [
            _first(index, "On the network", f"http://{lan}:{address.port}")
            for index, lan in enumerate(address.lan)
        ]
    if address.everywhere:
        rows.append(("Android emulator", f"http://{ANDROID_EMULATOR}:{address.port}"))
    if seeded:
        people, password, secret = _demo()
        rows += [
            _first(index, "Accounts", f"{email}  {remark}") for index, (email, remark) in enumerate(people)
        ]
        rows += [
            ("Password", password),
            ("Second step", f"{secret}  (ada's authenticator app)"),
            ("", "or the code of the moment: .venv/bin/flask demo-code"),
        ]
    rows += [
        ("Second terminal", ".venv/bin/flask doctor   (or callers, mail test, ...)"),
        ("Logs", f"{_short(home / 'log' / 'api.log')}, worker.log"),
        ("Stop", "Ctrl-C"),
    ]
    say()
    say(f"  {styled('Holdfast is ready', 'bold')}  {styled(f'({seconds:.1f} s)', 'dim')}")
    say()
    for name, value in rows:
        say(f"  {name:<17}{value}")
    for note in notes:
        say(f"  {styled('Note'.ljust(17), 'yellow')}{note}")
    say()


def _first(index: int, name: str, value: str) -> tuple[str, str]:
    """A row of a list: only the first says what they are."""
    return "" if index else name, value.rstrip()


def _short(path: Path) -> Path:
    with contextlib.suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path
