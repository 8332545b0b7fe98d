"""Processes of ours are ended, others that happen to have their pid are not."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dev.children import Child, end_orphans, last_lines
from dev.identity import Identity, started_at

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(600)",
]


@pytest.fixture
def stranger():
    with subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        yield process
        process.kill()


def _record(home: Path, name: str, pid: int, started: str) -> Path:
    path = home / "run" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": name, "pid": pid, "started": started}))
    return path


def _wait_for(path: Path, text: str) -> None:
    identity = Identity.of(os.getpid())
    assert identity
    identity.wait_gone(10, hurry=lambda: path.exists() and text in path.read_text())
    assert text in path.read_text()


def test_an_orphan_on_record_is_ended(tmp_path):
    child = Child.start("worker", SLEEP, tmp_path)
    assert end_orphans(tmp_path) == ["worker"]
    assert child.process.wait(5) == -signal.SIGTERM
    assert not child.record.exists()


def test_a_process_that_got_the_same_pid_is_left_alone(tmp_path, stranger):
    started = started_at(stranger.pid)
    record = _record(tmp_path, "worker", stranger.pid, f"{started}9")
    assert end_orphans(tmp_path) == []
    assert stranger.poll() is None
    assert not record.exists()


def test_records_that_make_no_sense_are_dropped(tmp_path):
    record = _record(tmp_path, "api", 0, "")
    damaged = record.with_name("worker.json")
    damaged.write_text("{half")
    assert end_orphans(tmp_path) == []
    assert not record.exists()
    assert not damaged.exists()


def test_the_start_time_tells_two_processes_apart(stranger):
    assert started_at(stranger.pid) == started_at(stranger.pid)
    assert started_at(stranger.pid) != started_at(os.getpid())
    stranger.kill()
    # Not collected yet: a process that only waits for its parent is gone for us.
    os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(stranger.pid) is None


def test_a_child_leads_its_own_session_and_its_words_go_to_a_private_log(tmp_path):
    child = Child.start("api", SLEEP, tmp_path)
    try:
        assert os.getsid(child.process.pid) == child.process.pid
        _wait_for(child.log, "here")
        assert child.log.stat().st_mode & 0o077 == 0
        assert last_lines(child.log) == ["here"]
    finally:
        child.stop(((signal.SIGTERM, 5.0),))
    assert child.ended() == -signal.SIGTERM
    assert not child.record.exists()


def test_a_child_that_cannot_be_recorded_does_not_stay(tmp_path, monkeypatch):
    started = []

    def full_disk(_path, text):
        started.append(json.loads(text))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("dev.children.write_private", full_disk)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        Child.start("valkey", SLEEP, tmp_path)
    assert not Identity(started[0]["pid"], started[0]["started"]).alive


def test_a_child_that_does_not_listen_is_killed_with_its_session(tmp_path):
    child = Child.start("api", STUBBORN, tmp_path)
    _wait_for(child.log, "here")
    child.stop(((signal.SIGTERM, 0.1),))
    assert child.ended() == -signal.SIGKILL


def test_a_second_ctrl_c_skips_the_waiting(tmp_path):
    child = Child.start("api", STUBBORN, tmp_path)
    _wait_for(child.log, "here")
    child.stop(((signal.SIGTERM, 600.0),), hurry=lambda: True)
    assert child.ended() == -signal.SIGKILL
