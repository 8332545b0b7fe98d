"""Images that stand in for the official ones where no image registry can be reached; made once and kept."""

import configparser
import contextlib
import io
import os
import shutil
import ssl
import sys
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from dev.containers.commands import run
from dev.containers.engine import Engine
from dev.containers.proof import Failed, Proof

SOURCES = Path(__file__).parent / "images"
DEBIAN_PYTHON = "localhost/holdfast-verify/debian-python:13"
_INCLUDED = "ca-certificates,python3,python3-pip,python3-venv,netbase,tzdata"
_INDEX_SETTINGS = ("index-url", "extra-index-url")

# The name that Dockerfile and compose file ask for, the recipe, and what is in it in truth.
STAND_INS = (
    ("docker.io/library/python:3.13-slim", "base.Dockerfile", "Debian 13 with its Python 3.13"),
    ("docker.io/library/postgres:17", "postgres.Dockerfile", "Debian 13 with its PostgreSQL 17"),
    ("docker.io/library/redis:7", "redis.Dockerfile", "Debian 13 with its Redis 8"),
    ("docker.io/axllent/mailpit:v1.27", "mailpit.Dockerfile", "an SMTP sink that answers like mailpit's API"),
)


def make_stand_ins(engine: Engine, folder: Path, proof: Proof) -> None:
    """Build what is missing, and say of each image what it is made of."""
    context = folder / "context"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(SOURCES, context)
    shutil.copy(_certificates(), context / "ca.crt")
    (context / "pip.conf").write_text(_pip_settings(), encoding="utf-8")
    proof.note(
        "no Docker engine: podman and runc run the containers, and images stand in for the official ones"
    )
    proof.must("Debian 13 with Python", lambda: _debian(engine, folder))
    for name, recipe, contents in STAND_INS:
        proof.must(name, partial(_build, engine, context, name, recipe))
        proof.note(f"{name.removeprefix('docker.io/').removeprefix('library/')} is {contents}")


def _debian(engine: Engine, folder: Path) -> str:
    if engine("image", "exists", DEBIAN_PYTHON, check=False).code == 0:
        return "kept from an earlier run"
    archive = folder / "debian.tar"
    options = ("--variant=minbase", f"--include={_INCLUDED}")
    run(("mmdebstrap", "--quiet", *options, "trixie", archive), timeout=900)
    engine("import", "--quiet", str(archive), DEBIAN_PYTHON, timeout=300)
    archive.unlink()
    return "made by mmdebstrap"


def _build(engine: Engine, context: Path, name: str, recipe: str) -> None:
    engine(
        "build", "--format=docker", "--file", str(context / recipe), "--tag", name, str(context), timeout=900
    )


def _certificates() -> Path:
    """The certificate authorities of this machine, which pip inside must trust as pip outside does.

    Raises:
        Failed: when none are found.
    """
    known = ssl.get_default_verify_paths()
    for found in (os.environ.get("SSL_CERT_FILE"), known.cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if found and Path(found).is_file():
            return Path(found)
    raise Failed("no file of certificate authorities; install ca-certificates")


def _pip_settings() -> str:
    """Pip's settings inside: this machine's package index, when one is set and it is not a folder."""
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    settings.set("global", "cert", "/etc/ssl/certs/ca-certificates.crt")
    for name in _INDEX_SETTINGS:
        told = run((sys.executable, "-m", "pip", "config", "get", f"global.{name}"), check=False).out.strip()
        urls = (os.environ.get(f"PIP_{name.upper().replace('-', '_')}") or told).split()
        served = [url for url in urls if urlsplit(url).scheme in {"http", "https"}]
        if served:
            settings.set("global", name, " ".join(served))
    text = io.StringIO()
    with contextlib.closing(text):
        settings.write(text)
        return text.getvalue()
