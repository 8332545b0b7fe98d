"""Refusing what waited too long, so that a service with more load than it can bear still serves most of what it could (REL-03).

Who waits for long gives up, or asks again: to answer him late is work for nobody, and it makes the next one late as well. The
worker tells how long a request stood in line (app/web/led_worker.py); this stands before everything else.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import orjson
from gunicorn.util import http_date

from app.core.errors import Code
from app.core.ids import new_id
from app.core.metrics import REQUESTS_SHED
from app.web.problems import CATALOGUE, MEDIA_TYPE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST_SECONDS = 1.0
LIVENESS = "/livez"
NEVER_SHED = {LIVENESS, "/readyz"}
"""A service that is busy is neither dead nor out of order; who looks would take it out, and its load would fall on the others."""

waited: ContextVar[float] = ContextVar("waited", default=0.0)
"""Seconds that the request of this thread stood in line."""


def is_too_late(seconds: float, path: str) -> bool:
    """Whether a request that waited so long is refused."""
    return seconds > LONGEST_SECONDS and path not in NEVER_SHED


def short_way(app: "WSGIApplication", method: str, path: str, origin: str | None) -> bytes:
    """The whole answer to who waited too long, after which the connection goes on.

    A worker's usual way to an application costs more than all else about a refusal, and under three times the load that can
    be borne there are two of them for each request that is served.

    Args:
        app: one that refuses such a request: it is given nothing but what follows.
        method, path: of the request.
        origin: of the page that asks.
    """
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /) -> Any:
        told.append((status, headers))

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    body = b"".join(app({**environ, "HTTP_ORIGIN": origin} if origin else environ, start))
    [(status, headers)] = told
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    head = f"HTTP/1.1 {status}\r\nDate: {http_date()}\r\nConnection: keep-alive\r\n{lines}\r\n"
    return head.encode("latin-1") + body


class LoadShedder:
    """WSGI middleware, the outermost.

    It answers by itself, since most of the cost of a small request is what stands between here and the view.

    Args:
        app: the application.
        type_base: what the ``type`` of a problem begins with; its code follows.
        headers: of every answer.
        is_ours: whether pages of an origin may read answers (SEC-54).
    """

    def __init__(
        self,
        app: "WSGIApplication",
        type_base: str,
        headers: Iterable[tuple[str, str]],
        is_ours: Callable[[str], bool],
    ) -> None:
        self._app = app
        self._headers = [*headers, ("Content-Type", MEDIA_TYPE), ("Retry-After", "2")]
        self._is_ours = is_ours
        code = Code.overloaded
        self._problem = {
            "type": f"{type_base}{code.value}", "title": CATALOGUE[code].title, "status": 503, "code": code.value,
            "detail": "There is more to do than can be done at the moment. Try again soon.",
        }  # fmt: skip

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not is_too_late(waited.get(), environ.get("PATH_INFO", "")):
            return self._app(environ, start_response)
        REQUESTS_SHED.inc()
        request_id = str(new_id())
        body = orjson.dumps({**self._problem, "request_id": request_id})
        headers = [
            *self._headers, *self._of_origin(environ.get("HTTP_ORIGIN")),
            ("Content-Length", str(len(body))), ("X-Request-ID", request_id),
        ]  # fmt: skip
        start_response("503 Service Unavailable", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _of_origin(self, origin: str | None) -> list[tuple[str, str]]:
        """Without these a browser would tell its page of a network error, and not when to try again."""
        if origin is None or not self._is_ours(origin):
            return []
        return [
            ("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", "Retry-After, X-Request-ID"),
        ]  # fmt: skip
