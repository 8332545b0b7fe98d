"""Every error becomes an RFC 9457 problem here, the framework's own and our bugs included (SEC-52)."""

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestedRangeNotSatisfiable

from app.core.db_errors import translate
from app.core.errors import AppError, Code
from app.core.telemetry import log
from app.web import problems
from app.web.limit_headers import of_budget

logger = log(__name__)

BY_STATUS = {
    400: (Code.bad_request, "The request could not be understood."),
    401: (Code.not_authenticated, "Sign in first."),
    403: (Code.forbidden, "You may not do this."),
    404: (Code.not_found, "There is nothing at this address."),
    405: (Code.method_not_allowed, "This address does not take that method."),
    413: (Code.body_too_large, "The body is larger than this route takes."),
    414: (Code.uri_too_long, "The address is longer than 4,094 characters."),
    415: (Code.unsupported_media_type, "Send a JSON body with Content-Type: application/json."),
    416: (Code.range_not_satisfiable, "The file has no such part."),
    429: (Code.rate_limited, "Too many requests."),
    431: (Code.headers_too_large, "The headers are too large."),
}
CHALLENGED = {Code.not_authenticated, Code.token_expired, Code.token_invalid, Code.session_revoked}
TOLD_TO_CLIENT = {Code.token_expired: "invalid_token", Code.token_invalid: "invalid_token",
                  Code.session_revoked: "invalid_token"}  # fmt: skip


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(AppError, told)
    app.register_error_handler(HTTPException, from_framework)
    app.register_error_handler(Exception, unexpected)


def told(error: AppError) -> Response:
    """An error of a use case."""
    response = problems.problem(error.code, error.detail, fields=error.fields, **error.extra)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.code in CHALLENGED:
        response.headers["WWW-Authenticate"] = _challenge(error.code)
    of_budget(response, error)
    return response


def from_framework(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse by themselves; redirects pass."""
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()  # type: ignore[return-value]  # Flask's response class at run time
    if error.code not in BY_STATUS:
        return unexpected(error)
    code, detail = BY_STATUS[error.code]
    response = problems.problem(code, detail)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, RequestedRangeNotSatisfiable) and error.length is not None:
        response.headers["Content-Range"] = f"{error.units} */{error.length}"
    return response


def unexpected(error: Exception) -> Response:
    """A bug, or a driver error that escaped its unit of work: logged whole, told in one sentence."""
    known: Any = translate(error)
    if known is not None:
        return told(known)
    logger.error("unhandled_error", exc_info=error)
    return problems.problem(Code.internal_error, "Something went wrong on our side. It was logged.")


def _challenge(code: Code) -> str:
    """RFC 6750, section 3: a bare challenge where no token was sent, else why it was refused."""
    if code not in TOLD_TO_CLIENT:
        return 'Bearer realm="holdfast"'
    return f'Bearer realm="holdfast", error="{TOLD_TO_CLIENT[code]}", error_description="{code.value}"'
