"""Where the API listens, and under which names it is reached."""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass

from dev.faults import Fault

ANDROID_EMULATOR = "10.0.2.2"
"""The address under which an Android emulator reaches the machine it runs on."""

_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - only compared with
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Where the usual front-end tools serve from; an origin allow-list is exact, so each is named.
_FRONTEND_PORTS = (3000, 4200, 5173, 8080, 8081, 19000, 19006)
_MAX_PORT = 65535


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True)
class Address:
    """What to listen on.

    Attributes:
        host: a name or address of this machine; 0.0.0.0 for all.
        port: 1 to 65535.
        lan: addresses of this machine that a phone on the same network reaches; empty when only
            this machine is to reach the service.
    """

    host: str
    port: int
    lan: tuple[str, ...] = ()

    @classmethod
    def chosen(cls) -> "Address":
        """Read HOST and PORT.

        Raises:
            Fault: when PORT is no port.
        """
        host = os.environ.get("HOST") or "127.0.0.1"
        told = os.environ.get("PORT") or "8000"
        port = int(told) if told.isascii() and told.isdigit() else 0
        if not 1 <= port <= _MAX_PORT:
            raise Fault(
                f"PORT={told} is not a port; choose one from 1 to 65535, for example: make run PORT=8001"
            )
        if host in _LOOPBACK:
            return cls(host, port)
        return cls(host, port, lan_addresses() if host in _EVERYWHERE else (host,))

    @property
    def everywhere(self) -> bool:
        return self.host in _EVERYWHERE

    @property
    def local_url(self) -> str:
        """How this machine reaches the service."""
        return _url("127.0.0.1" if self.everywhere else self.host, self.port)

    @property
    def public_url(self) -> str:
        """How other devices reach it when they may, else how this machine does; links in mails begin with it."""
        return _url(self.lan[0], self.port) if self.lan else self.local_url

    @property
    def other_hosts(self) -> tuple[str, ...]:
        """Host names beyond this machine's own that clients will send."""
        if not self.lan:
            return ()
        # Apple's devices also find a machine by its Bonjour name.
        name = socket.gethostname().partition(".")[0].lower()
        named = (f"{name}.local",) if self.everywhere and name else ()
        return tuple(dict.fromkeys((*self.lan, *named, *((ANDROID_EMULATOR,) if self.everywhere else ()))))

    @property
    def trusted_hosts(self) -> tuple[str, ...]:
        own = ("localhost", "127.0.0.1", "[::1]")
        return (
            (*own, *(f"[{host}]" if ":" in host else host for host in self.other_hosts)) if self.lan else ()
        )

    @property
    def origins(self) -> tuple[str, ...]:
        """Web origins on those hosts: the service's own, and where front-end tools usually serve from."""
        ports = dict.fromkeys((self.port, *_FRONTEND_PORTS))
        return tuple(_url(host, port) for host in self.other_hosts for port in ports)

    def require_free(self) -> None:
        """Refuse a port that is taken.

        Raises:
            Fault: one line that names the port and how to choose another.
        """
        problem = _cannot_listen(self.host, self.port)
        if problem is None:
            return
        if problem == errno.EADDRINUSE:
            span = range(self.port + 1, min(self.port + 50, _MAX_PORT) + 1)
            other = next((port for port in span if _cannot_listen(self.host, port) is None), 0)
            raise Fault(
                f"port {self.port} on {self.host} is taken by another program. "
                f"Choose another: make run PORT={other or 18000}"
            )
        if problem in {errno.EACCES, errno.EPERM}:
            raise Fault(
                f"port {self.port} is reserved for administrators. Choose another: make run PORT=8000"
            )
        raise Fault(
            f"HOST={self.host} is no address of this machine; leave it out, or use HOST=0.0.0.0 for all."
        )


def _cannot_listen(host: str, port: int) -> int | None:
    """The error number of listening there, None when it works."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        return errno.EADDRNOTAVAIL
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            return error.errno
    # macOS lets 127.0.0.1 be bound beside somebody who listens on every address.
    with socket.socket(family, kind) as probe:
        probe.settimeout(1)
        local = ("127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host, port)  # noqa: S104 - only compared with
        return errno.EADDRINUSE if probe.connect_ex(local) == 0 else None


def lan_addresses() -> tuple[str, ...]:
    """IPv4 addresses of this machine on its networks, the one with the way out first."""
    found: list[str] = []
    # Connecting a datagram socket sends nothing; it only asks which address would be used (RFC 5737 net).
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError, UnicodeError):
        found += [
            str(about[4][0]) for about in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        ]
    return tuple(dict.fromkeys(address for address in found if not address.startswith(("127.", "0."))))
