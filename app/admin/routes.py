"""Administration: accounts, the security trail, figures."""

from typing import Any
from uuid import UUID

from app.admin.schemas import (
    AuditEventPage,
    AuditQuery,
    Stats,
    UserDetail,
    UserPage,
    UserQuery,
    UserStanding,
)
from app.admin.service import AdminService
from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.web.blueprint import Blueprint
from app.web.conditional import if_match
from app.web.current import current_actor, current_client, service

blp = Blueprint("admin", __name__, url_prefix="/api/v1/admin", description="For administrators of the site.")
ONE = "/users/<uuid:user_id>"


@blp.operation(
    "GET", "/users", "listUsers", caller=Caller.administrator, query=True, codes=(Code.invalid_cursor,)
)
@blp.arguments(UserQuery, location="query")
@blp.response(200, UserPage)
def list_users(query: dict[str, Any]) -> Page[Any]:
    """List all accounts, the newest first."""
    return service(AdminService).list_users(current_actor(), query["filters"], query["page"])


@blp.operation(
    "GET", ONE, "getUser", caller=Caller.administrator, resource=UserDetail, codes=(Code.not_found,)
)
@blp.response(200, UserDetail)
def get_user(user_id: UUID) -> Any:
    """Read one account, with its sessions and factors as figures."""
    return service(AdminService).get(user_id)


@blp.operation(
    "PATCH", ONE, "updateUser", caller=Caller.stepped_up_administrator, body=True, resource=UserDetail,
    idempotent=True, conditional=True, codes=(Code.not_found, Code.forbidden, Code.last_administrator),
)  # fmt: skip
@blp.arguments(UserStanding, example={"status": "suspended"})
@blp.response(200, UserDetail)
def update_user(wanted: dict[str, Any], user_id: UUID) -> Any:
    """Change role or status; suspending ends all sessions of the account at once."""
    return service(AdminService).update(current_actor(), user_id, wanted, if_match(), current_client())


@blp.operation(
    "DELETE", f"{ONE}/sessions", "revokeUserSessions", caller=Caller.stepped_up_administrator,
    codes=(Code.not_found, Code.forbidden),
)  # fmt: skip
@blp.response(204)
def revoke_user_sessions(user_id: UUID) -> None:
    """Sign an account out everywhere."""
    service(AdminService).end_sessions(current_actor(), user_id, current_client())


@blp.operation(
    "DELETE", f"{ONE}/mfa", "resetUserMfa", caller=Caller.stepped_up_administrator,
    codes=(Code.not_found, Code.forbidden),
)  # fmt: skip
@blp.response(204)
def reset_user_mfa(user_id: UUID) -> None:
    """Remove all second factors of an account, for somebody who lost them; its sessions end."""
    service(AdminService).reset_factors(current_actor(), user_id, current_client())


@blp.operation(
    "GET", "/audit-events", "listAuditEvents", caller=Caller.administrator, query=True,
    codes=(Code.invalid_cursor,),
)  # fmt: skip
@blp.arguments(AuditQuery, location="query")
@blp.response(200, AuditEventPage)
def list_audit_events(query: dict[str, Any]) -> Page[Any]:
    """List security events of all accounts, the newest first."""
    return service(AdminService).list_audit_events(current_actor(), query["filters"], query["page"])


@blp.operation("GET", "/stats", "getStats", caller=Caller.administrator)
@blp.response(200, Stats)
def get_stats() -> Any:
    """Read the figures of the site."""
    return service(AdminService).stats()
