"""Where one is signed in, and ending it."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.sessions.schemas import SessionPage
from app.sessions.service import SessionService
from app.web.blueprint import Blueprint
from app.web.current import current_actor, service

blp = Blueprint(
    "sessions", __name__, url_prefix="/api/v1/auth/sessions", description="Devices that are signed in."
)


@blp.operation("GET", "", "listSessions", caller=Caller.account, api_tokens=False)
@blp.response(200, SessionPage)
def list_sessions() -> Page[Any]:
    """List my sessions, the last used first."""
    return service(SessionService).list_own(current_actor())


@blp.operation(
    "DELETE",
    "/<uuid:session_id>",
    "revokeSession",
    caller=Caller.account,
    codes=(Code.not_found,),
    api_tokens=False,
)
@blp.response(204)
def revoke_session(session_id: UUID) -> None:
    """End one of my sessions; its tokens stop working within a second."""
    service(SessionService).revoke(current_actor(), session_id)


@blp.operation("DELETE", "", "revokeOtherSessions", caller=Caller.account, api_tokens=False)
@blp.response(204)
def revoke_other_sessions() -> None:
    """End all my sessions but this one."""
    service(SessionService).revoke_others(current_actor())
