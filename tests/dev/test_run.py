"""`make run` for real: start, kill -9, start again, Ctrl-C, and nothing is left."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from dev.engine_state import free_port
from dev.environment import read_env_file
from dev.identity import Identity
from dev.places import ROOT
from dev.roles import statements

NAMES = {"api", "worker", "valkey", "postgres"}


class Run:
    """One launcher in a session of its own, as a terminal would have it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self.words = home.parent / f"words-{time.monotonic_ns()}"
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.endswith(("_URL", "_KEYS", "_PEPPERS"))
        }
        env |= {"HOLDFAST_VAR": str(home), "PORT": str(port), "HOST": "127.0.0.1"}
        env |= {"WORKERS": "1", "BCRYPT_COST": "10"}
        with self.words.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dev.run"],
                cwd=ROOT,
                env=env,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, text: str) -> str:
        identity = Identity.of(self.process.pid)
        assert identity
        identity.wait_gone(150, hurry=lambda: text in self.words.read_text())
        assert text in self.words.read_text(), self.words.read_text()
        return self.words.read_text()

    def get(self, path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.status, answer.read()

    def recorded(self) -> dict[str, Identity]:
        told = [json.loads(path.read_text()) for path in (self.home / "run").glob("*.json")]
        return {entry["name"]: Identity(entry["pid"], entry["started"]) for entry in told}


@pytest.fixture
def start(tmp_path):
    """Starts launchers in one folder; whatever still runs at the end is ended."""
    home, port = tmp_path / "var", free_port()
    runs: list[Run] = []

    def begin() -> Run:
        runs.append(Run(home, port))
        return runs[-1]

    yield begin
    for run in runs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGINT)
        run.process.wait(30)
    for identity in runs[-1].recorded().values():
        identity.end(((signal.SIGTERM, 5.0),))


@pytest.mark.timeout(300)
def test_the_whole_life_of_a_laptop(start):
    first = start()
    words = first.wait_for("Ctrl-C")
    assert first.home.stat().st_mode & 0o777 == 0o700
    for expected in (
        f"http://127.0.0.1:{first.port}/docs",
        "alice@example.com",
        "ada@example.com  administrator",
        "KELPGRIPSTHEROCKKELPGRIPSTHEROCK  (ada's authenticator app)",
    ):
        assert expected in words
    status, body = first.get("/readyz")
    assert status == 200
    checks = json.loads(body)["checks"]
    assert checks["postgres"]["status"] == checks["redis"]["status"] == "ok"

    # A second terminal reaches the same engines, by roles that are no superusers.
    env = read_env_file(first.home / "run" / "env")
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
        with statements(env[name]) as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            assert cursor.fetchone() == (False,)
            cursor.execute("SELECT count(*) FROM users")
            assert cursor.fetchone() == (4,)

    orphans = first.recorded()
    assert set(orphans) == NAMES
    first.process.kill()
    first.process.wait()
    assert all(orphan.alive for orphan in orphans.values())

    second = start()
    words = second.wait_for("Ctrl-C")
    assert "ended what an earlier start left running: api, worker, valkey, postgres" in words
    # The accounts are there already.
    assert "demo accounts and projects" not in words
    assert not any(orphan.alive for orphan in orphans.values())
    ours = second.recorded()
    assert set(ours) == NAMES

    os.killpg(second.process.pid, signal.SIGINT)
    assert second.process.wait(30) == 0
    assert re.search(r"Stopping \.\.\.\n.*Stopped\.[^\n]*\n$", second.words.read_text(), re.DOTALL)
    assert not any(process.alive for process in ours.values())
    assert not (second.home / "run" / "env").exists()
    assert list((second.home / "run").iterdir()) == [second.home / "run" / "launcher.lock"]
    with pytest.raises(OSError, match="refused"):
        second.get("/livez")
