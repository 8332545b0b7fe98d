"""Members on the wire."""

from typing import Any

from marshmallow import fields

from app.members.policy import GRANTABLE
from app.projects.models import ProjectRole
from app.projects.schemas import ProjectOwner
from app.web.fields import Choice, Id, Timestamp
from app.web.schemas import Input, Output, page_of

BOB = "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a03"


class Member(Output):
    """Somebody who belongs to a project."""

    user = fields.Nested(
        ProjectOwner, required=True, metadata={"examples": [{"id": BOB, "display_name": "Bob"}]}
    )
    email = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "format": "email",
            "maxLength": 254,
            "description": "Shown to admins and the owner.",
            "examples": ["bob@example.com"],
        },
    )
    role = Choice(list(ProjectRole), required=True, metadata={"examples": ["editor"]})
    joined_at = Timestamp(required=True)


MemberPage: Any = page_of(Member)


class MemberUpdate(Input):
    role = Choice(list(GRANTABLE), required=True, metadata={"examples": ["editor"]})


class ProjectTransfer(Input):
    user_id = Id(
        required=True, metadata={"examples": [BOB], "description": "A member, who owns it from now on."}
    )
