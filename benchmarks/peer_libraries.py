"""What the peers need, installed in a folder of `var/`: a virtual environment each, or the packages of npm, all of them locked."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dev.clients import missing_node
from dev.faults import Fault
from dev.places import make_private
from dev.terminal import say

PEERS = Path(__file__).parent / "peers"
STAMP = "holdfast-stamp"
LOCKS = ("requirements.txt", "package-lock.json")
PRISMA = "schema.prisma"


class Libraries:
    """Installed once; again when a lock file changes.

    Args:
        home: the folder for all of them.
    """

    def __init__(self, home: Path) -> None:
        self._home = home

    def folder(self, peer: str) -> Path:
        """Where a peer's libraries are: `bin` of an environment, or `node_modules` beside its files."""
        return self._home / peer

    def install(self, peer: str) -> None:
        """Install what the lock file of that folder names, unless it is there.

        Raises:
            Fault: Node is missing, or a program failed; its last words are told.
        """
        source, target = PEERS / peer, self.folder(peer)
        wanted = stamp(source)
        if (target / STAMP).exists() and (target / STAMP).read_text(encoding="utf-8") == wanted:
            return
        say(f"  installing the libraries of the peer {peer} ...")
        shutil.rmtree(target, ignore_errors=True)
        make_private(target)
        if (source / "package.json").exists():
            self._npm(source, target)
        else:
            self._pip(source, target)
        (target / STAMP).write_text(wanted, encoding="utf-8")

    def versions(self, peer: str) -> dict[str, str]:
        """Of what its own list names, from the lock."""
        source = PEERS / peer
        if (source / "package.json").exists():
            pattern, text = (
                r'"([\w@/.-]+)": "(\d[\w.]*)"',
                (source / "package.json").read_text(encoding="utf-8"),
            )
            node = subprocess.run(
                ["node", "--version"], capture_output=True, text=True, check=False
            ).stdout.strip()
            return {"node": node, **dict(re.findall(pattern, text))}
        asked = (source / "requirements.in").read_text(encoding="utf-8").splitlines()
        names = {re.split(r"[\[=<>]", line)[0].lower() for line in asked if line}
        locked = re.findall(
            r"(?m)^([\w.-]+)==([\w.]+)", (source / "requirements.txt").read_text(encoding="utf-8")
        )
        return {name: version for name, version in locked if name.lower() in names}

    def _pip(self, source: Path, target: Path) -> None:
        told([sys.executable, "-m", "venv", target], source)
        options = ("--disable-pip-version-check", "--no-input", "--quiet", "--require-hashes", "--no-deps")
        told(
            [target / "bin" / "python", "-m", "pip", "install", *options, "-r", source / "requirements.txt"],
            source,
        )

    def _npm(self, source: Path, target: Path) -> None:
        if missing := missing_node():
            raise Fault(
                f"the peers on Express need, and this machine lacks: {'; '.join(missing)}. Or leave them out: --targets"
            )
        for file in source.iterdir():
            if file.is_file():
                shutil.copy(file, target)
        told(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], target)
        if (target / PRISMA).exists():
            # The client is made of the schema alone; its program would fetch an engine for migrations unless it has one.
            env = {"PRISMA_SCHEMA_ENGINE_BINARY": shutil.which("true") or "", "CHECKPOINT_DISABLE": "1"}
            told(
                [target / "node_modules" / ".bin" / "prisma", "generate", "--schema", target / PRISMA],
                target,
                env,
            )


def stamp(source: Path) -> str:
    """What a folder's libraries are when all that its lock names is there, for this Python."""
    digest = hashlib.sha256(sys.version.encode() + str(sys.prefix).encode())
    for file in sorted(source.rglob("*")):
        if file.name in LOCKS or file.suffix in {".js", ".prisma"}:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def told(command: list[str | Path], folder: Path, env: dict[str, str] | None = None) -> None:
    """Run it.

    Raises:
        Fault: it failed.
    """
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = " | ".join(done.stdout.strip().splitlines()[-6:])
        raise Fault(f"{Path(command[0]).name} could not install the libraries of a peer: {last}")
