"""Leaving, and thinking better of it."""

from typing import Any

from flask import Response

from app.core.access import Caller
from app.core.errors import Code
from app.deletion.schemas import AccountRestoration, DeletionScheduled
from app.deletion.service import DeletionService
from app.users.schemas import User
from app.web.blueprint import Blueprint
from app.web.current import current_actor, current_client, service

blp = Blueprint("deletion", __name__, url_prefix="/api/v1", description="Leaving, and coming back in time.")


@blp.operation(
    "DELETE", "/me", "deleteMe", caller=Caller.stepped_up,
    codes=(Code.last_administrator, Code.owns_shared_projects),
)  # fmt: skip
@blp.response(202, DeletionScheduled)
def delete_me() -> dict[str, Any]:
    """Have my account erased after a time of grace. Other sessions end; until it is restored little else is open."""
    return {"deletion_scheduled_at": service(DeletionService).schedule(current_actor(), current_client())}


@blp.operation(
    "POST", "/me/restore", "restoreMe", caller=Caller.account, resource=User, api_tokens=False, while_leaving=True,
    without_factor=True,
)  # fmt: skip
@blp.response(200, User)
def restore_me() -> Any:
    """Keep my account after all. Too late once the erasing has begun."""
    return service(DeletionService).restore(current_actor(), current_client())


@blp.operation(
    "POST", "/auth/restore-account", "restoreAccount", caller=Caller.anyone, body=True,
    codes=(Code.token_expired_or_used,),
)  # fmt: skip
@blp.arguments(AccountRestoration)
@blp.response(204)
def restore_account(data: dict[str, Any]) -> Response:
    """Keep the account after all, by the link of the mail that announced its deletion."""
    service(DeletionService).restore_by_link(data["token"], current_client())
    return Response(status=204)
