"""The walk-throughs of docs/add-a-feature.md, walked: each in a copy of the project, against the real engines."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from dev.roles import drop_database, ensure_database
from tests.docs.walkthrough import steps_of
from tests.fixtures.settings import KEYS

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "add-a-feature.md"
COPIED = ("app", "migrations", "dev", "tests/fixtures")
FILES = ("pyproject.toml", "wsgi.py", ".importlinter", "tests/__init__.py", "tests/conftest.py")
FIELD = "\n## A field of something that is there\n"
COMMAND = re.compile(r"^\.venv/bin/flask (.+)$", re.MULTILINE)
# Several commands in one process: loading the application is what takes time.
FLASK = """
import sys
from wsgi import app
with app.app_context():
    for line in sys.argv[1:]:
        done = app.test_cli_runner().invoke(args=line.split(), catch_exceptions=False)
        print(done.output)
        assert done.exit_code == 0, line
"""

# The tests in the copy must not empty the numbered Redis of a worker of this run.
CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def worker_number():
    return {number}
"""


@dataclass(frozen=True)
class Part:
    """One of the walks. Attributes: text: of the page. migration: its name. tests: what it ends with, and how many pass."""

    text: str
    migration: str
    tests: str
    passed: str

    @property
    def written_by_flask(self):
        return f"migrations/versions/NNNN_{self.migration}.py"

    @property
    def steps(self):
        return steps_of(self.text)


def parts_of_the_page():
    feature, _, field = DOCUMENT.read_text(encoding="utf-8").partition(FIELD)
    return [
        Part(feature, "notes", "tests/notes", "6 passed"),
        Part(field, "file_description", "tests/files", "2 passed"),
    ]


@pytest.fixture(params=parts_of_the_page(), ids=lambda part: part.migration)
def part(request):
    return request.param


def last_number(engines):
    """The last numbered database of the Redis of this run."""
    with redis.Redis.from_url(engines.redis_url) as client:
        return int(client.config_get("databases")["databases"]) - 1


@pytest.fixture
def walked(part, tmp_path):
    """A copy of the project in which every block of a part was typed in."""
    folder = tmp_path / "project"
    for name in COPIED:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "containers")
        )
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    for step in part.steps:
        if step.path != part.written_by_flask:
            step.apply(folder)
    return folder


@pytest.fixture
def run(walked):
    """Run Python in the copy, with nothing of this run's settings; the words of one that fails are shown."""
    own = ("COVERAGE", "COV_CORE", "PYTEST")

    def python(*words, **settings):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        env = {**kept, "HOLDFAST_ENV_FILE": os.devnull, "PYTHONPATH": str(walked), **settings}
        done = subprocess.run(
            [sys.executable, *words], cwd=walked, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    return python


@pytest.fixture
def database_settings(walked, engines, shared):
    """A migrated database for the commands, as the environment names it."""
    roles, template = shared
    database = f"{template}_walkthrough"
    ensure_database(engines.admin_url, database, roles, template=template)
    yield {
        **{name.upper(): value for name, value in KEYS.items()},
        "DATABASE_URL": roles.app.url(engines.admin_url, database),
        "MIGRATION_DATABASE_URL": roles.owner.url(engines.admin_url, database),
        "REDIS_URL": engines.redis_url,
        "MAILBOX_DIR": str(walked / "mailbox"),
    }
    drop_database(engines.admin_url, database)


def test_what_was_typed_is_clean_and_keeps_the_contracts(run, part):
    changed = {step.path for step in part.steps if step.path.endswith(".py")} - {part.written_by_flask}
    run("-m", "ruff", "check", "--no-cache", *changed)
    run("-m", "ruff", "format", "--no-cache", "--check", *changed)
    assert "0 broken" in run(Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache")


def test_the_commands_write_the_migration_that_is_shown_and_the_tests_pass(
    run, part, walked, database_settings, engines
):
    commands = COMMAND.findall(part.text)
    assert commands == [f"db revision {part.migration}", "db upgrade", "db check"]
    run("-c", FLASK, *commands, **database_settings)
    [written] = walked.glob(f"migrations/versions/*_{part.migration}.py")
    run("-m", "ruff", "format", "--quiet", written.relative_to(walked))
    lines = written.read_text().splitlines(keepends=True)
    [shown] = [step.text for step in part.steps if step.path == part.written_by_flask]
    assert shown in "".join(line for line in lines if not line.startswith("    # ###"))
    (walked / part.tests / "conftest.py").write_text(CONFTEST.format(number=last_number(engines)))
    assert part.passed in run("-m", "pytest", part.tests, "-p", "no:xdist")
