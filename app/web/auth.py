"""Identity at the edge: who calls, and whether the route lets such a caller in at all.

Every route is private unless its declaration says otherwise. Two steps, because the rate limits stand between them:
the token's signature first (whose budget is it?), the session behind it after.
"""

import hmac
from datetime import timedelta
from uuid import UUID

from flask import Flask, current_app, g, request

from app.core.access import Caller, SiteRole
from app.core.errors import AppError, Code, not_found
from app.web.current import parts, settings
from app.web.operations import Operation, declared

SCHEME = "bearer"


def register_identity(app: Flask) -> None:
    app.before_request(_read_token)


def register_guard(app: Flask) -> None:
    """Must be registered after the limiter, so that a flood never reaches the session check."""
    app.before_request(_guard)


def _read_token() -> None:
    """Verify the bearer token, if there is one; what is wrong with it is told by the guard."""
    g.claims = g.token_error = g.actor = None
    operation = declared(current_app, request.endpoint)
    header = request.headers.get("Authorization", "")
    if request.method == "OPTIONS" or operation is None or not header:
        return
    scheme, _, token = header.partition(" ")
    if scheme.lower() != SCHEME or not token.strip():
        return
    try:
        g.claims = parts().access_tokens.verify(token.strip())
    except AppError as error:
        g.token_error = error


def _guard() -> None:
    """Let the caller in or say why not (SEC-37)."""
    if request.method == "OPTIONS" or request.endpoint is None:
        return
    operation = declared(current_app, request.endpoint)
    if operation is None:
        raise AppError(Code.forbidden, "This route declares no caller, so nobody may call it.")
    if operation.caller == Caller.operator and not operator_asks():
        raise not_found("address")
    if operation.caller in {Caller.anyone, Caller.operator}:
        _identify_if_possible(operation)
        return
    if g.token_error is not None:
        raise g.token_error
    if g.claims is None:
        raise AppError(
            Code.not_authenticated, "Sign in first: send Authorization: Bearer with an access token."
        )
    _identify()
    if operation.caller == Caller.stepped_up:
        _require_step_up()
    if operation.caller == Caller.administrator and g.actor.role != SiteRole.admin:
        raise AppError(Code.forbidden, "Only administrators may do this.")


def operator_asks() -> bool:
    """Whether the request brings ``OPS_TOKEN`` as bearer; without that setting nobody is an operator."""
    token = settings().ops_token
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return token is not None and hmac.compare_digest(token.get_secret_value().encode(), sent.encode())


def _identify() -> None:
    claims = g.claims
    g.actor = parts().session_check.check(UUID(claims["sid"]), UUID(claims["sub"]), claims["gen"])


def _identify_if_possible(operation: Operation) -> None:
    if not operation.optional_identity or g.claims is None:
        return
    try:
        _identify()
    except AppError:
        g.actor = None


def _require_step_up() -> None:
    """Identity was proved recently (SEC-29); signing in counts."""
    longest = settings().step_up_seconds
    if parts().clock.now() - g.actor.authenticated_at > timedelta(seconds=longest):
        raise AppError(
            Code.step_up_required,
            "Prove your identity again, then repeat this.",
            extra={"methods": ["password"], "max_age": longest},
        )
