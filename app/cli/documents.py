"""Commands that print what the code says about itself."""

from pathlib import Path

import click
import orjson
from flask import current_app

from app.web.docs import document
from app.web.operations import declared


@click.group()
def openapi() -> None:
    """The OpenAPI document."""


@openapi.command("write")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default=Path("openapi.json"))
def write(path: Path) -> None:
    """Write the document to PATH."""
    path.write_bytes(orjson.dumps(document(), option=orjson.OPT_INDENT_2) + b"\n")
    click.echo(f"Wrote {path}.")


@click.command("callers")
def callers() -> None:
    """List every route and who may call it (Flask's own `routes` cannot be replaced, and does not know)."""
    rules = sorted(current_app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))
    for rule in rules:
        operation = declared(current_app, rule.endpoint)
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        caller = operation.caller.value if operation else "NOBODY: declares no caller"
        click.echo(f"{methods:7} {rule.rule:48} {operation.name if operation else '-':24} {caller}")
