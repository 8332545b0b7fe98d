"""`make test-clients`: the API as its clients see it. Needs Node, npm and Chromium, and says what to install."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dev.engines import engines_for_tests
from dev.faults import Fault, finish
from dev.places import ROOT
from dev.terminal import say

TESTS = ROOT / "tests" / "clients"
CLIENT = ROOT / "clients" / "typescript"
OLDEST_NODE = 20
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def browser() -> str | None:
    """The program that CHROMIUM names, else the Chromium or Chrome of this machine."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return found or next((path for path in _MAC_BROWSERS if Path(path).exists()), None)


def missing_tools() -> list[str]:
    """What must be installed first, each with how."""
    missing = missing_node()
    if not browser():
        missing.append("Chromium or Chrome (Debian: apt install chromium; or set CHROMIUM=/path/to/it)")
    return missing


def missing_node() -> list[str]:
    """What of Node must be installed first, each with how."""
    missing = []
    node = shutil.which("node")
    told = (
        subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if node
        else ""
    )
    version = re.match(r"v(\d+)\.", told)
    if not version:
        missing.append(f"Node {OLDEST_NODE} or later (nodejs.org; Debian: apt install nodejs npm)")
    elif int(version[1]) < OLDEST_NODE:
        missing.append(f"Node {OLDEST_NODE} or later (nodejs.org); this is {told.strip()}")
    if not shutil.which("npm"):
        missing.append("npm (comes with Node; Debian: apt install npm)")
    return missing


def install_packages(folder: Path = TESTS) -> None:
    """Install what a folder's `package-lock.json` says, unless that is already there.

    Raises:
        Fault: when npm fails; its words are shown.
    """
    lock = folder / "package-lock.json"
    stamp = folder / "node_modules" / ".holdfast-stamp"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    name = folder.relative_to(ROOT)
    say(f"  installing the npm packages of {name} ...")
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print("\n".join(f"  npm: {line}" for line in done.stdout.splitlines()[-12:]), file=sys.stderr)
        raise Fault(f"npm could not install the packages of {name}; its words are above")
    stamp.write_text(wanted, encoding="utf-8")


def clients() -> int:
    """Check the tools, install the packages, run `pytest tests/clients`.

    Raises:
        Fault: when a tool is missing, in one line that names all of them.
    """
    missing = missing_tools()
    if missing:
        raise Fault(f"make test-clients needs, and this machine lacks: {'; '.join(missing)}")
    install_packages()
    install_packages(CLIENT)
    with engines_for_tests():
        # Everything is there, so a test that would skip itself for want of a tool must not.
        env = {
            **os.environ,
            "CHROMIUM": browser() or "",
            "HOLDFAST_CLIENT_TESTS": "1",
            "HOLDFAST_ENV_FILE": os.devnull,
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", TESTS, *sys.argv[1:]], cwd=ROOT, env=env, check=False
        )
        return done.returncode


if __name__ == "__main__":
    sys.exit(finish(clients))
