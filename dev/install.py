"""Makes `.venv` with the locked, hashed dependencies; does nothing when that is already so.

Needs the standard library alone. A stamp inside `.venv` says what it holds: the lock file's hash, the Python
and the path. An installation that was interrupted is made anew from an empty folder.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from dev.faults import Fault, finish
from dev.places import ROOT

VENV = ROOT / ".venv"
LOCK = ROOT / "requirements-dev.txt"
STAMP = VENV / "holdfast-stamp"
UNFINISHED = VENV / "holdfast-unfinished"
MUTEX = VENV / "holdfast-lock"
THIS_PYTHON = "--this-python"
PIP_LOG = VENV / "holdfast-pip.log"

_NO_NETWORK = re.compile(
    r"name resolution|NewConnectionError|Network is unreachable|ConnectTimeout|ReadTimeout|[Tt]imed out"
    r"|Connection refused|Connection reset|Failed to resolve|nodename nor servname|ProxyError|Max retries"
    r"|No matching distribution found"
)
_NO_VENV = "Python's venv module is missing. On Debian and Ubuntu: sudo apt install python3-venv; then run make again."


class Progress:
    """One line that says what is happening: rewritten in place in a terminal, told once a stage elsewhere."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._stage = ""

    def show(self, stage: str, detail: str = "") -> None:
        if self.live:
            line = f"  {stage} {detail} ({time.monotonic() - self.began:.0f} s)"
            print(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        elif stage != self._stage:
            print(f"  {stage} ...", flush=True)
        self._stage = stage

    def clear(self) -> None:
        if self.live:
            print("\r\033[K", end="", flush=True)

    def done(self, text: str) -> None:
        self.clear()
        print(f"  {text} ({time.monotonic() - self.began:.0f} s)", flush=True)


def stamp() -> str:
    """What `.venv` is when all that the lock file names is in it."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    # Which Python it links to, not which one runs us: two terminals may well differ in that.
    return f"{digest}\n{(VENV / 'bin' / 'python').resolve()}\n{VENV.resolve()}\n"


def up_to_date() -> bool:
    return not UNFINISHED.exists() and _read(STAMP) == stamp() and not _other_python_asked()


def _other_python_asked() -> bool:
    """Whether the person named a Python (`make PYTHON=...`) and `.venv` has one of another release."""
    made_with = re.search(r"(?m)^version(?:_info)? = (\d+\.\d+)", _read(VENV / "pyvenv.cfg"))
    release = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return THIS_PYTHON in sys.argv and made_with is not None and made_with[1] != release


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def usable() -> bool:
    """Whether `.venv` can be brought up to date in place: whole, made at this path, of a Python that is still there."""
    python = VENV / "bin" / "python"
    if UNFINISHED.exists() or not python.exists() or _other_python_asked():
        return False
    was = _read(STAMP)
    # Scripts in it name its path in their first line, so one that was copied along with the folder is useless.
    if was and was.split("\n")[1:] != stamp().split("\n")[1:]:
        return False
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def make_venv(progress: Progress) -> None:
    """Make an empty environment in place of whatever is there.

    Raises:
        Fault: when Python came without what that needs.
    """
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise Fault(_NO_VENV)
    progress.show(f"making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}")
    for entry in VENV.iterdir():
        if entry in {MUTEX, UNFINISHED}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    made = subprocess.run(
        [sys.executable, "-m", "venv", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if made.returncode:
        if "ensurepip" in made.stdout:
            raise Fault(_NO_VENV)
        raise Fault(f"the environment .venv cannot be made: {' '.join(made.stdout.split())[-300:]}")


def install(progress: Progress, mutex: int) -> None:
    """Install the lock file; pip's words go to a log, and to the person only when it fails in its own way.

    Raises:
        Fault: in one line, the network and a full disk told apart.
    """
    # pip holds the lock too: should we be killed, the next make waits until our pip is gone.
    total = len(re.findall(r"(?m)^[A-Za-z0-9]", _read(LOCK)))
    # The lock is complete and universal, so pip has nothing to resolve. Compiling comes after it, on all cores.
    options = (
        "--require-hashes",
        "--no-deps",
        "--no-compile",
        "--no-input",
        "--progress-bar",
        "off",
        "--retries",
        "2",
    )
    command: list[str | Path] = [
        VENV / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        *options,
        "-r",
        LOCK,
    ]
    words: list[str] = []
    seen = 0
    with (
        PIP_LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=ROOT,
            pass_fds=(mutex,),
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        ) as pip,
    ):
        progress.show("fetching the dependencies")
        for line in pip.stdout or ():
            log.write(line)
            words.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                seen += 1
                progress.show("fetching the dependencies", f"{min(seen, total)} of {total}")
            elif line.startswith("Installing collected"):
                progress.show("installing the dependencies")
    if pip.returncode:
        progress.clear()
        _explain(words, pip.returncode)
    progress.show("compiling the dependencies")
    # Some packages carry files for other Pythons, which do not compile; nobody imports those here.
    compile_all: tuple[str | Path, ...] = (
        "-m",
        "compileall",
        "-qq",
        "-j",
        "0",
        *VENV.glob("lib/python*/site-packages"),
    )
    subprocess.run([VENV / "bin" / "python", *compile_all], capture_output=True, check=False)


def _explain(words: list[str], code: int) -> None:
    if any("No space left" in line for line in words):
        raise Fault(f"the disk is full: the dependencies need about 600 MB in {VENV}")
    if any(_NO_NETWORK.search(line) for line in words):
        raise Fault(
            "the package index cannot be reached, or lacks a package. Check the network (and pip's settings for "
            f"index, proxy and certificates), then run make again. All that pip said: {PIP_LOG}"
        )
    for line in [line for line in words if line and not line.startswith("WARNING")][-12:]:
        print(f"  pip: {line}", file=sys.stderr)
    raise Fault(f"pip could not install the dependencies (exit code {code}); all that it said: {PIP_LOG}")


@contextlib.contextmanager
def _alone(progress: Progress) -> Iterator[int]:
    """Let one make at a time work on the environment."""
    VENV.mkdir(exist_ok=True)
    with MUTEX.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.show("waiting for another make that installs")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def bring_up_to_date() -> int:
    """Make `.venv` what the lock file says.

    Raises:
        Fault: one line for the person.
    """
    if up_to_date():
        return 0
    progress = Progress()
    try:
        with _alone(progress) as mutex:
            if up_to_date():
                return 0
            fresh = not usable()
            UNFINISHED.touch()
            if fresh:
                make_venv(progress)
            install(progress, mutex)
            STAMP.write_text(stamp(), encoding="utf-8")
            UNFINISHED.unlink()
    except OSError as error:
        raise Fault(
            f"cannot write to {error.filename or VENV}: {error.strerror or error}. "
            "Give your user the project folder, or copy it to one of yours."
        ) from None
    finally:
        progress.clear()
    progress.done("dependencies installed in .venv")
    return 0


def main() -> int:
    code = finish(bring_up_to_date)
    if code == 130:
        print("\nholdfast: stopped; the next make begins the installation again", file=sys.stderr)
    return code
