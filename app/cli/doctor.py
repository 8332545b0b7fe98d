"""`flask doctor`: what is wrong with this installation, and how to mend it."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from flask import current_app

from app.cli.checks import addresses, database, replicas, services, storage
from app.cli.checks import settings as own_settings
from app.cli.checks.finding import Finding, fault
from app.cli.checks.report import as_json, as_text, without_secrets, worst
from app.config import ConfigError
from app.config_sources import http_origin
from app.web.current import parts, settings

PATIENCE = 10.0
"""Seconds for everything together; the checks run side by side, each with shorter limits of its own."""
Check = Callable[[], Iterable[Finding]]
AS_JSON = click.option("--json", "as_program", is_flag=True, help="Print JSON for a program.")


def _origin(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return http_origin(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("doctor")
@AS_JSON
@click.option("--origin", callback=_origin, metavar="URL", help="Also say whether a web app there may call.")
def doctor(origin: str | None, *, as_program: bool) -> None:
    """Look at everything the service needs, and say how to mend what is wrong.

    Exit code 0: all is well; 1: there are warnings; 2: there are faults. Nothing is changed and no secret shown.
    """
    own, gate, store = settings(), parts().gate, parts().engines.store
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - for another thread
    checks: dict[str, Check] = {
        "settings": lambda: own_settings.look(own),
        "addresses": lambda: addresses.look(app, own, origin),
        "database": lambda: database.look(own),
        "replica": lambda: replicas.look(own),
        "redis": lambda: services.redis(gate, own),
        "mail": lambda: services.mail(own),
        "storage": lambda: storage.look(store, own),
        "scanner": lambda: storage.scanner(own),
    }
    with quiet_log():
        findings = without_secrets(together(checks, PATIENCE), own)
    tell(findings, as_program=as_program)


def faults_only(error: ConfigError) -> click.Command:
    """The doctor of a configuration that does not even load: it can tell its faults and no more."""

    @click.command("doctor")
    @AS_JSON
    @click.option("--origin", metavar="URL", help="Not looked at while the settings are faulty.")
    def told(origin: str | None, *, as_program: bool) -> None:  # noqa: ARG001 - the same words work either way
        """Tell the faults of the configuration."""
        mend = "set it as said; docs/configuration.md has a line for each setting"
        tell([fault("settings", each, mend) for each in error.faults], as_program=as_program)

    return told


def tell(findings: Sequence[Finding], *, as_program: bool) -> None:
    """Print, and end with the exit code of the worst."""
    click.echo(as_json(findings) if as_program else as_text(findings))
    raise SystemExit(worst(findings).exit_code)


def together(checks: dict[str, Check], seconds: float) -> list[Finding]:
    """Make the checks side by side; the answers in the order of the checks, whatever becomes of each.

    Args:
        seconds: how long to wait for all of them; what hangs is told and left behind.
    """
    answers: dict[str, list[Finding]] = {}
    gone = threading.Event()

    def run(name: str, check: Check) -> None:
        found: list[Finding] = []
        try:
            for each in check():
                found.append(each)  # noqa: PERF402 - what was found before a crash counts
        except Exception as error:  # noqa: BLE001 - the doctor must not die of what it looks for
            found.append(_crashed(name, error))
        if not gone.is_set():
            answers[name] = found

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in checks.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    gone.set()
    return [finding for name in checks for finding in answers.get(name, [_hung(name, seconds)])]


def _crashed(name: str, error: Exception) -> Finding:
    return fault(
        name, f"could not be looked at: {type(error).__name__}", "this is a defect; please report it"
    )


def _hung(name: str, seconds: float) -> Finding:
    return fault(
        name,
        f"no answer within {seconds:g} s",
        "look at the network and the name server between here and there",
    )


@contextmanager
def quiet_log() -> Iterator[Any]:
    """Keep log lines out of the report; what they would say is in it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
