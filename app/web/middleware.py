"""What surrounds every request: its id, its headers, its one log line and its metrics."""

import hashlib
import re
import time
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app
from flask.ctx import _AppCtxGlobals
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import Settings
from app.core.address import truncated
from app.core.ids import new_id
from app.core.metrics import request_seconds
from app.core.telemetry import PlainLog, request_id, start_request
from app.web import limit_headers
from app.web.body_guard import BodyGuard
from app.web.current import parts, this_g, this_request
from app.web.load_shedding import LoadShedder
from app.web.method_override import MethodOverride
from app.web.operations import declared

logger = PlainLog("holdfast.request")
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
VERSION = re.compile(r"[0-9A-Za-z.+-]{1,32}")
PLATFORM = re.compile(r"[a-z]{1,16}")
LOCAL_ORIGIN = r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$"
ALLOWED = [
    "Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "X-CSRF-Token", "X-Request-ID",
    "X-Client-Platform", "X-Client-Version", "traceparent", "Tus-Resumable", "Upload-Length", "Upload-Offset",
    "Upload-Metadata", "X-HTTP-Method-Override",
]  # fmt: skip
EXPOSED = [
    "ETag", "Link", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID",
    "Idempotency-Replayed", "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Upload-Offset",
    "Upload-Length", "Upload-Expires",
]  # fmt: skip
WITHOUT_BODY = {204, 304}
VARIES = ("Authorization", "Origin")
DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Cache-Control": "no-store",
}


DEFAULTS = tuple((name.lower(), (name, value)) for name, value in DEFAULT_HEADERS.items())
STATUS_CLASSES = [f"{first}xx" for first in range(6)]


def wrap_wsgi(app: Flask, settings: Settings) -> None:
    """What stands before Flask: trusted proxies (T4, SEC-47), trusted hosts, the body limit (T1), other methods' POST, and
    in front of all what refuses when there is too much to do.
    """
    app.wsgi_app = MethodOverride(app.wsgi_app)  # type: ignore[method-assign]  # how Flask wraps WSGI
    app.wsgi_app = BodyGuard(app.wsgi_app, settings.max_body_bytes)  # type: ignore[method-assign]  # how Flask wraps WSGI
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_prefix=0)  # type: ignore[method-assign]  # how Flask wraps WSGI
    headers = [*DEFAULT_HEADERS.items(), ("Vary", ", ".join(VARIES))]
    base = f"{settings.base_url}/docs/errors#"
    app.wsgi_app = LoadShedder(app.wsgi_app, base, headers, lambda origin: is_ours(settings, origin))  # type: ignore[method-assign]  # how Flask wraps WSGI
    app.config["TRUSTED_HOSTS"] = trusted_hosts(settings)


def trusted_hosts(settings: Settings) -> list[str]:
    """Host names we answer to: our own address, this machine's, and what is set."""
    own = urlsplit(settings.base_url).hostname or "localhost"
    return sorted({own, "localhost", "127.0.0.1", "[::1]", *settings.trusted_hosts})


def is_ours(settings: Settings, origin: str) -> bool:
    """Whether answers are for pages of that origin."""
    if origin in settings.cors_origins:
        return True
    return settings.development and re.match(LOCAL_ORIGIN, origin) is not None


def init_cors(app: Flask, settings: Settings) -> None:
    """Exact origins (SEC-54); development adds any origin of this machine."""
    origins: list[str] = list(settings.cors_origins)
    if settings.development:
        origins.append(LOCAL_ORIGIN)
    CORS(
        app, origins=origins, supports_credentials=True, allow_headers=ALLOWED, expose_headers=EXPOSED,
        methods=["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"], max_age=7200, vary_header=True,
        always_send=False,
    )  # fmt: skip
    hooks = app.after_request_funcs[None]
    tell_origin = hooks.pop()

    @app.after_request
    def answer_to_its_origin(response: Response) -> Response:
        """What is said to an origin, where a browser names one: the extension looks for it in each answer."""
        return tell_origin(response) if this_request().environ.get("HTTP_ORIGIN") else response  # type: ignore[return-value] # as Flask types it


def register_request_hooks(app: Flask) -> None:
    """Must be registered before all other hooks, so that it begins first and ends last."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    request, g = this_request(), this_g()
    sent = request.environ.get("HTTP_X_REQUEST_ID", "")
    trace = TRACEPARENT.fullmatch(request.environ.get("HTTP_TRACEPARENT", ""))
    g.started = time.perf_counter()
    g.trace_id = trace[1] if trace else None
    identifier = sent if sent and REQUEST_ID.fullmatch(sent) else str(new_id())
    g.stats = start_request(identifier)
    g.operation = operation = declared(current_app, request.endpoint)
    if operation is not None and operation.limited and request.method != "OPTIONS":
        # Preflights, health and pages ask nothing of the database, not even the test clock.
        parts().refresh_clock()


def _finish(response: Response) -> Response:
    limit_headers.of_request(response)
    there = {name.lower() for name, _ in response.headers}
    missing = [header for key, header in DEFAULTS if key not in there]
    response.headers._list.extend(missing)  # noqa: SLF001 - constants: what `extend` would look at each time
    if "vary" in there:
        response.vary.update(VARIES)
    else:
        response.headers.add("Vary", ", ".join(VARIES))
    response.headers["X-Request-ID"] = request_id.get() or ""
    if response.status_code in WITHOUT_BODY or (response.status_code == 201 and not response.is_json):
        response.headers.pop("Content-Type", None)
    _tell(response, this_request(), this_g())
    return response


def _tell(response: Response, request: Request, g: _AppCtxGlobals) -> None:
    """The one log line and the metrics of a request; no secret stands in either (SEC-57)."""
    operation = g.get("operation") or declared(current_app, request.endpoint)
    name = operation.name if operation else "none"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    request_seconds(name, STATUS_CLASSES[response.status_code // 100]).observe(seconds)
    actor, stats = g.get("actor"), g.get("stats")
    logger.info(
        "request",
        trace_id=g.get("trace_id"),
        operation=name,
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        code=g.get("problem_code"),
        ms=round(seconds * 1000, 2),
        db_ms=round(stats.db_seconds * 1000, 2) if stats else 0,
        db_queries=stats.db_queries if stats else 0,
        redis_ms=round(stats.redis_seconds * 1000, 2) if stats else 0,
        user_id=str(actor.user_id) if actor else None,
        session=session_hash(str(actor.session_id)) if actor else None,
        ip=truncated(request.remote_addr or ""),
        platform=_matching(PLATFORM, request.environ.get("HTTP_X_CLIENT_PLATFORM", "")),
        version=_matching(VERSION, request.environ.get("HTTP_X_CLIENT_VERSION", "")),
        bytes=response.calculate_content_length(),
        replayed="Idempotency-Replayed" in response.headers,
        degraded=stats.degraded if stats else False,
    )


@lru_cache(maxsize=4_096)
def session_hash(session_id: str) -> str:
    """Enough to follow a session through the log, not enough to name it."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:16]


def _matching(pattern: re.Pattern[str], value: str) -> str | None:
    return value if value and pattern.fullmatch(value) else None
