"""Too old a Python, a half-made environment, no network: one sentence each."""

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dev import install
from dev.faults import Fault
from dev.places import ROOT

BOOTSTRAP = ROOT / "dev" / "bootstrap.py"
AS_IF_OLD = f"""
import runpy, sys
sys.version_info = (3, 8, 18, "final", 0)
sys.argv = [{str(BOOTSTRAP)!r}]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def bootstrap_as_if_old(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AS_IF_OLD],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def fake_python(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_an_old_python_can_read_it():
    ast.parse(BOOTSTRAP.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_too_old_a_python_is_told_in_one_line(tmp_path):
    done = bootstrap_as_if_old(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Python 3.11 or later is needed, and this is 3.8" in done.stderr


def test_a_newer_python_on_the_path_takes_over_and_a_placeholder_does_not(tmp_path):
    fake_python(tmp_path, "python3.13", "exit 127")
    fake_python(tmp_path, "python3.12", 'test "$1" = -c || echo "took over: $1"')
    done = bootstrap_as_if_old(tmp_path)
    assert done.returncode == 0
    assert done.stdout == f"took over: {BOOTSTRAP}\n"


@pytest.fixture
def venv(tmp_path, monkeypatch):
    """A folder in the place of `.venv`, with the Python that runs the tests."""
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    lock = tmp_path / "requirements-dev.txt"
    lock.write_text("flask==1\n")
    monkeypatch.setattr(install, "VENV", folder)
    monkeypatch.setattr(install, "LOCK", lock)
    for name in ("STAMP", "UNFINISHED", "MUTEX", "PIP_LOG"):
        monkeypatch.setattr(install, name, folder / getattr(install, name).name)
    return folder


def test_a_stamped_environment_is_left_alone(venv, capfd):
    install.STAMP.write_text(install.stamp())
    assert install.main() == 0
    assert capfd.readouterr() == ("", "")


def test_a_changed_lock_is_installed_in_place(venv):
    install.STAMP.write_text(install.stamp())
    assert install.up_to_date()
    install.LOCK.write_text("flask==2\n")
    assert not install.up_to_date()
    assert install.usable()


def test_a_moved_a_half_made_or_an_orphaned_environment_is_made_anew(venv, tmp_path):
    whole = install.stamp()
    install.STAMP.write_text(whole.replace(str(venv), "/elsewhere/.venv"))
    assert not install.up_to_date()
    assert not install.usable()

    install.STAMP.write_text(whole)
    install.UNFINISHED.touch()
    assert not install.up_to_date()
    assert not install.usable()

    install.UNFINISHED.unlink()
    assert install.up_to_date()
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to(tmp_path / "removed")
    assert not install.up_to_date()
    assert not install.usable()


def test_another_python_counts_only_when_it_is_asked_for(venv, monkeypatch):
    install.STAMP.write_text(install.stamp())
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.10.1\n")
    assert install.up_to_date()
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", install.THIS_PYTHON])
    assert not install.up_to_date()
    assert not install.usable()


def test_a_python_without_venv_is_told_what_to_install(venv, monkeypatch):
    monkeypatch.setattr(install, "find_spec", lambda name: None)
    with pytest.raises(Fault, match="apt install python3-venv"):
        install.make_venv(install.Progress())


def test_no_network_is_one_line_and_an_interrupted_installation_is_remembered(venv, monkeypatch, capfd):
    # A real pip, and an index where nobody listens.
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv(
        "PIP_BREAK_SYSTEM_PACKAGES", "1"
    )  # the pip of a system that keeps its own packages from us
    install.LOCK.write_text(f"holdfast-nowhere==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(install, "usable", lambda: True)
    assert install.main() == 1
    words = capfd.readouterr()
    assert words.err.count("\n") == 1
    assert "the package index cannot be reached" in words.err
    assert "pip:" not in words.err
    assert install.UNFINISHED.exists()


def test_other_faults_of_pip_show_its_own_words(capfd):
    with pytest.raises(Fault, match="exit code 1"):
        install._explain(["Collecting flask", "WARNING: noise", "ERROR: hashes do not match"], 1)
    assert capfd.readouterr().err == "  pip: Collecting flask\n  pip: ERROR: hashes do not match\n"
