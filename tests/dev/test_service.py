"""The service on throwaway engines: what a killed run leaves behind is ended by the next one."""

import json
import signal
import subprocess
import sys

from dev.children import Child
from dev.identity import Identity
from dev.service import _claim, _reap

FOREVER = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_a_killed_runs_processes_and_folder_go(tmp_path):
    left, lives = tmp_path / "holdfast-service-left", tmp_path / "holdfast-service-lives"
    orphan, other = Child.start("api", FOREVER, left), Child.start("api", FOREVER, lives)
    try:
        _claim(lives)
        (left / "owner.json").write_text(json.dumps(dead_process()))
        _reap(tmp_path)
        assert orphan.process.wait(10) != 0
        assert not left.exists()
        assert other.ended() is None
        assert lives.exists()
    finally:
        for child in (orphan, other):
            child.stop(((signal.SIGKILL, 5.0),))


def test_a_folder_that_tells_nothing_is_left_alone(tmp_path):
    (tmp_path / "holdfast-service-odd").mkdir()
    _reap(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holdfast-service-odd"]


def dead_process():
    with subprocess.Popen(FOREVER) as process:
        identity = Identity.of(process.pid)
        process.kill()
    return {"pid": identity.pid, "started": identity.started}
