"""The history of a project."""

from typing import Any
from uuid import UUID

from app.activity.schemas import ProjectActivityPage, ProjectActivityQuery
from app.activity.service import ActivityService
from app.activity.views import ActivityView
from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.web.blueprint import Blueprint
from app.web.current import current_actor, service

blp = Blueprint(
    "activity",
    __name__,
    url_prefix="/api/v1/projects/<uuid:project_id>/activity",
    description="What happened in a project.",
)


@blp.operation(
    "GET", "", "listProjectActivity", caller=Caller.account, query=True,
    codes=(Code.not_found, Code.invalid_cursor),
)  # fmt: skip
@blp.arguments(ProjectActivityQuery, location="query")
@blp.response(200, ProjectActivityPage)
def list_project_activity(query: dict[str, Any], project_id: UUID) -> Page[ActivityView]:
    """List what happened in a project, the newest first: who did what to what, before and after."""
    return service(ActivityService).list_of(current_actor(), project_id, query["filters"], query["page"])
