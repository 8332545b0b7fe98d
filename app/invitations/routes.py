"""Invitations: sent, sent again and revoked by a project's admins; looked at and answered by who was invited."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.invitations.inviting import Inviting
from app.invitations.schemas import (
    Invitation,
    InvitationCreate,
    InvitationPage,
    InvitationPreview,
    InvitationToken,
)
from app.invitations.service import InvitationService
from app.projects.schemas import Project
from app.projects.views import ProjectView
from app.web.blueprint import Blueprint
from app.web.current import current_actor, current_client, service
from app.web.schemas import PageQuery

blp = Blueprint(
    "invitations", __name__, url_prefix="/api/v1", description="Invitations to projects, by e-mail."
)
OF_PROJECT = "/projects/<uuid:project_id>/invitations"
ONE_OF_PROJECT = f"{OF_PROJECT}/<uuid:invitation_id>"
MINE = "/invitations"
WRITING = (Code.not_found, Code.forbidden, Code.project_archived, Code.project_deleted)
JOINING = (Code.invitation_closed, Code.already_member, Code.project_archived)


@blp.operation(
    "GET", OF_PROJECT, "listInvitations", caller=Caller.account, query=True,
    codes=(Code.not_found, Code.forbidden, Code.invalid_cursor),
)  # fmt: skip
@blp.arguments(PageQuery, location="query")
@blp.response(200, InvitationPage)
def list_invitations(query: dict[str, Any], project_id: UUID) -> Page[Any]:
    """List a project's invitations, the newest first, for its admins. Closed ones are shown for a month."""
    return service(Inviting).list_in(current_actor(), project_id, query["page"])


@blp.operation(
    "POST", OF_PROJECT, "createInvitation", caller=Caller.account, body=True, idempotent=True,
    codes=(*WRITING, Code.already_member, Code.invitation_pending),
)  # fmt: skip
@blp.arguments(InvitationCreate, example={"email": "dana@example.com", "role": "editor"})
@blp.response(201, Invitation)
def create_invitation(data: dict[str, Any], project_id: UUID) -> Any:
    """Invite an address, with or without an account, to a role below my own. A mail with a link follows."""
    return service(Inviting).create(
        current_actor(), project_id, data["email"], data["role"], current_client()
    )


@blp.operation(
    "POST", f"{ONE_OF_PROJECT}/resend", "resendInvitation", caller=Caller.account,
    codes=(*WRITING, Code.invitation_closed),
)  # fmt: skip
@blp.response(202, Invitation)
def resend_invitation(project_id: UUID, invitation_id: UUID) -> Any:
    """Send the mail again; the time to accept begins anew."""
    return service(Inviting).resend(current_actor(), project_id, invitation_id, current_client())


@blp.operation(
    "DELETE", ONE_OF_PROJECT, "revokeInvitation", caller=Caller.account, codes=(*WRITING, Code.invitation_closed)
)  # fmt: skip
@blp.response(204)
def revoke_invitation(project_id: UUID, invitation_id: UUID) -> None:
    """Take an invitation back that nobody has answered."""
    service(Inviting).revoke(current_actor(), project_id, invitation_id)


@blp.operation(
    "POST", f"{MINE}/preview", "previewInvitation", caller=Caller.anyone, body=True,
    codes=(Code.invitation_closed,),
)  # fmt: skip
@blp.arguments(InvitationToken)
@blp.response(200, InvitationPreview)
def preview_invitation(data: dict[str, Any]) -> Any:
    """Show what the mail's link invites to. This accepts nothing."""
    return service(InvitationService).preview(data["token"])


@blp.operation(
    "GET", MINE, "listMyInvitations", caller=Caller.account, query=True, codes=(Code.invalid_cursor,)
)
@blp.arguments(PageQuery, location="query")
@blp.response(200, InvitationPage)
def list_my_invitations(query: dict[str, Any]) -> Page[Any]:
    """List the open invitations for my address, the newest first."""
    return service(InvitationService).list_own(current_actor(), query["page"])


@blp.operation(
    "POST", f"{MINE}/<uuid:invitation_id>/accept", "acceptInvitation", caller=Caller.account, resource=Project,
    codes=(Code.not_found, *JOINING),
)  # fmt: skip
@blp.response(200, Project)
def accept_invitation(invitation_id: UUID) -> ProjectView:
    """Join the project that I am invited to."""
    return service(InvitationService).accept(current_actor(), invitation_id)


@blp.operation(
    "POST", f"{MINE}/<uuid:invitation_id>/decline", "declineInvitation", caller=Caller.account,
    codes=(Code.not_found, Code.invitation_closed),
)  # fmt: skip
@blp.response(204)
def decline_invitation(invitation_id: UUID) -> None:
    """Turn an invitation for my address down."""
    service(InvitationService).decline(current_actor(), invitation_id)


@blp.operation(
    "POST", f"{MINE}/accept", "acceptInvitationByToken", caller=Caller.account, body=True, resource=Project,
    codes=(Code.invitation_email_mismatch, *JOINING),
)  # fmt: skip
@blp.arguments(InvitationToken)
@blp.response(200, Project)
def accept_invitation_by_token(data: dict[str, Any]) -> ProjectView:
    """Join by the mail's link, signed in to the account that has the invited address."""
    return service(InvitationService).accept_by_token(current_actor(), data["token"])
