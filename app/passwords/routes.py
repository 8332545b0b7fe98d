"""Passwords: changed by whoever knows the current one, set anew by mail."""

from typing import Any

from flask import Response

from app.core.access import Caller
from app.core.errors import Code
from app.passwords.resets import PasswordResets
from app.passwords.schemas import ForgotPassword, PasswordChange, ResetPassword, ResetRequested
from app.passwords.service import PasswordService
from app.web.auth import require_factor_step_up
from app.web.blueprint import Blueprint
from app.web.current import current_actor, current_client, service

blp = Blueprint("passwords", __name__, url_prefix="/api/v1", description="Changing and resetting passwords.")
BY_CODE = {"email": "dana@example.com", "code": "123456", "password": "another sentence only Dana knows"}


@blp.operation(
    "POST", "/me/password", "changePassword", caller=Caller.account, body=True, api_tokens=False,
    codes=(Code.invalid_credentials, Code.step_up_required), statuses={Code.invalid_credentials: 422},
)  # fmt: skip
@blp.arguments(PasswordChange)
@blp.response(204)
def change_password(data: dict[str, Any]) -> Response:
    """Change my password; all other sessions end. With a second factor, prove your identity first (step-up)."""
    actor = current_actor()
    require_factor_step_up(actor)
    service(PasswordService).change(
        actor, current=data["current_password"], new=data["new_password"], client=current_client()
    )
    return Response(status=204)


@blp.operation("POST", "/auth/forgot-password", "forgotPassword", caller=Caller.anyone, body=True)
@blp.arguments(ForgotPassword)
@blp.response(202, ResetRequested)
def forgot_password(data: dict[str, Any]) -> dict[str, int]:
    """Have a mail with a link and a code sent to the owner of an account. The answer never tells whether there is one."""
    return {"resend_after": service(PasswordResets).request(data["email"], current_client())}


@blp.operation(
    "POST", "/auth/reset-password", "resetPassword", caller=Caller.anyone, body=True,
    codes=(Code.invalid_code, Code.token_expired_or_used),
)  # fmt: skip
@blp.arguments(ResetPassword, example=BY_CODE)
@blp.response(204)
def reset_password(data: dict[str, Any]) -> Response:
    """Set another password by the mail's link or code. All sessions end; sign in with it afterwards."""
    service(PasswordResets).reset(data, current_client())
    return Response(status=204)
