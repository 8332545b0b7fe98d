"""gunicorn's thread worker with answers that an API client can read, and a few bounds of its own.

Four things differ from ``gunicorn.workers.gthread.ThreadWorker`` (27.0.1, pinned; a test covers each):

- What gunicorn refuses before the application sees it is answered as ``application/problem+json`` (SEC-52) with
  the security headers of SEC-53, and logged without quoting the request, which may hold a token.
- A body that the application did not read is read and dropped within bounds, so that a client that sends all
  before it listens gets its 413 instead of a reset connection.
- A closing connection waits for the client's own close in the poller. gunicorn waits for up to two seconds in the
  worker's main loop: one client that does not hang up stops all the others meanwhile.
- A stopping worker closes its listeners at once, so that nobody connects to a server that will not answer.
"""

import re
import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any, ClassVar, NamedTuple

import orjson
from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES

from app.core.address import truncated
from app.core.errors import Code
from app.core.ids import new_id
from app.core.telemetry import log
from app.web.problems import CATALOGUE, MEDIA_TYPE

DROP_BYTES, DROP_SECONDS = 32 * 2**20, 5.0
LINGER_BYTES, LINGER_SECONDS = 64 * 1024, 2.0
WELL_FORMED_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class Refusal(NamedTuple):
    """The answer to a request that does not reach the application, or that it did not survive."""

    status: int
    code: Code
    detail: str


_FAILED = Refusal(500, Code.internal_error, "Something went wrong on our side. It was logged.")
_REFUSALS: dict[tuple[type[Exception], ...], Refusal] = {
    # The first that fits counts: what the application sends wrongly is a kind of what clients send wrongly.
    (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem): _FAILED,
    (errors.LimitRequestLine,): Refusal(
        414, Code.uri_too_long, "The address is longer than 4,094 characters."
    ),
    (errors.LimitRequestHeaders,): Refusal(
        431, Code.headers_too_large, "The headers are too many or too long."
    ),
    (errors.UnsupportedTransferCoding,): Refusal(
        501, Code.bad_request, "This transfer coding is not supported."
    ),
    (errors.ExpectationFailed,): Refusal(417, Code.bad_request, "The expectation cannot be met."),
    (errors.ForbiddenProxyRequest,): Refusal(403, Code.forbidden, "This proxy is not trusted."),
    (RequestEntityTooLarge,): Refusal(413, Code.body_too_large, "The body is larger than this route takes."),
    (errors.ParseException, BadRequest): Refusal(400, Code.bad_request, "The request is not valid HTTP."),
}
_HEADERS = (
    "Connection: close\r\n"
    f"Content-Type: {MEDIA_TYPE}\r\n"
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Vary: Authorization, Origin\r\n"
    "X-Content-Type-Options: nosniff\r\n"
)


class ProblemThreadWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """See the module.

    Attributes:
        type_base: what the ``type`` of a problem begins with; its code follows. gunicorn.conf.py sets it.
        extra_headers: complete header lines for each such answer, each ending in CRLF.
    """

    type_base: ClassVar[str] = "/docs/errors#"
    extra_headers: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: dict[Any, float] = {}

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer, and log, what went wrong outside the application. Called while ``exc`` is being handled."""
        refusal = next((answer for kinds, answer in _REFUSALS.items() if isinstance(exc, kinds)), _FAILED)
        req = req or getattr(exc, "req", None)
        request_id = _request_id(req)
        note = {
            "status": refusal.status,
            "code": refusal.code.value,
            "request_id": request_id,
            "ip": truncated(addr[0]) if addr else None,
        }
        if refusal is _FAILED:
            method, path = getattr(req, "method", None), getattr(req, "path", None)
            log("gunicorn").exception("request_failed", method=method, path=path, **note)
        else:
            log("gunicorn").warning("request_refused", reason=type(exc).__name__, **note)
        try:
            util.write_nonblock(client, self._problem(refusal, request_id, getattr(req, "method", None)))
        except OSError:
            self.log.debug("The client left before the answer.")

    def _problem(self, refusal: Refusal, request_id: str, method: str | None) -> bytes:
        body = orjson.dumps(
            {
                "type": f"{self.type_base}{refusal.code.value}",
                "title": CATALOGUE[refusal.code].title,
                "status": refusal.status,
                "detail": refusal.detail,
                "code": refusal.code.value,
                "request_id": request_id,
            }
        )
        head = (
            f"HTTP/1.1 {refusal.status} {HTTP_STATUS_CODES[refusal.status]}\r\nDate: {util.http_date()}\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {request_id}\r\n{_HEADERS}{self.extra_headers}\r\n"
        )
        return head.encode("latin-1") + (b"" if method == "HEAD" else body)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        deadline = time.monotonic() + DROP_SECONDS
        try:
            dropped = conn.parser.finish_body(deadline=deadline, max_bytes=DROP_BYTES)
        except (errors.ParseException, OSError):
            return False  # the answer is out: a second one for the same request would pass for the next one's
        return bool(keepalive and dropped)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not. A stopping worker takes in who has connected already, then gives its listeners up.

        gunicorn keeps them open until the last request is done; who connects meanwhile waits for nobody.
        """
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            before = -1
            while before != self.nr_conns < self.worker_connections:
                before = self.nr_conns
                self.accept(listener)
            listener.close()

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Keep the connection or let it end; runs on the main thread, so it never waits."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._on_lingering_readable, conn))
        except (OSError, ValueError):  # gone already
            self.nr_conns -= 1
            conn.close()
            return
        conn.left_to_drop = LINGER_BYTES
        self._lingering[conn] = time.monotonic() + LINGER_SECONDS

    def _on_lingering_readable(self, conn: Any, sock: socket.socket) -> None:
        try:
            data = sock.recv(LINGER_BYTES)
        except OSError:  # reset by the client
            data = b""
        conn.left_to_drop -= len(data)
        if not data or conn.left_to_drop <= 0:
            self._end_lingering(conn)

    def _end_lingering(self, conn: Any) -> None:
        del self._lingering[conn]
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close what waited long enough; the main loop calls this at least once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn, until in self._lingering.items() if until <= now]:
            self._end_lingering(conn)


def _request_id(req: Any) -> str:
    sent = next((value for name, value in getattr(req, "headers", ()) if name == "X-REQUEST-ID"), "")
    return sent if WELL_FORMED_ID.fullmatch(sent) else str(new_id())
