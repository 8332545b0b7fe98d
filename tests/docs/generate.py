"""Writes the lists in docs/ that the code knows best.

    .venv/bin/python -m tests.docs.generate

Each stands between ``<!-- generated: name -->`` and ``<!-- end -->`` in its document; the words around it are written
by hand. Needs no database: the application is built, never asked.
"""

import base64
import re
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import click
from flask import Flask

from app import create_app
from app.cli import GROUPS
from app.config import Settings
from app.core.errors import Code
from app.sweeps import Sweeps
from app.web.docs import document
from app.web.explanations import EXPLANATIONS
from app.web.operations import declared
from app.web.problems import CATALOGUE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
TARGET = re.compile(r"^([a-z-]+):.*?## (.+)$", re.MULTILINE)
REQUIREMENT = re.compile(
    r"^\| (?P<id>(?:SEC|REL)-\d+) \| (?P<holds>[^|]+) \|(?P<proof>[^|]*)\|$", re.MULTILINE
)
NAMED = re.compile(r"(?<![A-Za-z0-9])(SEC|REL|sec|rel)[-_](\d{2})(?!\d)")
MOST_PROOFS = 3
VERBS = ("get", "post", "patch", "put", "delete")


def application() -> Flask:
    """The application with settings that reach nothing."""
    keys = {
        name: f"k1:{base64.b64encode(bytes(range(start, start + 32))).decode()}"
        for name, start in (("secret_keys", 1), ("password_peppers", 101), ("signing_keys", 201))
    }
    nowhere = {
        "database_url": "postgresql://nobody@127.0.0.1:9/none",
        "redis_url": "redis://127.0.0.1:9",
        "mailbox_dir": Path("var/mailbox"),
    }
    return create_app(Settings(_env_file=None, **nowhere, **keys))


def problem_codes() -> str:
    """Every problem code, by status, each with an anchor of its own."""
    for name, known in (("problems.py", CATALOGUE), ("explanations.py", EXPLANATIONS)):
        unknown = [code.value for code in Code if code not in known]
        assert not unknown, f"app/web/{name} has nothing about {unknown}"
    lines = []
    for status in dict.fromkeys(sorted(kind.status for kind in CATALOGUE.values())):
        lines += [
            "",
            f"### {status} {HTTPStatus(status).phrase}",
            "",
            "| Code | Title | What it means, what to do |",
        ]
        lines.append("| --- | --- | --- |")
        for code in Code:
            if CATALOGUE[code].status == status:
                cell = f'<a id="{code.value}"></a>`{code.value}`'
                lines.append(f"| {cell} | {CATALOGUE[code].title} | {EXPLANATIONS[code]} |")
    return "\n".join([*lines[1:], ""])


def api_operations() -> str:
    """Every operation of the OpenAPI document, by tag."""
    with application().app_context():
        found = document()
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in found["tags"]}
    for path, item in found["paths"].items():
        for verb in VERBS:
            if verb in item:
                by_tag[item[verb]["tags"][0]].append(_operation(verb, path, item[verb]))
    lines = []
    for tag in found["tags"]:
        lines += ["", f"### {tag['name']}", "", tag["description"], ""]
        lines += ["| Method and path | operationId | Caller | Headers | Answer | What it does |"]
        lines += ["| --- | --- | --- | --- | --- | --- |", *by_tag[tag["name"]]]
    return "\n".join([*lines[1:], ""])


def _operation(verb: str, path: str, told: dict) -> str:
    headers = [one["name"] for one in told.get("parameters", []) if one.get("in") == "header"]
    answers = [status for status in told["responses"] if status.startswith("2")]
    cells = (
        f"`{verb.upper()} {path}`", f"`{told['operationId']}`", told["x-caller"],
        ", ".join(f"`{name}`" for name in headers), ", ".join(answers), told["summary"],
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def other_routes() -> dict[str, set[str]]:
    """Method and path of what the OpenAPI document leaves out, with who may call it."""
    app = application()
    with app.app_context():
        documented = {f"/api/v1{path}" for path in document()["paths"]}
    routes: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule)
        if path not in documented:
            operation = declared(app, rule.endpoint)
            assert operation, f"{path} declares no caller, so nobody may call it: see app/web/operations.py"
            for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}):
                routes.setdefault(f"{method} {path}", set()).add(operation.caller.value)
    return routes


def flask_commands() -> str:
    """Every command of ours, with its arguments and options."""
    lines = ["| Command | What it does |", "| --- | --- |"]
    lines += [f"| `flask {usage}` | {text} |" for usage, text in sorted(_commands())]
    return "\n".join([*lines, ""])


def _commands() -> list[tuple[str, str]]:
    found = []
    for group in GROUPS:
        leaves = group.commands.values() if isinstance(group, click.Group) else (group,)
        for command in leaves:
            prefix = f"{group.name} " if command is not group else ""
            found.append((f"{prefix}{command.name}{_arguments(command)}", _sentence(command.help)))
    return found


def _arguments(command: click.Command) -> str:
    words = []
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            words.append(f"[{parameter.opts[0]}]" if parameter.is_flag else f"[{parameter.opts[0]} …]")
        else:
            name = parameter.human_readable_name.upper()
            words.append(name if parameter.required else f"[{name}]")
    return "".join(f" {word}" for word in words)


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def periodic_jobs() -> str:
    """What the worker does by itself, and when."""
    lines = ["| Job | When | What |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | Every minute | {about} |" for name, about in Sweeps.EVERY_MINUTE.items()]
    lines += [
        f"| `{name}` | At minute {Sweeps.minute(name)} of each hour | {about} |"
        for name, about in Sweeps.ABOUT.items()
    ]
    return "\n".join([*lines, ""])


def make_targets() -> str:
    """Every target of the Makefile."""
    lines = ["| Command | What it does |", "| --- | --- |"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines += [f"| `make {name}` | {text} |" for name, text in TARGET.findall(makefile)]
    return "\n".join([*lines, ""])


def requirements(text: str) -> Counter[str]:
    """How often a file names a requirement, written as SEC-18 or, in the name of a test, as sec_18."""
    return Counter(f"{kind.upper()}-{number}" for kind, number in NAMED.findall(text))


def proofs() -> dict[str, Counter[str]]:
    """What each file of tests names; those of the documents themselves prove nothing."""
    return {
        str(path.relative_to(ROOT)): requirements(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if not {"docs", "node_modules"} & set(path.relative_to(ROOT).parts)
    }


def with_proofs(text: str) -> str:
    """The requirements with where each is proved: what is listed and still true stays, an empty cell is filled."""
    tests = {name: ids for name, ids in proofs().items() if Path(name).name.startswith("test_")}

    def row(found: re.Match[str]) -> str:
        naming = sorted(
            (name for name in tests if found["id"] in tests[name]), key=lambda name: -tests[name][found["id"]]
        )
        kept = [name for name in re.findall(r"`([^`]+)`", found["proof"]) if name in naming] or naming[
            :MOST_PROOFS
        ]
        return f"| {found['id']} | {found['holds']} | {', '.join(f'`{name}`' for name in kept)} |"

    return REQUIREMENT.sub(row, text)


GENERATED: dict[str, Callable[[], str]] = {
    "problem-codes": problem_codes,
    "api-operations": api_operations,
    "flask-commands": flask_commands,
    "make-targets": make_targets,
    "periodic-jobs": periodic_jobs,
}


def blocks(text: str) -> list[str]:
    """The names of the generated parts of a document."""
    return [name for _, name, _ in BLOCK.findall(text)]


def fresh(text: str) -> str:
    """The document with its generated parts made anew."""
    return BLOCK.sub(lambda found: f"{found[1]}{GENERATED[found[2]]()}{found[3]}", text)


if __name__ == "__main__":
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = with_proofs(fresh(before))
        if after != before:
            page.write_text(after, encoding="utf-8")
            click.echo(f"{page.relative_to(ROOT)}: changed")
