"""The caller's own account."""

from typing import Any

from app.account.schemas import ActivityPage, UserUpdate
from app.account.service import ActivityService
from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.users.schemas import User
from app.users.service import UserService
from app.web.blueprint import Blueprint
from app.web.conditional import if_match
from app.web.current import current_actor, service
from app.web.schemas import PageQuery

blp = Blueprint(
    "account", __name__, url_prefix="/api/v1/me", description="The signed-in person's own account."
)


@blp.operation(
    "GET", "", "getMe", caller=Caller.account, resource=User, while_leaving=True, without_factor=True
)
@blp.response(200, User)
def get_me() -> Any:
    """Read my account."""
    return service(UserService).get(current_actor().user_id)


@blp.operation(
    "PATCH",
    "",
    "updateMe",
    caller=Caller.account,
    body=True,
    resource=User,
    idempotent=True,
    conditional=True,
)
@blp.arguments(UserUpdate, example={"display_name": "Alice", "locale": "en-GB", "time_zone": "Europe/Paris"})
@blp.response(200, User)
def update_me(changes: dict[str, Any]) -> Any:
    """Change my name, language or time zone."""
    return service(UserService).update_profile(current_actor(), changes, if_match())


@blp.operation(
    "GET",
    "/activity",
    "listMyActivity",
    caller=Caller.account,
    query=True,
    api_tokens=False,
    codes=(Code.invalid_cursor,),
)
@blp.arguments(PageQuery, location="query")
@blp.response(200, ActivityPage)
def list_my_activity(query: dict[str, Any]) -> Page[Any]:
    """List what happened to the safety of my account, the newest first."""
    return service(ActivityService).list_own(current_actor(), query["page"])
