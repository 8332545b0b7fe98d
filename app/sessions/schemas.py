"""Sessions and sign-ins on the wire."""

from typing import Any

from marshmallow import fields

from app.sessions.models import Transport
from app.users.schemas import User
from app.web.current import current_actor
from app.web.fields import Choice, Id, Timestamp
from app.web.schemas import Output, page_of

SECONDS = {"minimum": 0, "maximum": 31_536_000, "format": "int32"}
REFRESH_EXAMPLE = "hfr1.k1.AZelsHweemCcLz87ihwKAg.7.c2lnbmF0dXJl"
DEVICE_EXAMPLE = "hfd1.k1.AZelsHweemCcLz87ihwKAQ.AZelsHweemCcLz87ihwKAw.0.c2lnbmF0dXJl"


class SignedIn(Output):
    """A session and its tokens."""

    status = Choice(["signed_in"], required=True)
    access_token = fields.String(
        required=True,
        metadata={"maxLength": 2000, "examples": ["eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJ0eXAi.c2ln"]},
    )
    token_type = Choice(["Bearer"], required=True)
    expires_in = fields.Integer(required=True, metadata={**SECONDS, "examples": [600]})
    refresh_token = fields.String(
        required=True, allow_none=True,
        metadata={
            "maxLength": 200, "description": "Null where the refresh token came as a cookie.",
            "examples": [REFRESH_EXAMPLE],
        },
    )  # fmt: skip
    refresh_expires_at = Timestamp(
        required=True, metadata={"description": "When the session ends unless it is refreshed before."}
    )
    session_id = Id(required=True)
    step_up_until = Timestamp(
        required=True, metadata={"description": "Until when the last proof of identity counts as recent."}
    )
    device_token = fields.String(
        required=True, allow_none=True,
        metadata={
            "maxLength": 500, "examples": [DEVICE_EXAMPLE],
            "description": "Keep it when the session ends and send it with the next sign-in on this device. Null where"
            " nobody signed in: keep the one you have.",
        },
    )  # fmt: skip
    user = fields.Nested(User, required=True)


class Session(Output):
    """One sign-in on one device."""

    id = Id(required=True)
    device_name = fields.String(
        required=True, allow_none=True, metadata={"maxLength": 100, "examples": ["Alice's phone"]}
    )
    user_agent = fields.String(
        required=True, metadata={"maxLength": 300, "examples": ["Holdfast/1.0 (iPhone; iOS 19.1)"]}
    )
    ip = fields.String(
        required=True, allow_none=True,
        metadata={"maxLength": 45, "description": "Truncated to its network.", "examples": ["203.0.113.0"]},
    )  # fmt: skip
    transport = Choice(list(Transport), required=True)
    created_at = Timestamp(required=True)
    last_used_at = Timestamp(required=True)
    expires_at = Timestamp(
        required=True,
        metadata={"description": "Its end, however often it is refreshed; unused it ends before."},
    )
    current = fields.Function(
        lambda row: row.id == current_actor().session_id, required=True, metadata={"type": "boolean"}
    )


SessionPage: Any = page_of(Session, total=False)
