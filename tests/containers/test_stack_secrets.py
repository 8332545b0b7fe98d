"""docker/secrets.sh: keys and passwords of the compose stack, made once."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.config_faults import ring_faults

ROOT = Path(__file__).parents[2]
RINGS = ("SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS")


def run(home):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "FLASK_APP": "wsgi", "HOLDFAST_ENV_FILE": os.devnull}
    return subprocess.run(
        ["sh", ROOT / "docker" / "secrets.sh", home],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def first_start(tmp_path_factory):
    """The folder after a first start."""
    home = tmp_path_factory.mktemp("stack")
    for folder in ("secrets", "database"):
        (home / folder).mkdir()
    done = run(home)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def home(first_start, tmp_path):
    """A copy of it, to be changed."""
    return Path(shutil.copytree(first_start, tmp_path / "home"))


def contents(home):
    return {
        str(path.relative_to(home)): path.read_text().strip() for path in home.rglob("*") if path.is_file()
    }


def test_everything_the_stack_reads_is_made(home):
    files = contents(home)
    assert set(files) == {
        *(f"secrets/{name}" for name in (*RINGS, "OPS_TOKEN", "DATABASE_URL")),
        *(f"database/{name}_password" for name in ("superuser", "owner", "app")),
        "database/MIGRATION_DATABASE_URL",
    }
    for name in RINGS:
        assert ring_faults(files[f"secrets/{name}"]) == []
    assert len(set(files.values())) == len(files)


def test_urls_carry_the_passwords_of_their_roles(home):
    files = contents(home)
    for where, role in (("secrets/DATABASE_URL", "app"), ("database/MIGRATION_DATABASE_URL", "owner")):
        parts = urlsplit(files[where])
        assert (parts.username, parts.password) == (f"holdfast_{role}", files[f"database/{role}_password"])
        assert (parts.hostname, parts.path) == ("postgres", "/holdfast")


def test_a_second_start_changes_nothing(home):
    before = contents(home)
    assert run(home).returncode == 0
    assert contents(home) == before


def test_a_start_that_was_interrupted_is_completed(home):
    before = contents(home)
    (home / "secrets" / "SIGNING_KEYS").unlink()
    (home / "secrets" / "OPS_TOKEN").chmod(0o600)
    (home / "secrets" / "OPS_TOKEN").write_text("")
    assert run(home).returncode == 0
    after = contents(home)
    assert {name for name in before if before[name] != after[name]} == {
        "secrets/SIGNING_KEYS",
        "secrets/OPS_TOKEN",
    }
    assert all(after.values())


def test_only_postgres_passwords_may_be_read_by_another_user(home):
    files = contents(home)
    open_to_others = {name for name in files if stat.S_IMODE((home / name).stat().st_mode) & 0o077}
    assert open_to_others == {f"database/{name}_password" for name in ("superuser", "owner", "app")}
