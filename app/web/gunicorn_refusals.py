"""What gunicorn's worker answers by itself: which problem a fault becomes, and its bytes (SEC-52, SEC-53)."""

import re
from typing import Any, NamedTuple

import orjson
from gunicorn import util
from gunicorn.http import errors
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES

from app.core.errors import Code
from app.core.ids import new_id
from app.web.problems import CATALOGUE, MEDIA_TYPE

WELL_FORMED_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class Overloaded(Exception):
    """As many transfers run and wait as this process takes."""


class StoodStill(Exception):
    """The rest of a body did not come."""


class Refusal(NamedTuple):
    """The answer to a request that does not reach the application, or that it did not survive."""

    status: int
    code: Code
    detail: str
    retry_after: int | None = None


FAILED = Refusal(500, Code.internal_error, "Something went wrong on our side. It was logged.")
_REFUSALS: dict[tuple[type[Exception], ...], Refusal] = {
    # The first that fits counts: what the application sends wrongly is a kind of what clients send wrongly.
    (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem): FAILED,
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
    (StoodStill,): Refusal(400, Code.bad_request, "The rest of the body did not come."),
    (Overloaded,): Refusal(503, Code.overloaded, "Too many transfers at once. Try again soon.", 5),
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


def refusal_of(fault: Exception) -> Refusal:
    """The answer to a fault; what is not in the table is ours."""
    return next((answer for kinds, answer in _REFUSALS.items() if isinstance(fault, kinds)), FAILED)


def problem(
    refusal: Refusal, request_id: str, *, head_only: bool, type_base: str, extra_headers: str
) -> bytes:
    """The whole answer, after which the connection closes.

    Args:
        refusal: what it says.
        request_id: of the request.
        head_only: whether it was a HEAD request.
        type_base: what the ``type`` begins with.
        extra_headers: complete lines, each ending in CRLF.
    """
    body = orjson.dumps(
        {
            "type": f"{type_base}{refusal.code.value}",
            "title": CATALOGUE[refusal.code].title,
            "status": refusal.status,
            "detail": refusal.detail,
            "code": refusal.code.value,
            "request_id": request_id,
        }
    )
    retry = "" if refusal.retry_after is None else f"Retry-After: {refusal.retry_after}\r\n"
    head = (
        f"HTTP/1.1 {refusal.status} {HTTP_STATUS_CODES[refusal.status]}\r\nDate: {util.http_date()}\r\n"
        f"Content-Length: {len(body)}\r\nX-Request-ID: {request_id}\r\n{_HEADERS}{retry}{extra_headers}\r\n"
    )
    return head.encode("latin-1") + (b"" if head_only else body)


def request_id_of(req: Any) -> str:
    """The id that the client sent, if it is well formed; otherwise a new one."""
    sent = next((value for name, value in getattr(req, "headers", ()) if name == "X-REQUEST-ID"), "")
    return sent if WELL_FORMED_ID.fullmatch(sent) else str(new_id())
