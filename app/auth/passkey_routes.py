"""Signing in with a passkey."""

from typing import Any

from app.auth.passkey_sign_in import PasskeySignIn
from app.auth.schemas import FinishPasskeySignIn, StartPasskeySignIn
from app.core.access import Caller
from app.core.errors import Code
from app.passkeys.schemas import PasskeyRequest
from app.sessions.schemas import SignedIn
from app.web.blueprint import Blueprint
from app.web.cookies import SET_COOKIE, deliver
from app.web.current import actor_if_sent, current_client, service

blp = Blueprint(
    "passkey_sign_in", __name__, url_prefix="/api/v1/auth/passkeys", description="Signing in with a passkey."
)


@blp.operation(
    "POST", "/options", "startPasskeySignIn", caller=Caller.anyone, body=True, optional_identity=True,
    codes=(Code.mfa_token_invalid, Code.token_expired, Code.token_invalid, Code.session_revoked,
           Code.account_suspended, Code.forbidden),
)  # fmt: skip
@blp.arguments(StartPasskeySignIn, required=False, example={})
@blp.response(200, PasskeyRequest)
def start_passkey_sign_in(data: dict[str, Any]) -> Any:
    """Ask for a passkey: hand `options` to the authenticator.

    Without a body and without an access token, it is for signing in with a passkey alone. With the `mfa_token` of `signIn`
    it is for the second step. With an access token it is for `stepUp`, and one of the account's own passkeys must answer.
    """
    return service(PasskeySignIn).start(data["mfa_token"], actor_if_sent())


@blp.operation(
    "POST", "/verify", "signInWithPasskey", caller=Caller.anyone, body=True,
    codes=(Code.invalid_credentials, Code.mfa_token_invalid, Code.account_suspended),
)  # fmt: skip
@blp.arguments(FinishPasskeySignIn)
@blp.response(200, SignedIn, headers=SET_COOKIE)
def sign_in_with_passkey(data: dict[str, Any]) -> Any:
    """Sign in with what the authenticator answered. It counts as two factors."""
    return deliver(service(PasskeySignIn).finish(data, current_client(data["device_name"])))
