"""Files in the compose stack: taken in by the API, made small by the worker, kept in the volume that both share."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from dev.containers.engine import Engine
from dev.containers.proof import Proof, expect
from dev.containers.web import ask, fetch, must, send_file, until

_VOLUME = "/var/lib/holdfast/files"
_SIZE = (2400, 1600)
_SMALL = (256, 171)
# In memory lie the counters of gunicorn's processes, and for moments what a picture is made of: nothing of it may stay.
_LEFTOVERS = "find /tmp -type f ! -name '*.db'"
_OTHERS_MAY = f"find {_VOLUME} -type f ! -user 10001 -o -type f -perm /077"


@dataclass
class KeptFile:
    """What was uploaded, and what must be found again.

    Attributes:
        url: of the file in the API.
        digest: SHA-256 of its bytes.
        thumbnail: SHA-256 of its small picture.
    """

    url: str = ""
    digest: str = ""
    thumbnail: str = ""


def prove_files(
    engine: Engine, container: Callable[[str], str], project: str, token: str, proof: Proof
) -> KeptFile:
    """Upload a photo, see it made small, and look at where it lies.

    Args:
        project: address of a project in the API.
        token: of somebody who may upload to it.

    Returns:
        The file, for whoever looks for it later.

    Raises:
        Failed: when it was not taken in.
    """
    kept = KeptFile()
    proof.must("a photo is uploaded and comes back as it was", lambda: _there_and_back(project, token, kept))
    proof.step("the worker makes a small picture of it", lambda: _made_small(kept, token))
    proof.step(
        "its bytes lie in the volume for the service's user alone, and none in /tmp",
        lambda: _in_its_place(engine, container),
    )
    return kept


def still_there(kept: KeptFile, token: str) -> None:
    """Find the file and its small picture again.

    Raises:
        Failed: when either is not what it was.
    """
    file = must(200, ask("GET", kept.url, token=token))
    expect(_digest(fetch(f"{kept.url}/content", token)) == kept.digest, "the file is another")
    expect(_digest(fetch(file["thumbnail_url"])) == kept.thumbnail, "the small picture is another")


def _there_and_back(project: str, token: str, kept: KeptFile) -> str:
    out = io.BytesIO()
    Image.effect_noise(_SIZE, 60).convert("RGB").save(out, "JPEG", quality=90)
    file = must(201, send_file(f"{project}/files", "reef.jpg", "image/jpeg", out.getvalue(), token))
    kept.url, kept.digest = f"{project}/files/{file['id']}", _digest(out.getvalue())
    expect(file["sha256"] == kept.digest, f"the API says {file}")
    expect(_digest(fetch(f"{kept.url}/content", token)) == kept.digest, "it came back changed")
    return f"{len(out.getvalue())} bytes"


def _made_small(kept: KeptFile, token: str) -> str:
    def ready() -> Any:
        file = must(200, ask("GET", kept.url, token=token))
        return None if file["state"] == "processing" else file

    file = until("the worker is done with it", ready)
    expect(file["state"] == "ready", f"it is {file}")
    small = fetch(file["thumbnail_url"])
    with Image.open(io.BytesIO(small)) as picture:
        picture.load()
        expect(picture.size == _SMALL, f"it is {picture.size} large")
        told = f"{picture.format} of {picture.width} x {picture.height}, {len(small)} bytes"
    kept.thumbnail = _digest(small)
    return told


def _in_its_place(engine: Engine, container: Callable[[str], str]) -> str:
    for service in ("api", "worker"):
        left = engine("exec", container(service), "sh", "-c", _LEFTOVERS).out.split()
        expect(not left, f"{service} left {left}")
    api = container("api")
    open_ones = engine("exec", api, "sh", "-c", _OTHERS_MAY).out.split()
    expect(not open_ones, f"others may read {open_ones}")
    found = engine("exec", api, "find", _VOLUME, "-type", "f").out.split()
    expect(found, "nothing is in the volume")
    return f"{len(found)} objects"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
