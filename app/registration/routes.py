"""Registering, and proving the address."""

from typing import Any

from app.core.access import Caller
from app.core.errors import Code
from app.registration.schemas import Register, ResendVerification, Resent, VerificationRequired, VerifyEmail
from app.registration.service import RegistrationService
from app.sessions.schemas import SignedIn
from app.web.blueprint import Blueprint
from app.web.cookies import SET_COOKIE, deliver
from app.web.current import current_client, service

blp = Blueprint("registration", __name__, url_prefix="/api/v1/auth", description="Getting an account.")
DANA = {"email": "dana@example.com", "password": "a sentence only Dana knows", "display_name": "Dana"}


@blp.operation("POST", "/register", "register", caller=Caller.anyone, body=True)
@blp.arguments(Register, example=DANA)
@blp.response(202, VerificationRequired)
def register(data: dict[str, Any]) -> dict[str, Any]:
    """Ask for an account; a mail with a link and a code follows. The answer never tells whether one exists."""
    wait = service(RegistrationService).register(
        email=data["email"], password=data["password"], display_name=data["display_name"],
        client=current_client(data["device_name"]),
    )  # fmt: skip
    return {"status": "verification_required", "email": data["email"], "resend_after": wait}


@blp.operation(
    "POST", "/verify-email", "verifyEmail", caller=Caller.anyone, body=True,
    codes=(Code.invalid_code, Code.token_expired_or_used),
)  # fmt: skip
@blp.arguments(
    VerifyEmail, example={"email": "dana@example.com", "code": "123456", "device_name": "Dana's phone"}
)
@blp.response(200, SignedIn, headers=SET_COOKIE)
def verify_email(data: dict[str, Any]) -> Any:
    """Confirm the address by the mail's link or code; this signs in."""
    return deliver(service(RegistrationService).verify(data, current_client(data["device_name"])))


@blp.operation("POST", "/resend-verification", "resendVerification", caller=Caller.anyone, body=True)
@blp.arguments(ResendVerification)
@blp.response(202, Resent)
def resend_verification(data: dict[str, Any]) -> dict[str, int]:
    """Have the mail sent again, with a new code."""
    return {"resend_after": service(RegistrationService).resend(email=data["email"], client=current_client())}
