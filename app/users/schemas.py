"""An account on the wire."""

from marshmallow import fields

from app.core.access import AccountStatus, SiteRole
from app.web.fields import Choice, Id, Timestamp
from app.web.schemas import Output

AVATAR = {"format": "uri", "maxLength": 500, "examples": [None]}


class User(Output):
    """An account, as its owner sees it."""

    id = Id(required=True, metadata={"examples": ["0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01"]})
    email = fields.String(
        required=True, metadata={"format": "email", "maxLength": 254, "examples": ["alice@example.com"]}
    )
    pending_email = fields.String(
        required=True, allow_none=True, metadata={"format": "email", "maxLength": 254, "examples": [None]}
    )
    email_verified = fields.Boolean(required=True)
    display_name = fields.String(required=True, metadata={"maxLength": 100, "examples": ["Alice"]})
    locale = fields.String(required=True, allow_none=True, metadata={"maxLength": 35, "examples": ["en-GB"]})
    time_zone = fields.String(
        required=True, allow_none=True, metadata={"maxLength": 64, "examples": ["Europe/Paris"]}
    )
    role = Choice(list(SiteRole), required=True)
    status = Choice(list(AccountStatus), required=True)
    mfa_enabled = fields.Boolean(required=True)
    has_password = fields.Boolean(required=True)
    avatar_url = fields.String(required=True, allow_none=True, metadata=AVATAR)
    deletion_scheduled_at = Timestamp(required=True, allow_none=True)
    version = fields.Integer(
        required=True, metadata={"minimum": 1, "maximum": 2147483647, "format": "int32", "examples": [3]}
    )
    created_at = Timestamp(required=True, metadata={"examples": ["2026-05-01T12:00:00.000Z"]})
    updated_at = Timestamp(required=True)
