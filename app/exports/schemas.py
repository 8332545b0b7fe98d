"""Exports on the wire."""

from marshmallow import fields

from app.exports.models import ExportState
from app.web.fields import MAX_INT64, Choice, Id, Timestamp
from app.web.schemas import Output


class Export(Output):
    """A copy of one's data."""

    id = Id(required=True)
    state = Choice(list(ExportState), required=True)
    reason = fields.String(
        required=True, allow_none=True,
        metadata={"maxLength": 40, "description": "Why it failed: `internal_error`, `interrupted`.", "examples": [None]},
    )  # fmt: skip
    size = fields.Integer(
        required=True, allow_none=True,
        metadata={"minimum": 0, "maximum": MAX_INT64, "format": "int64", "description": "Bytes, once it is ready.",
                  "examples": [None]},
    )  # fmt: skip
    created_at = Timestamp(required=True)
    ready_at = Timestamp(required=True, allow_none=True)
    expires_at = Timestamp(required=True)
