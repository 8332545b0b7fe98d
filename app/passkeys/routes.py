"""The signed-in person's passkeys."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.passkeys.schemas import (
    Passkey,
    PasskeyAdd,
    PasskeyAdded,
    PasskeyCreation,
    PasskeyPage,
    PasskeyUpdate,
)
from app.passkeys.service import PasskeyService
from app.web.blueprint import Blueprint
from app.web.cookies import SET_COOKIE, deliver_within
from app.web.current import current_actor, current_client, service

blp = Blueprint(
    "passkeys",
    __name__,
    url_prefix="/api/v1/me/passkeys",
    description="Passkeys: signing in without a password.",
)


@blp.operation("GET", "", "listPasskeys", caller=Caller.account, api_tokens=False, without_factor=True)
@blp.response(200, PasskeyPage)
def list_passkeys() -> Page[Any]:
    """List my passkeys, the newest first."""
    return service(PasskeyService).list_own(current_actor())


@blp.operation(
    "POST",
    "/options",
    "startPasskey",
    caller=Caller.stepped_up,
    codes=(Code.write_conflict,),
    without_factor=True,
)
@blp.response(200, PasskeyCreation)
def start_passkey() -> Any:
    """Ask for a new passkey: hand `options` to the authenticator. Needs no body."""
    return service(PasskeyService).start(current_actor())


@blp.operation(
    "POST", "", "addPasskey", caller=Caller.stepped_up, body=True, without_factor=True,
    codes=(Code.token_expired_or_used, Code.write_conflict),
)  # fmt: skip
@blp.arguments(PasskeyAdd)
@blp.response(201, PasskeyAdded, headers=SET_COOKIE)
def add_passkey(data: dict[str, Any]) -> Any:
    """Keep the passkey that the authenticator made. The first one is a second factor: other sessions end."""
    added = service(PasskeyService).add(
        current_actor(), data["challenge_token"], data["credential"], data["name"], current_client()
    )
    return deliver_within(added)


@blp.operation(
    "PATCH", "/<uuid:passkey_id>", "renamePasskey", caller=Caller.stepped_up, body=True, idempotent=True,
    codes=(Code.not_found,),
)  # fmt: skip
@blp.arguments(PasskeyUpdate)
@blp.response(200, Passkey)
def rename_passkey(data: dict[str, Any], passkey_id: UUID) -> Any:
    """Call a passkey something else."""
    return service(PasskeyService).rename(current_actor(), passkey_id, data["name"], current_client())


@blp.operation(
    "DELETE", "/<uuid:passkey_id>", "deletePasskey", caller=Caller.stepped_up, codes=(Code.not_found,)
)
@blp.response(204)
def delete_passkey(passkey_id: UUID) -> None:
    """Forget a passkey: it proves nothing any more. Administrators must keep one second factor."""
    service(PasskeyService).delete(current_actor(), passkey_id, current_client())
