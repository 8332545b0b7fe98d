"""What the launcher does when one of its processes, or the person, ends things."""

import signal
import sys

import pytest

from dev.engine_state import EngineState
from dev.faults import Fault, Stopped
from dev.launcher import Launcher
from dev.valkey import ValkeyServer

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
FAIL = [sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)"]


@pytest.fixture
def launcher(tmp_path):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_process_that_dies_is_named_with_its_last_words(launcher, capsys):
    launcher.start("api", SLEEP, {})
    launcher.start("worker", FAIL, {})
    with pytest.raises(
        Fault, match=r"the worker process ended with exit code 3; all of its log: .*worker\.log"
    ):
        launcher.watch()
    assert "  worker  what went wrong" in capsys.readouterr().out


def test_a_process_that_is_killed_is_told_as_such(launcher):
    child = launcher.start("api", SLEEP, {})
    child.process.kill()
    with pytest.raises(Fault, match="the api process was killed by SIGKILL"):
        launcher.watch()


def test_valkey_may_end_and_comes_back(launcher, monkeypatch, capsys):
    """The service does without it; who stops it by hand sees how."""
    monkeypatch.setattr("dev.launcher._WITHOUT_VALKEY", 0.0)
    valkey = ValkeyServer(launcher.home, EngineState.load(launcher.home), throwaway=True)
    launcher.engine(valkey)
    first = valkey.child
    first.process.kill()
    first.process.wait(10)
    for _look in range(2):
        launcher.check_alive()
        launcher._mind_valkey()
    assert valkey.child.ended() is None
    assert "valkey ended; the service goes on without it" in capsys.readouterr().out


def test_everything_is_ended_when_one_is_gone(launcher):
    api, worker = launcher.start("api", SLEEP, {}), launcher.start("worker", SLEEP, {})
    launcher.close()
    assert api.ended() == worker.ended() == -signal.SIGTERM


def test_ctrl_c_is_heard_where_the_story_waits(launcher):
    launcher.start("api", SLEEP, {})
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(Stopped):
        launcher.watch()
    with pytest.raises(Stopped):
        launcher.finish("a command", SLEEP, {})


def test_a_command_that_fails_shows_what_it_said(launcher, capsys):
    with pytest.raises(Fault, match="a command failed with exit code 3"):
        launcher.finish("a command", FAIL, {})
    assert "  command  what went wrong" in capsys.readouterr().out


def test_only_the_last_words_of_this_start_are_shown(launcher, capsys):
    (launcher.home / "log").mkdir()
    (launcher.home / "log" / "command.log").write_text("of yesterday\n")
    with pytest.raises(Fault):
        launcher.finish("a command", FAIL, {})
    assert "of yesterday" not in capsys.readouterr().out
