"""A real Docker, where there is one."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from dev.containers.commands import run
from dev.containers.engine import Engine, own_environment
from dev.containers.proof import Proof
from dev.containers.scratch import compose_binary

IMAGE = "holdfast:verify"


def is_there() -> bool:
    """Whether a Docker engine answers."""
    return bool(shutil.which("docker")) and run(("docker", "info"), check=False, timeout=30).code == 0


@contextlib.contextmanager
def docker(folder: Path, proof: Proof) -> Iterator[Engine]:
    """The machine's Docker with the official images; our image is taken away again at the end."""
    proof.section("Docker")
    compose: tuple[str, ...] = ("docker", "compose")
    if run((*compose, "version"), check=False).code:
        compose = (str(compose_binary(folder)),)
        proof.note("the docker command has no compose plugin; Docker Compose comes from the package index")
    engine = Engine(("docker",), compose, own_environment(), IMAGE, stand_ins=False)
    proof.must(
        "Docker answers",
        lambda: f"version {engine('version', '--format', '{{.Server.Version}}').out.strip()}",
    )
    engine.remove_ours()
    try:
        yield engine
    finally:
        engine.remove_ours()
        engine("image", "rm", IMAGE, check=False)
