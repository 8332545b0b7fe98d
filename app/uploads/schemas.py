"""Uploads on the wire."""

import re
from typing import Any

from marshmallow import fields

from app.core.errors import FieldCode
from app.files.schemas import BYTES
from app.uploads.views import LASTING
from app.web.faults import refuse
from app.web.fields import Choice, Id, Number, Text, Timestamp
from app.web.schemas import Input, Output, page_of

LARGEST = 5 * 2**30
_SHA256 = re.compile("[0-9a-f]{64}")


class Digest(Text):
    """A SHA-256 in 64 hexadecimal digits; bytes for whoever asks us."""

    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": "^[0-9a-f]{64}$", "minLength": 64, "examples": ["5c" * 32]}
        super().__init__(longest=64, metadata=metadata, **options)

    def accept(self, text: str) -> Any:
        if not _SHA256.fullmatch(text):
            raise refuse(FieldCode.invalid_format, "64 hexadecimal digits in small letters.")
        return bytes.fromhex(text)


class UploadStart(Input):
    """What will be sent; the signed request takes exactly this."""

    name = Text(required=True, shortest=1, longest=255, metadata={"examples": ["north wall.jpg"]})
    size = Number(
        required=True, smallest=1, largest=LARGEST, metadata={"format": "int64", "examples": [48213]}
    )
    content_type = Text(required=True, shortest=1, longest=127, metadata={"examples": ["image/jpeg"]})
    sha256 = Digest(required=True)


class StartedUpload(Output):
    """Send the content by this request, with all of these headers, then call `completeUpload`."""

    upload_id = Id(required=True)
    method = fields.String(required=True, metadata={"maxLength": 10, "examples": ["PUT"]})
    url = fields.String(required=True, metadata={"format": "uri", "maxLength": 4_000})
    headers = fields.Dict(
        keys=fields.String(),
        values=fields.String(metadata={"maxLength": 1_000}),
        required=True,
        metadata={"maxProperties": 20, "examples": [{"Content-Type": "image/jpeg"}]},
    )
    expires_at = Timestamp(required=True)


class Upload(Output):
    """An upload under way. A resumable one goes on at `tus_url`, behind what it has `received`; of one that goes straight to the
    storage nothing is known until `completeUpload`.
    """

    id = Id(required=True)
    project_id = Id(required=True)
    kind = Choice(list(LASTING), required=True, metadata={"examples": ["resumable"]})
    name = fields.String(required=True, metadata={"maxLength": 255, "examples": ["north wall.jpg"]})
    size = fields.Integer(required=True, metadata=BYTES)
    received = fields.Integer(required=True, metadata=BYTES)
    tus_url = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "uri-reference", "maxLength": 200, "examples": [None]},
    )
    created_at = Timestamp(required=True)
    expires_at = Timestamp(required=True)


UploadPage: Any = page_of(Upload)


class UploadProgress(Output):
    """How far a resumable upload is. `file_id` is null until it is complete."""

    id = Id(required=True)
    project_id = Id(required=True)
    offset = fields.Integer(required=True, metadata=BYTES)
    size = fields.Integer(required=True, metadata=BYTES)
    expires_at = Timestamp(required=True)
    file_id = Id(required=True, allow_none=True, metadata={"examples": [None]})
