"""Projects: created, read, listed, changed, archived, trashed."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.projects.bulk import BulkOutcome, ProjectBulk
from app.projects.schemas import (
    Project,
    ProjectBulkAnswer,
    ProjectBulkRequest,
    ProjectCreate,
    ProjectExpand,
    ProjectPage,
    ProjectQuery,
    ProjectUpdate,
)
from app.projects.service import ProjectService
from app.projects.views import ProjectView
from app.web.blueprint import Blueprint
from app.web.conditional import if_match
from app.web.current import current_actor, service
from app.web.openapi_headers import header_reference

blp = Blueprint("projects", __name__, url_prefix="/api/v1/projects", description="Projects and their life.")
ONE = (Code.not_found, Code.forbidden)
REEF = {"name": "Reef survey", "description": "What grows where, and since when."}


@blp.operation(
    "GET", "", "listProjects", caller=Caller.account, query=True, codes=(Code.invalid_cursor,),
    ahead=lambda user_id: service(ProjectService).expect_list(user_id),
)  # fmt: skip
@blp.arguments(ProjectQuery, location="query")
@blp.response(200, ProjectPage)
def list_projects(query: dict[str, Any]) -> Page[ProjectView]:
    """List my projects, the last changed first."""
    return service(ProjectService).list_visible(
        current_actor(), query["filters"], query["page"], query["expand"]
    )


@blp.operation(
    "POST", "", "createProject", caller=Caller.account, body=True, resource=Project, idempotent=True
)
@blp.arguments(ProjectCreate, example=REEF)
@blp.response(
    201,
    Project,
    headers=header_reference("Location"),
)
def create_project(data: dict[str, Any]) -> tuple[ProjectView, dict[str, str]]:
    """Create a project of my own."""
    project = service(ProjectService).create(current_actor(), **data)
    return project, {"Location": f"{blp.url_prefix}/{project.id}"}


# No Idempotency-Key: done twice is done once, and an answer of 100 projects would be kept for a day.
@blp.operation("POST", "/bulk", "bulkProjects", caller=Caller.account, body=True)
@blp.arguments(ProjectBulkRequest)
@blp.response(200, ProjectBulkAnswer)
def bulk_projects(data: dict[str, Any]) -> dict[str, list[BulkOutcome]]:
    """Archive, unarchive, trash or restore up to 100 projects, each on its own."""
    return {"results": service(ProjectBulk).run(current_actor(), data["action"], data["ids"])}


@blp.operation(
    "GET", "/<uuid:project_id>", "getProject", caller=Caller.account, query=True, resource=Project, codes=ONE,
    ahead=lambda user_id, project_id: service(ProjectService).expect(user_id, project_id),
)  # fmt: skip
@blp.arguments(ProjectExpand, location="query")
@blp.response(200, Project)
def get_project(query: dict[str, Any], project_id: UUID) -> ProjectView:
    """Read one project."""
    return service(ProjectService).get(current_actor(), project_id, query["expand"])


@blp.operation(
    "PATCH", "/<uuid:project_id>", "updateProject", caller=Caller.account, body=True, resource=Project,
    idempotent=True, conditional=True, codes=(*ONE, Code.project_archived, Code.project_deleted),
)  # fmt: skip
@blp.arguments(ProjectUpdate, example={"name": "Reef survey 2026"})
@blp.response(200, Project)
def update_project(changes: dict[str, Any], project_id: UUID) -> ProjectView:
    """Change name or description; absent keeps, null clears."""
    return service(ProjectService).update(current_actor(), project_id, changes, if_match())


@blp.operation(
    "DELETE",
    "/<uuid:project_id>",
    "deleteProject",
    caller=Caller.account,
    resource=Project,
    conditional=True,
    codes=ONE,
)
@blp.response(204)
def delete_project(project_id: UUID) -> None:
    """Move a project to the trash; it can be restored for 30 days."""
    service(ProjectService).trash(current_actor(), project_id, if_match())


@blp.operation(
    "POST", "/<uuid:project_id>/archive", "archiveProject", caller=Caller.account, resource=Project,
    codes=(*ONE, Code.project_deleted),
)  # fmt: skip
@blp.response(200, Project)
def archive_project(project_id: UUID) -> ProjectView:
    """Make a project read-only."""
    return service(ProjectService).archive(current_actor(), project_id)


@blp.operation(
    "POST", "/<uuid:project_id>/unarchive", "unarchiveProject", caller=Caller.account, resource=Project,
    codes=(*ONE, Code.project_deleted),
)  # fmt: skip
@blp.response(200, Project)
def unarchive_project(project_id: UUID) -> ProjectView:
    """Make an archived project editable again."""
    return service(ProjectService).unarchive(current_actor(), project_id)


@blp.operation(
    "POST", "/<uuid:project_id>/restore", "restoreProject", caller=Caller.account, resource=Project, codes=ONE
)
@blp.response(200, Project)
def restore_project(project_id: UUID) -> ProjectView:
    """Take a project out of the trash, as it was."""
    return service(ProjectService).restore(current_actor(), project_id)


@blp.operation(
    "DELETE", "/<uuid:project_id>/permanently", "purgeProject", caller=Caller.stepped_up, codes=ONE
)
@blp.response(204)
def purge_project(project_id: UUID) -> None:
    """Remove a project in the trash for good."""
    service(ProjectService).purge(current_actor(), project_id)
