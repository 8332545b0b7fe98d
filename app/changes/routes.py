"""The change feed: how a client stays in step."""

from typing import Any

from app.changes.schemas import ChangePage, ChangesQuery
from app.changes.service import ChangeService
from app.changes.views import ChangeView
from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.web.blueprint import Blueprint
from app.web.current import current_actor, service

blp = Blueprint("changes", __name__, url_prefix="/api/v1/projects", description="What changed since.")


@blp.operation(
    "GET",
    "/changes",
    "listProjectChanges",
    caller=Caller.account,
    query=True,
    codes=(Code.invalid_cursor, Code.resync_required),
)
@blp.arguments(ChangesQuery, location="query")
@blp.response(200, ChangePage)
def list_project_changes(query: dict[str, Any]) -> Page[ChangeView]:
    """List what changed for me since, each project once."""
    return service(ChangeService).page(current_actor(), query.get("since"), query["limit"])
