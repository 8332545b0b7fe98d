"""podman in Docker's place, with storage, networks and socket of its own inside the scratch folder."""

import contextlib
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from dev.containers.commands import run
from dev.containers.engine import Engine, own_environment
from dev.containers.proof import Failed, Proof
from dev.containers.scratch import compose_binary
from dev.containers.stand_ins import make_stand_ins
from dev.faults import Fault
from dev.places import write_private

IMAGE = "localhost/holdfast:verify"
_LONGEST_SOCKET = 100
_PROGRAMS = (
    "podman",
    "runc",
    "mmdebstrap",
    "iptables",
    "catatonit",
    "/usr/lib/podman/netavark",
    "/usr/lib/podman/aardvark-dns",
)
_PACKAGES = (
    "podman",
    "runc",
    "netavark",
    "aardvark-dns",
    "catatonit",
    "iptables",
    "mmdebstrap",
    "debian-archive-keyring",
)

# runc, since crun refuses mixed cgroups; both limits, since podman would ask for more than root may have in a container.
_ENGINE = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/run/libpod"
volume_path = "{folder}/storage/volumes"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run/storage"
"""


@contextlib.contextmanager
def podman(folder: Path, proof: Proof) -> Iterator[Engine]:
    """podman, runc and Docker Compose on images that stand in for the official ones.

    Raises:
        Fault: where that cannot work, in one line.
    """
    proof.section("podman in Docker's place")
    _require_packages(proof)
    env = _environment(folder)
    server = folder / "podman.sock"
    if len(str(server)) > _LONGEST_SOCKET:
        raise Fault(f"{folder} is too long a name for a socket in it; name a shorter --folder")
    compose = (str(compose_binary(folder)),)
    engine = Engine(("podman",), compose, env, IMAGE, stand_ins=True)
    proof.must(
        "podman answers",
        lambda: f"version {engine('version', '--format', '{{.Client.Version}}').out.strip()}",
    )
    engine.remove_ours()
    make_stand_ins(engine, folder, proof)
    with _service(engine, server), _health_pump(engine):
        try:
            yield engine
        finally:
            engine.remove_ours()
            engine("image", "prune", "--force", check=False)


def _require_packages(proof: Proof) -> None:
    if platform.system() != "Linux" or not shutil.which("apt-get") or os.geteuid() != 0:
        raise Fault(
            "no Docker engine answers. Install and start Docker; without it this proof needs root on Debian or "
            "Ubuntu, where it installs podman by apt."
        )
    missing = [program for program in _PROGRAMS if not shutil.which(program)]
    if missing:
        proof.must(f"installed by apt: {' '.join(_PACKAGES)}", _install)


def _install() -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(("apt-get", "update", "-qq"), env=env, timeout=300)
    run(("apt-get", "install", "-y", "-qq", "--no-install-recommends", *_PACKAGES), env=env, timeout=900)


def _environment(folder: Path) -> dict[str, str]:
    for name, text in (("containers.conf", _ENGINE), ("storage.conf", _STORAGE)):
        write_private(folder / name, text.format(folder=folder))
    (folder / "networks").mkdir(exist_ok=True)
    return own_environment(
        CONTAINERS_CONF=str(folder / "containers.conf"),
        CONTAINERS_STORAGE_CONF=str(folder / "storage.conf"),
        BUILDAH_FORMAT="docker",
        # Compose would fetch a builder from an image registry; podman has one.
        DOCKER_BUILDKIT="0",
        DOCKER_HOST=f"unix://{folder / 'podman.sock'}",
    )


@contextlib.contextmanager
def _service(engine: Engine, server: Path) -> Iterator[None]:
    """podman's API, for Docker Compose."""
    server.unlink(missing_ok=True)
    with (server.parent / "service.log").open("w") as log:
        process = subprocess.Popen(
            (*engine.program, "system", "service", "--time=0", f"unix://{server}"),
            env=dict(engine.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(server, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(server: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(server))
            return
        time.sleep(0.05)
    raise Failed(f"podman's API did not come up; its words are in {server.parent / 'service.log'}")


@contextlib.contextmanager
def _health_pump(engine: Engine) -> Iterator[None]:
    """Run every container's health check again and again, as systemd's timers would."""
    over = threading.Event()

    def pump() -> None:
        while not over.wait(0.5):
            with contextlib.suppress(Failed):
                for container in engine("ps", "--quiet", check=False).out.split():
                    engine("healthcheck", "run", container, check=False)

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
