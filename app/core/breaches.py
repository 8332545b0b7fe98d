"""Passwords known from breaches, asked of another service by k-anonymity (SEC-05, SEC-55).

Five of the forty hexadecimal digits of the password's SHA-1 leave this machine; the answer lists all known endings
with that beginning, and the rest is compared here. The service is the range API of Have I Been Pwned or one like it.
"""

import hashlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
import unicodedata
from urllib.parse import SplitResult, urlsplit

from app.core.errors import AppError, Code
from app.core.metrics import BREACH_CHECKS
from app.core.telemetry import log

logger = log(__name__)
PREFIX = 5
MAX_ANSWER = 512 * 1024
"""Bytes; the true answers are about 40 KB, padding included."""
AT_ONCE = 8
HTTPS, HTTP = 443, 80
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BreachLookupError(Exception):
    """There is no answer; the message says why and holds nothing of the password."""


class BreachLookup:
    """Asks the range API; implements ``app.core.password_policy.Breaches``.

    Args:
        url: the prefix of five digits is appended. A private address is refused, unless it stands there as such
            (``http://10.0.0.5/range/``): then somebody wants it.
        seconds: for the whole look-up, name resolution included.
        required: refuse new passwords while there is no answer; else they pass, and the metrics tell.
    """

    def __init__(self, url: str, seconds: float, *, required: bool = False) -> None:
        self._url = urlsplit(url)
        self._seconds = seconds
        self._required = required
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def contain(self, password: str, /) -> bool:
        """Whether the password is known.

        Raises:
            AppError: ``overloaded``, where an answer is required and there is none.
        """
        typed = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
        digest = hashlib.sha1(typed, usedforsecurity=False).hexdigest().upper()
        try:
            endings = self._ask(digest[:PREFIX])
        except BreachLookupError as failure:
            BREACH_CHECKS.labels("unavailable").inc()
            logger.warning("breach_check_unavailable", reason=str(failure))
            if self._required:
                detail = "New passwords cannot be checked at this moment."
                raise AppError(Code.overloaded, detail, retry_after=30) from None
            return False
        found = _listed(digest[PREFIX:], endings)
        BREACH_CHECKS.labels("breached" if found else "clean").inc()
        return found

    def _ask(self, prefix: str) -> str:
        """The answer of the service; a thread of its own, because no time limit ends a name resolution that hangs."""
        if not self._free.acquire(blocking=False):
            raise BreachLookupError("too many look-ups at once")
        answers: queue.SimpleQueue[str | BreachLookupError] = queue.SimpleQueue()
        deadline = time.monotonic() + self._seconds
        threading.Thread(target=self._fetch_into, args=(answers, prefix, deadline), daemon=True).start()
        try:
            answer = answers.get(timeout=self._seconds)
        except queue.Empty:
            raise BreachLookupError("no answer in time") from None
        if isinstance(answer, BreachLookupError):
            raise answer
        return answer

    def _fetch_into(
        self, answers: "queue.SimpleQueue[str | BreachLookupError]", prefix: str, deadline: float
    ) -> None:
        try:
            answers.put(_fetch(self._url, prefix, deadline))
        except BreachLookupError as failure:
            answers.put(failure)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            answers.put(BreachLookupError(type(failure).__name__))
        finally:
            self._free.release()


def _fetch(url: SplitResult, prefix: str, deadline: float) -> str:
    """GET without following redirects, from an address that was looked at before it is connected to."""
    port = url.port or (HTTPS if url.scheme == "https" else HTTP)
    address = _address_of(url.hostname or "", port)
    connected = socket.create_connection((address, port), _left(deadline))
    try:
        if url.scheme == "https":
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=url.hostname)
        connection = http.client.HTTPConnection(url.hostname or "", port)
        connection.sock = connected
        headers = {"Add-Padding": "true", "User-Agent": "Holdfast"}
        connection.request("GET", f"{url.path}{prefix}", headers=headers)
        with connection.getresponse() as answer:
            if answer.status != http.client.OK:
                raise BreachLookupError(f"status {answer.status}")
            return _body(answer, connected, deadline)
    finally:
        connected.close()


def _body(answer: http.client.HTTPResponse, connected: socket.socket, deadline: float) -> str:
    """Read in pieces, so that a server that dribbles does not hold the thread."""
    read = bytearray()
    while piece := answer.read1(16_384):
        read += piece
        if len(read) > MAX_ANSWER:
            raise BreachLookupError("the answer is too long")
        connected.settimeout(_left(deadline))
    return read.decode("ascii")


def _address_of(host: str, port: int) -> str:
    """The address to connect to; a name that leads into a private network is refused, whatever it led to before."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if host == "localhost":
        return "127.0.0.1"
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, place in found:
        if _is_public(ipaddress.ip_address(str(place[0]).partition("%")[0])):
            return str(place[0])
    raise BreachLookupError("the address is not a public one")


def _is_public(address: Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    found: Address = mapped or address
    return found.is_global and not found.is_multicast


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise BreachLookupError("no answer in time")
    return left


def _listed(ending: str, answer: str) -> bool:
    """Lines are ``<35 digits>:<count>``; padding has the count 0."""
    for line in answer.splitlines():
        digits, _, count = line.strip().partition(":")
        if digits.upper() == ending:
            return count.strip() != "0"
    return False
