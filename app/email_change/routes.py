"""Another address for an account."""

from typing import Any

from flask import Response

from app.core.access import Caller
from app.core.errors import Code
from app.email_change.schemas import (
    EmailChangeCancellation,
    EmailChangeConfirmation,
    EmailChangeRequest,
    EmailChangeRequested,
)
from app.email_change.service import EmailChangeService
from app.web.blueprint import SIGNED_IN, Blueprint
from app.web.current import actor_if_sent, current_actor, current_client, service

blp = Blueprint("email_change", __name__, url_prefix="/api/v1", description="Changing the address.")


@blp.operation("POST", "/me/email", "changeEmail", caller=Caller.stepped_up, body=True)
@blp.arguments(EmailChangeRequest)
@blp.response(202, EmailChangeRequested)
def change_email(data: dict[str, Any]) -> dict[str, Any]:
    """Ask for another address. It counts once it is confirmed by the mail sent there; the old one is told and can object."""
    wait = service(EmailChangeService).request(current_actor(), data["email"], current_client())
    return {"status": "confirmation_required", "email": data["email"], "resend_after": wait}


@blp.operation("DELETE", "/me/email", "cancelPendingEmail", caller=Caller.account, api_tokens=False)
@blp.response(204)
def cancel_pending_email() -> Response:
    """Give up the change of address that waits to be confirmed."""
    service(EmailChangeService).withdraw(current_actor())
    return Response(status=204)


@blp.operation(
    "POST", "/auth/confirm-email-change", "confirmEmailChange", caller=Caller.anyone, body=True,
    optional_identity=True,
    codes=(Code.token_expired_or_used, Code.invalid_code, Code.forbidden, *SIGNED_IN),
)  # fmt: skip
@blp.arguments(EmailChangeConfirmation, example={"token": "hfe1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"})
@blp.response(204)
def confirm_email_change(data: dict[str, Any]) -> Response:
    """Confirm the new address by the mail's link; or by its code, signed in to the account."""
    service(EmailChangeService).confirm(data, actor_if_sent, current_client())
    return Response(status=204)


@blp.operation(
    "POST", "/auth/cancel-email-change", "cancelEmailChange", caller=Caller.anyone, body=True,
    codes=(Code.token_expired_or_used,),
)  # fmt: skip
@blp.arguments(EmailChangeCancellation)
@blp.response(204)
def cancel_email_change(data: dict[str, Any]) -> Response:
    """Keep or get back the old address, by the link it was sent. After the change this ends all sessions, API tokens and the password."""
    service(EmailChangeService).cancel(data["token"], current_client())
    return Response(status=204)
