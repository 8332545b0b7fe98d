"""What the engines must be told again at the next start: ports and passwords, in `var/engines.json` (0600)."""

import json
import secrets
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from dev.faults import Fault
from dev.places import write_private

LOOPBACK = "127.0.0.1"


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class EngineState:
    """Ports (0: not chosen yet) and passwords of the engines in one folder."""

    postgres_port: int = 0
    valkey_port: int = 0
    admin_password: str = field(default_factory=_password)
    owner_password: str = field(default_factory=_password)
    app_password: str = field(default_factory=_password)
    valkey_password: str = field(default_factory=_password)

    @classmethod
    def load(cls, home: Path) -> Self:
        """Read the state of a folder, or make a new one.

        Raises:
            Fault: when there are data but the passwords to them are lost.
        """
        path = home / "engines.json"
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            if (home / "postgres" / "PG_VERSION").exists():
                raise Fault(
                    f"{path} is missing, and with it the passwords to the data in {home / 'postgres'}. "
                    "Put it back, or start afresh with `make clean-data`."
                ) from None
        except (ValueError, TypeError):
            raise Fault(f"{path} is damaged. Put it back, or start afresh with `make clean-data`.") from None
        state = cls()
        state.save(home)
        return state

    def save(self, home: Path) -> None:
        write_private(home / "engines.json", json.dumps(asdict(self), indent=2) + "\n")


def free_port(preferred: int = 0) -> int:
    """A loopback port that nobody listens on: the preferred one when it is free, so that addresses stay the same."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Fault("no free port on 127.0.0.1 for the database")
