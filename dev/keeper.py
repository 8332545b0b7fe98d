"""Keeps throwaway engines for another process: `python -m dev.keeper postgres valkey`.

Prints one JSON line, the URL of each engine or a fault, and ends them when its standard input ends, which the
kernel sees to when the other process is killed. Should the keeper itself be killed, the next one tidies up.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from dev.children import end_orphans
from dev.engine_state import EngineState
from dev.faults import Fault, Stopped
from dev.identity import Identity
from dev.places import write_private
from dev.postgres import PostgresServer
from dev.postgres_home import moved_home
from dev.valkey import ValkeyServer

_PREFIX = "holdfast-engines-"
_GRACE = 300.0
_ENGINES: dict[str, type[PostgresServer | ValkeyServer]] = {
    "postgres": PostgresServer,
    "valkey": ValkeyServer,
}


def _reap(base: Path) -> None:
    """End and remove what a killed keeper of this user left behind."""
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            about = folder.lstat()
            if about.st_uid != os.geteuid() or folder.is_symlink() or not folder.is_dir():
                continue
            try:
                told = json.loads((folder / "keeper.json").read_text(encoding="utf-8"))
                keeper_alive = Identity(int(told["pid"]), str(told["started"])).alive
            except (OSError, ValueError, KeyError, TypeError):
                keeper_alive = time.time() - about.st_mtime < _GRACE
            if not keeper_alive:
                end_orphans(folder)
                for leftover in (moved_home(folder), folder):
                    shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            continue


def _engine(name: str) -> type[PostgresServer | ValkeyServer]:
    if name not in _ENGINES:
        raise Fault(f"no engine is called {name}")
    return _ENGINES[name]


def _stop(_number: int, _frame: object) -> None:
    raise Stopped


def keep(names: list[str]) -> int:
    """Start the engines, tell their URLs, wait for the end of standard input, end them."""
    base = Path(tempfile.gettempdir())
    _reap(base)
    home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    me = Identity.of(os.getpid())
    if me:
        write_private(home / "keeper.json", json.dumps({"pid": me.pid, "started": me.started}))
    servers: list[PostgresServer | ValkeyServer] = []
    try:
        state = EngineState.load(home)
        urls = {}
        for name in names:
            server = _engine(name)(home, state, throwaway=True)
            servers.append(server)
            server.start()
            urls[name] = server.admin_url if isinstance(server, PostgresServer) else server.url
        print(json.dumps(urls), flush=True)
        sys.stdin.buffer.read()
    except (Fault, OSError) as error:
        print(json.dumps({"fault": str(error)}), flush=True)
        return 1
    except (Stopped, KeyboardInterrupt):
        return 130
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for server in reversed(servers):
            server.stop()
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    for wanted in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, _stop)
    sys.exit(keep(sys.argv[1:]))
