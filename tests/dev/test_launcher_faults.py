"""What is in the way is told in one line, and the exit code is not 0."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from dev.address import Address, lan_addresses
from dev.faults import Fault
from dev.places import ROOT

HOLD_LOCK = """
import sys, time
from pathlib import Path
from dev.lock import only_one
with only_one(Path(sys.argv[1]), "http://127.0.0.1:8000"):
    print("held", flush=True)
    time.sleep(600)
"""


def launch(home, **env):
    """Run the launcher to its end; its exit code and what it says on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "dev.run"],
        cwd=ROOT,
        env={**os.environ, "HOLDFAST_VAR": str(home), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_a_way_out(tmp_path, taken):
    code, words = launch(tmp_path, PORT=str(taken))
    assert code == 1
    assert f"port {taken} on 127.0.0.1 is taken" in words
    assert "make run PORT=" in words


def test_a_port_taken_on_this_machine_is_taken_for_every_address_too(taken):
    with pytest.raises(Fault, match=f"port {taken} on 0.0.0.0 is taken"):
        Address("0.0.0.0", taken).require_free()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "٨٠٨٠"])
def test_what_is_no_port_is_refused(tmp_path, port):
    code, words = launch(tmp_path, PORT=port)
    assert code == 1
    assert f"PORT={port} is not a port" in words


def test_what_is_no_address_of_this_machine_is_refused(tmp_path):
    code, words = launch(tmp_path, HOST="192.0.2.77")
    assert code == 1
    assert "HOST=192.0.2.77 is no address of this machine" in words


def test_a_second_launcher_is_told_of_the_first_and_a_killed_one_leaves_no_lock(tmp_path):
    command = [sys.executable, "-c", HOLD_LOCK, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert first.stdout.readline() == b"held\n"
        code, words = launch(tmp_path)
        assert code == 1
        assert f"already runs from this folder (process {first.pid}, http://127.0.0.1:8000)" in words
        first.send_signal(signal.SIGKILL)
    code, words = launch(tmp_path, PORT="none")
    assert "already runs" not in words


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    # A file in the way fails for root as well, whom rights do not stop.
    (tmp_path / "file").touch()
    code, words = launch(tmp_path / "file" / "var")
    assert code == 1
    assert f"cannot write to {tmp_path / 'file' / 'var'}" in words
    assert "HOLDFAST_VAR" in words


def test_data_without_their_keys_are_not_touched(tmp_path):
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("18\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code, words = launch(tmp_path, PORT=str(port))
    assert code == 1
    assert "secrets.env is missing" in words
    assert "make clean-data" in words


class TestAddress:
    def test_a_laptop_alone_by_default(self, monkeypatch):
        monkeypatch.delenv("HOST", raising=False)
        monkeypatch.delenv("PORT", raising=False)
        address = Address.chosen()
        assert (address.host, address.port, address.lan) == ("127.0.0.1", 8000, ())
        assert address.public_url == address.local_url == "http://127.0.0.1:8000"
        assert address.trusted_hosts == address.origins == ()

    def test_phones_and_emulators_are_let_in_when_asked(self):
        address = Address("0.0.0.0", 8123, ("192.168.1.5", "10.1.1.1"))
        assert address.public_url == "http://192.168.1.5:8123"
        assert address.local_url == "http://127.0.0.1:8123"
        assert {"localhost", "127.0.0.1", "192.168.1.5", "10.1.1.1", "10.0.2.2"} <= set(address.trusted_hosts)
        assert {"http://192.168.1.5:8123", "http://10.0.2.2:8123", "http://192.168.1.5:5173"} <= set(
            address.origins
        )

    def test_no_loopback_address_is_told_to_phones(self):
        assert not [address for address in lan_addresses() if address.startswith("127.")]
