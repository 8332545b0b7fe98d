"""How findings are shown: a table for people, JSON for programs, and never a secret in either."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import click
import orjson
from pydantic import SecretStr

from app.cli.checks.finding import Finding, Severity
from app.config import Settings

COLOURS = {Severity.ok: "green", Severity.warn: "yellow", Severity.fault: "red"}
SEVERITY_WIDTH, ABOUT_WIDTH = 7, 14
NARROWEST, WIDEST = 60, 120
SHORTEST_SECRET = 4


def worst(findings: Iterable[Finding]) -> Severity:
    return max(
        (each.severity for each in findings), key=lambda severity: severity.exit_code, default=Severity.ok
    )


def as_json(findings: Sequence[Finding]) -> str:
    """``{"status", "exit_code", "findings": [{"severity", "about", "what", "mend"}]}``; ``mend`` may be null."""
    status = worst(findings)
    told = [
        {
            "severity": each.severity.value.lower(),
            "about": each.about,
            "what": each.what,
            "mend": each.mend or None,
        }
        for each in findings
    ]
    content = {"status": status.value.lower(), "exit_code": status.exit_code, "findings": told}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def as_text(findings: Sequence[Finding]) -> str:
    """Aligned lines, in colour and folded to the width where a terminal shows them."""
    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST) if sys.stdout.isatty() else None
    lines = [line for each in findings for line in _lines(each, width)]
    counts = {severity: sum(each.severity == severity for each in findings) for severity in Severity}
    summary = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if counts[severity])
    return "\n".join(["", *lines, "", f"  {_styled(summary, COLOURS[worst(findings)], bold=True)}", ""])


def _lines(finding: Finding, width: int | None) -> Iterable[str]:
    label = _styled(f"{finding.severity.value:{SEVERITY_WIDTH}}", COLOURS[finding.severity], bold=True)
    first, *rest = _folded(finding.what, width)
    margin = " " * (2 + SEVERITY_WIDTH + ABOUT_WIDTH)
    yield f"  {label}{finding.about:{ABOUT_WIDTH}}{first}"
    yield from (margin + line for line in rest)
    if finding.mend:
        first, *rest = _folded(f"mend: {finding.mend}", width)
        yield from (margin + _styled(line, "cyan") for line in (first, *rest))


def _folded(text: str, width: int | None) -> list[str]:
    if width is None:
        return [text]
    room = width - 2 - SEVERITY_WIDTH - ABOUT_WIDTH
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def _styled(text: str, colour: str, *, bold: bool = False) -> str:
    """In colour; click takes it away again where the output is no terminal. NO_COLOR: no-color.org."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, fg=colour, bold=bold)


def without_secrets(findings: Iterable[Finding], settings: Settings) -> list[Finding]:
    """The findings with every secret of the settings blotted out: a driver may quote what it was given."""
    secrets = sorted(_secrets(settings), key=len, reverse=True)

    def blotted(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return [replace(each, what=blotted(each.what), mend=blotted(each.mend)) for each in findings]


def _secrets(settings: Settings) -> set[str]:
    """Whole values, passwords inside URLs as they stand and decoded, and each key of a ring."""
    found = set()
    values = [(name, getattr(settings, name)) for name in type(settings).model_fields]
    values += [(name, each) for name, value in values if isinstance(value, tuple) for each in value]
    for name, value in values:
        if not isinstance(value, SecretStr):
            continue
        text = value.get_secret_value()
        found.add(text)
        found |= (
            {entry.partition(":")[2].strip() for entry in text.split(",")} if name.endswith("s") else set()
        )
        password = _password(text)
        found |= {password, unquote(password)}
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
