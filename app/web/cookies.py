"""The refresh token of browsers: in a cookie that scripts cannot read and foreign pages cannot use (SEC-25).

There is no readable CSRF cookie: a request that brings the cookie needs an ``Origin`` from the allow-list and the header
``X-CSRF-Token``, which a foreign page cannot send without a preflight that fails.
"""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, request

from app.config import Settings
from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.web.current import parts, settings
from app.web.middleware import LOCAL_ORIGIN
from app.web.openapi_headers import header_reference

PATH = "/api/v1/auth"
CSRF_HEADER = "X-CSRF-Token"
SET_COOKIE = header_reference("Set-Cookie")


def cookie_name() -> str:
    return name_of_cookie(settings())


def name_of_cookie(settings: Settings) -> str:
    """The ``__Secure-`` prefix makes browsers insist on TLS; plain http on a laptop cannot have it."""
    return "__Secure-refresh_token" if settings.secure_cookies else "refresh_token"


def presented_refresh_token(sent: str | None) -> str | None:
    """The refresh token of the request, by body or by cookie.

    Args:
        sent: ``refresh_token`` of the body.

    Raises:
        AppError: ``token_transport_conflict`` for both at once, ``csrf_failed`` for a cookie from elsewhere.
    """
    kept = request.cookies.get(cookie_name())
    if kept and sent:
        detail = "Send the refresh token in the body or in the cookie, not both."
        fault = FieldFault("refresh_token", FieldCode.invalid_format, detail)
        raise AppError(Code.token_transport_conflict, detail, fields=[fault])
    if kept:
        _refuse_foreign_page()
    return sent or kept


def required_refresh_token(sent: str | None) -> str:
    """As ``presented_refresh_token``, where there must be one.

    Raises:
        AppError: ``refresh_invalid`` as well; a web app starts with an empty body and no cookie.
    """
    token = presented_refresh_token(sent)
    if not token:
        raise AppError(Code.refresh_invalid, "There is no refresh token. Sign in.")
    return token


def came_by(sent: str | None) -> str:
    """How a refresh token came, which is how its successor goes back; ``sent`` as above."""
    return "body" if sent else "cookie"


def deliver(signed_in: Any, transport: str | None = None) -> Any:
    """Move the refresh token into a cookie where that is the session's transport.

    Args:
        signed_in: with ``transport``, ``refresh_token`` and ``refresh_expires_at``; an answer that opens no session
            has no transport, and stays as it is.
        transport: another than the session's own, where the request brought its token otherwise.
    """
    if (transport or getattr(signed_in, "transport", None)) != "cookie":
        return signed_in
    left = signed_in.refresh_expires_at - parts().clock.now()
    headers = {"Set-Cookie": _cookie(signed_in.refresh_token, int(left.total_seconds()))}
    return replace(signed_in, refresh_token=None), headers


def deliver_within(answer: Any) -> Any:
    """As ``deliver``, for a dataclass that has the tokens as its ``session``, or None there."""
    if answer.session is None or answer.session.transport != "cookie":
        return answer
    session, headers = deliver(answer.session)
    return replace(answer, session=session), headers


def forget_cookie() -> Response:
    """An empty answer that removes the cookie that the request brought.

    Where it brought none nothing is removed: a form on a foreign page comes without it (SameSite), so nothing asked it
    for its origin, and the browser would take the removal all the same.
    """
    response = make_response("", 204)
    if cookie_name() in request.cookies:
        response.headers.add("Set-Cookie", _cookie("", 0))
    return response


def _cookie(value: str, seconds: int) -> str:
    response = Response()
    response.set_cookie(
        cookie_name(), value, max_age=seconds, path=PATH, secure=settings().secure_cookies, httponly=True,
        samesite="Lax",
    )  # fmt: skip
    return response.headers["Set-Cookie"]


def _refuse_foreign_page() -> None:
    origin = request.headers.get("Origin", "")
    if CSRF_HEADER not in request.headers or not _known(origin):
        raise AppError(
            Code.csrf_failed, f"Send the header {CSRF_HEADER}: 1 from an origin that is allowed here."
        )


def _known(origin: str) -> bool:
    own = urlsplit(settings().base_url)
    if origin in {*settings().cors_origins, f"{own.scheme}://{own.netloc}"} - {"*"}:
        return True
    return settings().development and re.match(LOCAL_ORIGIN, origin) is not None
