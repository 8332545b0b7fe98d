"""The import contracts hold, and each of them would notice what it forbids."""

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURATION = ".importlinter"
# A contract, a file, and the line that breaks it there. A file that is not there is made.
PLANTED = {
    "a feature uses a higher one": ("house", "app/users/emails.py", "import app.sessions.models"),
    "core uses the web": ("house", "app/core/ids.py", "import app.web.problems"),
    "settings use core": ("house", "app/config.py", "import app.core.ids"),
    "a folder without a place": ("house", "app/notes.py", ""),
    "somebody takes the finished application": ("application", "app/core/ids.py", "from app import create_app"),
    "a row knows its service": ("feature", "app/projects/models.py", "import app.projects.service"),
    "a policy queries": ("feature", "app/projects/policy.py", "import app.projects.repository"),
    "a stray file": ("feature", "app/projects/utils.py", ""),
    "a route reads rows": ("routes", "app/projects/routes.py", "import app.projects.models"),
    "a schema calls a service": ("schemas", "app/projects/schemas.py", "import app.projects.service"),
    "a feature writes another's rows": (
        "repositories", "app/projects/service.py", "import app.users.repository",
    ),
    "a service knows Flask": ("business", "app/projects/service.py", "import flask"),
    "a policy knows marshmallow, by a detour": (
        "business", "app/projects/policy.py", "import app.users.schemas",
    ),
    "core knows the web": ("business", "app/core/uow.py", "import app.web.current"),
    "a service writes SQL": ("sql", "app/projects/service.py", "import sqlalchemy"),
    "the web speaks Redis": ("redis", "app/web/limits.py", "import redis"),
}  # fmt: skip


def lint(folder, *options):
    """Run the contracts of a folder with a copy of the project in it."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", *options]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / CONFIGURATION, folder)
    return folder


@pytest.fixture
def plant(copy):
    """Add a line to a file of the copy, and take it out again afterwards."""
    kept = {}

    def write(file, line):
        path = copy / file
        kept[path] = path.read_text() if path.exists() else None
        path.write_text(f"{kept[path] or ''}\n{line}\n")

    yield write
    for path, text in kept.items():
        path.unlink() if text is None else path.write_text(text)


def test_the_contracts_hold(copy):
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_noticed(copy, plant, contract, file, line):
    plant(file, line)
    result = lint(copy, "--contract", contract)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "0 kept, 1 broken" in result.stdout
    assert Path(file).stem in result.stdout


def test_every_contract_has_a_planted_violation():
    text = (ROOT / CONFIGURATION).read_text()
    named = {
        line.rpartition(":")[2].rstrip("]") for line in text.splitlines() if line.startswith("[importlinter:")
    }
    assert named == {contract for contract, _, _ in PLANTED.values()}


def test_every_feature_is_looked_into():
    contract = ConfigParser()
    contract.read(ROOT / CONFIGURATION)
    features = contract["importlinter:contract:feature"]["containers"].split()
    folders = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")} - {
        "cli",
        "core",
        "web",
        "wiring",
    }
    assert {name.removeprefix("app.") for name in features} == folders
