"""Identity at the edge: who calls, and whether the route lets such a caller in at all.

Every route is private unless its declaration says otherwise. Two steps, because the rate limits stand between them:
the token's signature first (whose budget is it?), the session behind it after.
"""

import hmac
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from flask import Flask, g, request

from app.core.access import Actor, Caller, SiteRole
from app.core.errors import AppError, Code, not_found
from app.web.current import parts, settings, this_g, this_request
from app.web.operations import Operation

SCHEME = "bearer"
API_TOKEN_PREFIX = "hf_"
ADMINISTRATORS = {Caller.administrator, Caller.stepped_up_administrator}
STEPPED_UP = {Caller.stepped_up, Caller.stepped_up_administrator}


def register_identity(app: Flask) -> None:
    app.before_request(_read_token)


def register_guard(app: Flask) -> None:
    """Must be registered after the limiter, so that a flood never reaches the session check."""
    app.before_request(_guard)


def _read_token() -> None:
    """Verify the bearer token, if there is one; what is wrong with it is told by the guard."""
    request, g = this_request(), this_g()
    parts().cache.begin_anew()
    g.claims = g.token_error = g.actor = g.api_token = g.counts_for = None
    operation = g.operation
    if operation is not None and operation.counts_for is not None:
        g.counts_for = operation.counts_for()
    header = request.environ.get("HTTP_AUTHORIZATION", "")
    if request.method == "OPTIONS" or operation is None or not header:
        return
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != SCHEME or not token:
        return
    try:
        if token.startswith(API_TOKEN_PREFIX):
            g.api_token = parts().api_token_check.check(token)
            g.claims = {"sub": str(g.api_token.user_id)}
        else:
            g.claims = parts().access_tokens.verify(token)
            _ask_ahead(operation, g.claims, request.view_args or {})
    except AppError as error:
        g.token_error = error


def _ask_ahead(operation: Operation, claims: Mapping[str, Any], named: Mapping[str, Any]) -> None:
    """Let what the guard and the view will look up come with the limit's round trip. Nothing is decided by it."""
    if operation.ahead is not None:
        operation.ahead(_id(claims["sub"]), **named)


def _guard() -> None:
    """Let the caller in or say why not (SEC-37)."""
    request, g = this_request(), this_g()
    if request.method == "OPTIONS" or request.endpoint is None:
        return
    operation: Operation | None = g.operation
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
    _refuse_by_state(g.actor, operation)
    if operation.caller in ADMINISTRATORS and g.actor.role != SiteRole.admin:
        raise AppError(Code.forbidden, "Only administrators may do this.")
    if operation.caller in STEPPED_UP:
        require_step_up(g.actor)


def operator_asks() -> bool:
    """Whether the request brings ``OPS_TOKEN`` as bearer; without that setting nobody is an operator."""
    token = settings().ops_token
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return token is not None and hmac.compare_digest(token.get_secret_value().encode(), sent.encode())


def _identify() -> None:
    g = this_g()
    if g.api_token is not None:
        g.actor = g.api_token
        return
    claims = g.claims
    g.actor = parts().session_check.check(_id(claims["sid"]), _id(claims["sub"]), claims["gen"])


_id = lru_cache(maxsize=8_192)(UUID)
"""Ids of tokens, read once: the same ones come with each request."""


def _refuse_by_state(actor: Actor, operation: Operation) -> None:
    """What an account in its state, or an API token, may not do here."""
    if actor.scopes is not None:
        _require_scope(actor.scopes, operation)
    if actor.leaving and not operation.while_leaving:
        raise AppError(Code.account_deletion_scheduled, "This account will be deleted. Restore it to go on.")
    if actor.role == SiteRole.admin and not actor.has_factor and not operation.without_factor:
        raise AppError(Code.mfa_enrolment_required, "Administrators need a second factor. Enrol one first.")


def _require_scope(scopes: Collection[str], operation: Operation) -> None:
    if not operation.api_tokens:
        raise AppError(Code.forbidden, "An API token may not do this. Sign in.")
    wanted = "read" if request.method in {"GET", "HEAD"} else "write"
    if wanted not in scopes:
        raise AppError(Code.token_scope_insufficient, f"This API token has no scope {wanted}.")


def _identify_if_possible(operation: Operation) -> None:
    if not operation.optional_identity or g.claims is None:
        return
    try:
        _identify()
    except AppError as error:
        g.actor, g.token_error = None, error


def require_factor_step_up(actor: Actor) -> None:
    """As ``require_step_up``, of accounts that have a second factor; others prove themselves in the body."""
    if actor.has_factor:
        require_step_up(actor)


def require_step_up(actor: Actor) -> None:
    """Identity was proved recently, with the strongest factor the account has (SEC-29); signing in counts.

    Raises:
        AppError: ``step_up_required``.
    """
    longest = settings().step_up_seconds
    proved_at = actor.authenticated_at
    if proved_at is None or parts().clock.now() - proved_at > timedelta(seconds=longest):
        raise AppError(
            Code.step_up_required,
            "Prove your identity again, then repeat this.",
            extra={"methods": parts().step_up_methods(actor), "max_age": longest},
        )
