"""Invitations on the wire."""

from typing import Any

from marshmallow import fields

from app.invitations.models import InvitationStatus
from app.members.policy import GRANTABLE
from app.web.fields import Choice, EmailAddress, Id, Secret, Timestamp
from app.web.schemas import Input, Output, page_of

TOKEN = "hfi1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"
ADDRESS = {"format": "email", "maxLength": 254, "examples": ["dana@example.com"]}
ROLE = {"examples": ["editor"]}
PROJECT_NAME = {"maxLength": 255, "examples": ["Reef survey"]}
NAME = {"maxLength": 100, "examples": ["Alice"]}
ERASED = {"description": "Null once the account of whoever invited is erased."}


class InvitationCreate(Input):
    email = EmailAddress(required=True, metadata={"examples": ["dana@example.com"]})
    role = Choice(GRANTABLE, required=True, metadata={**ROLE, "description": "Below the own one."})


class InvitationToken(Input):
    token = Secret(
        required=True, longest=500, metadata={"examples": [TOKEN], "description": "Of the mail's link."}
    )


class InvitedTo(Output):
    id = Id(required=True)
    name = fields.String(required=True, metadata=PROJECT_NAME)


class Inviter(Output):
    id = Id(required=True)
    display_name = fields.String(required=True, metadata=NAME)


class Invitation(Output):
    """Somebody may join a project, in a role, if they have the address."""

    id = Id(required=True)
    project = fields.Nested(InvitedTo, required=True)
    email = fields.String(required=True, metadata=ADDRESS)
    role = Choice(GRANTABLE, required=True, metadata=ROLE)
    status = Choice(list(InvitationStatus), required=True)
    invited_by = fields.Nested(Inviter, required=True, allow_none=True, metadata=ERASED)
    expires_at = Timestamp(required=True)
    created_at = Timestamp(required=True)


class InviterName(Output):
    display_name = fields.String(required=True, metadata=NAME)


class InvitationPreview(Output):
    """What a link invites to, for people who are not signed in."""

    email = fields.String(required=True, metadata=ADDRESS)
    role = Choice(GRANTABLE, required=True, metadata=ROLE)
    project_name = fields.String(required=True, metadata=PROJECT_NAME)
    invited_by = fields.Nested(InviterName, required=True, allow_none=True, metadata=ERASED)
    expires_at = Timestamp(required=True)


InvitationPage: Any = page_of(Invitation)
