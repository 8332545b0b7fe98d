"""Signing in, staying signed in, signing out."""

from typing import Any

from flask import Response

from app.auth.schemas import MFA_EXAMPLE, CompleteMfa, Refresh, SignIn, SignInAnswer, StepUp
from app.auth.service import AuthService
from app.auth.step_up import StepUpService
from app.core.access import Caller
from app.core.errors import Code
from app.sessions.schemas import SignedIn
from app.web.blueprint import Blueprint
from app.web.cookies import (
    SET_COOKIE,
    came_by,
    deliver,
    forget_cookie,
    presented_refresh_token,
    required_refresh_token,
)
from app.web.current import current_actor, current_client, optional_actor, service

blp = Blueprint("auth", __name__, url_prefix="/api/v1/auth", description="Signing in and out.")
ALICE = {"email": "alice@example.com", "password": "kelp-grips-the-rock", "device_name": "Alice's phone"}


@blp.operation(
    "POST", "/login", "signIn", caller=Caller.anyone, body=True,
    codes=(Code.invalid_credentials, Code.email_not_verified, Code.account_suspended),
)  # fmt: skip
@blp.arguments(SignIn, example=ALICE)
@blp.response(200, SignInAnswer, headers=SET_COOKIE)
def sign_in(data: dict[str, Any]) -> Any:
    """Sign in with address and password. Where the account has a second factor, `completeMfa` comes next."""
    return deliver(service(AuthService).sign_in(data, current_client(data["device_name"])))


@blp.operation(
    "POST", "/mfa", "completeMfa", caller=Caller.anyone, body=True,
    codes=(Code.invalid_code, Code.mfa_token_invalid), statuses={Code.invalid_code: 401},
)  # fmt: skip
@blp.arguments(CompleteMfa, example={"mfa_token": MFA_EXAMPLE, "method": "totp", "code": "123456"})
@blp.response(200, SignedIn, headers=SET_COOKIE)
def complete_mfa(data: dict[str, Any]) -> Any:
    """Finish signing in with a code of the authenticator app or a recovery code."""
    return deliver(service(AuthService).complete(data, current_client(data["device_name"])))


@blp.operation(
    "POST", "/step-up", "stepUp", caller=Caller.account, body=True, api_tokens=False,
    while_leaving=True, without_factor=True,
    codes=(Code.invalid_code, Code.invalid_credentials), statuses={Code.invalid_code: 401},
)  # fmt: skip
@blp.arguments(StepUp, example={"method": "password", "password": "kelp-grips-the-rock"})
@blp.response(200, SignedIn, headers=SET_COOKIE)
def step_up(data: dict[str, Any]) -> Any:
    """Prove again who I am, by the second factor where I have one. The session goes on with new tokens."""
    return deliver(service(StepUpService).prove(current_actor(), data, current_client()))


@blp.operation(
    "POST", "/refresh", "refreshSession", caller=Caller.anyone, body=True, refresh_cookie=True,
    codes=(Code.refresh_invalid, Code.refresh_reused, Code.session_expired, Code.csrf_failed,
           Code.token_transport_conflict),
)  # fmt: skip
@blp.arguments(Refresh, required=False)
@blp.response(200, SignedIn, headers=SET_COOKIE)
def refresh(data: dict[str, Any]) -> Any:
    """Exchange the refresh token for its successor and a new access token. Safe to repeat when the answer was lost."""
    token = required_refresh_token(data["refresh_token"])
    return deliver(service(AuthService).refresh(token, current_client()), came_by(data["refresh_token"]))


@blp.operation(
    "POST", "/logout", "signOut", caller=Caller.anyone, body=True, optional_identity=True, refresh_cookie=True,
    codes=(Code.csrf_failed, Code.token_transport_conflict),
)  # fmt: skip
@blp.arguments(Refresh, required=False)
@blp.response(204, headers=SET_COOKIE)
def sign_out(data: dict[str, Any]) -> Response:
    """End the session that the refresh token, the cookie or the access token names."""
    token = presented_refresh_token(data["refresh_token"])
    service(AuthService).sign_out(token, optional_actor(), current_client())
    return forget_cookie()
