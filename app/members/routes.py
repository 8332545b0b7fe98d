"""Members of a project: listed, given a role, removed, leaving; and the project handed to one of them."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.members.schemas import Member, MemberPage, MemberUpdate, ProjectTransfer
from app.members.service import MemberService
from app.members.transfers import Transfers
from app.members.views import MemberView
from app.projects.schemas import Project
from app.projects.views import ProjectView
from app.web.blueprint import Blueprint
from app.web.current import current_actor, current_client, service
from app.web.schemas import PageQuery

blp = Blueprint(
    "members",
    __name__,
    url_prefix="/api/v1/projects/<uuid:project_id>",
    description="Who belongs to a project, and as what.",
)
CHANGED = (Code.not_found, Code.forbidden, Code.last_owner, Code.project_archived, Code.project_deleted)


@blp.operation(
    "GET", "/members", "listMembers", caller=Caller.account, query=True,
    codes=(Code.not_found, Code.invalid_cursor),
)  # fmt: skip
@blp.arguments(PageQuery, location="query")
@blp.response(200, MemberPage)
def list_members(query: dict[str, Any], project_id: UUID) -> Page[MemberView]:
    """List the members, who joined first comes first."""
    return service(MemberService).list_of(current_actor(), project_id, query["page"])


@blp.operation(
    "PATCH", "/members/<uuid:user_id>", "updateMember", caller=Caller.account, body=True, codes=CHANGED
)
@blp.arguments(MemberUpdate, example={"role": "editor"})
@blp.response(200, Member)
def update_member(data: dict[str, Any], project_id: UUID, user_id: UUID) -> MemberView:
    """Give a member below my own role another one below it."""
    return service(MemberService).change_role(current_actor(), project_id, user_id, data["role"])


@blp.operation("DELETE", "/members/<uuid:user_id>", "removeMember", caller=Caller.account, codes=CHANGED)
@blp.response(204)
def remove_member(project_id: UUID, user_id: UUID) -> None:
    """Take a member below my own role out of the project, at once."""
    service(MemberService).remove(current_actor(), project_id, user_id)


@blp.operation(
    "POST", "/leave", "leaveProject", caller=Caller.account, codes=(Code.not_found, Code.last_owner)
)
@blp.response(204)
def leave_project(project_id: UUID) -> None:
    """End my membership; the owner transfers the project first."""
    service(MemberService).leave(current_actor(), project_id)


@blp.operation(
    "POST", "/transfer", "transferProject", caller=Caller.stepped_up, body=True, resource=Project,
    codes=(Code.not_found, Code.forbidden, Code.project_archived, Code.project_deleted),
)  # fmt: skip
@blp.arguments(ProjectTransfer)
@blp.response(200, Project)
def transfer_project(data: dict[str, Any], project_id: UUID) -> ProjectView:
    """Hand the project to a member; I stay in it as an admin."""
    return service(Transfers).transfer(current_actor(), project_id, data["user_id"], current_client())
