"""`make verify-containers`: build the image and run the compose stack for real, and say what held.

With a Docker engine it uses that and the official images. Without one, and as root on Debian or Ubuntu, it installs
podman, makes images that stand in for the official ones, and says so.

    make verify-containers ARGS="--folder /big/disk/scratch --fresh"
"""

import argparse
import shutil
import signal
import sys
from pathlib import Path

from dev.containers.docker import docker, is_there
from dev.containers.image import prove_image
from dev.containers.podman import podman
from dev.containers.production import prove_production
from dev.containers.proof import Failed, Proof
from dev.containers.scratch import default_folder, opened
from dev.containers.stack import prove_stack
from dev.faults import finish, tell


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="verify-containers", description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        default=default_folder(),
        help="scratch folder, kept for the next run (%(default)s)",
    )
    parser.add_argument("--fresh", action="store_true", help="begin with an empty scratch folder")
    return parser.parse_args()


def verify() -> int:
    """Run the proof.

    Returns:
        0 when every check held.

    Raises:
        Fault: when this machine cannot run it, in one line.
    """
    chosen = options()
    # A polite end takes everything away, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    proof = Proof()
    with opened(chosen.folder.absolute()) as folder:
        if chosen.fresh:
            _empty(folder)
        engines = docker if is_there() else podman
        try:
            with engines(folder, proof) as engine:
                prove_image(engine, proof)
                prove_production(engine, folder, proof)
                prove_stack(engine, folder, proof)
        except Failed as failure:
            if str(failure) not in proof.failed:
                proof.failed.append(str(failure))
        print(f"\n  Scratch folder, kept for the next run: {folder}")
    return proof.summary()


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


if __name__ == "__main__":
    try:
        sys.exit(finish(verify))
    except KeyboardInterrupt:
        tell("\nholdfast: stopped; its containers are removed, the scratch folder is kept")
        sys.exit(130)
