"""tus 1.0: uploads that go on after a lost connection. Core, creation, termination, expiration."""

from typing import Any
from uuid import UUID

from flask import Response

from app.core.access import Caller
from app.core.errors import Code
from app.uploads.resumable import Resumable
from app.uploads.schemas import UploadProgress
from app.uploads.tus_headers import (
    MEDIA_TYPE,
    VERSION,
    body_in_pieces,
    file_metadata,
    headers_of,
    number,
    require_version,
    spoken,
)
from app.uploads.views import TUS
from app.web.blueprint import Blueprint
from app.web.current import current_actor, service, settings
from app.web.openapi_headers import header_references

blp = Blueprint(
    "tus",
    __name__,
    url_prefix="/api/v1/projects/<uuid:project_id>/tus",
    description="Resumable uploads by the tus 1.0 protocol; use one of its clients.",
)
BEGUN = (
    Code.not_found, Code.forbidden, Code.project_archived, Code.project_deleted, Code.quota_exceeded, Code.file_too_large,
    Code.file_type_not_allowed, Code.unsupported_tus_version,
)  # fmt: skip
ONE = "/<uuid:upload_id>"


def _header(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name, "in": "header", "required": True, "description": description, "example": example,
        "schema": {"type": "string", "maxLength": 1_000, **schema},
    }  # fmt: skip


RESUMABLE = _header("Tus-Resumable", "The version of the protocol.", VERSION, enum=[VERSION])
LENGTH = _header(
    "Upload-Length", "Bytes of the whole file.", "48213", pattern="^0*[1-9][0-9]*$", maxLength=16
)
METADATA = _header(
    "Upload-Metadata", "filename, and filetype where it is known, in base64.", "filename bm9ydGguanBn"
)
OFFSET = _header("Upload-Offset", "Where the body goes on.", "0", pattern="^[0-9]{1,16}$")
BODY = {
    "required": True,
    "content": {
        MEDIA_TYPE: {"schema": {"type": "string", "format": "binary", "maxLength": 9_007_199_254_740_991}}
    },
}
TOLD = header_references("Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable")


@blp.after_request
def speak_tus(response: Response) -> Response:
    """What every answer of the protocol says, and to OPTIONS what this server can."""
    return spoken(response, settings().upload_max_bytes)


@blp.operation("POST", "", "createTusUpload", caller=Caller.account, codes=BEGUN)
@blp.doc(parameters=[RESUMABLE, LENGTH, METADATA])
@blp.response(201, headers={**TOLD, **header_references("Location")})
def create_tus_upload(project_id: UUID) -> Response:
    """Begin a resumable upload; `Location` is where its content goes, by PATCH."""
    require_version()
    name, declared = file_metadata()
    progress = service(Resumable).create(
        current_actor(), project_id, number("Upload-Length", 1), name, declared
    )
    where = {"Location": TUS.format(project_id=project_id, upload_id=progress.id)}
    return Response(status=201, headers={**headers_of(progress), **where})


@blp.operation("GET", ONE, "getTusUpload", caller=Caller.account, codes=(Code.not_found,))
@blp.response(200, UploadProgress, headers=TOLD)
def get_tus_upload(project_id: UUID, upload_id: UUID) -> Any:
    """How far an upload is, and which file it has become. HEAD tells the same in its headers."""
    progress = service(Resumable).progress(current_actor(), project_id, upload_id)
    return progress, headers_of(progress)


@blp.operation(
    "PATCH", ONE, "appendTusUpload", caller=Caller.account,
    codes=(*BEGUN, Code.unsupported_media_type, Code.body_too_large, Code.storage_unavailable),
)  # fmt: skip
@blp.doc(parameters=[RESUMABLE, OFFSET], requestBody=BODY)
@blp.response(204, headers=TOLD)
def append_tus_upload(project_id: UUID, upload_id: UUID) -> Response:
    """Send the content from an offset on, all of it or a part; with the last byte it becomes a file."""
    require_version()
    offset, pieces = number("Upload-Offset", 0), body_in_pieces(settings().upload_max_bytes)
    progress = service(Resumable).append(current_actor(), project_id, upload_id, offset, pieces)
    return Response(status=204, headers=headers_of(progress))


@blp.operation("DELETE", ONE, "deleteTusUpload", caller=Caller.account, codes=BEGUN)
@blp.doc(parameters=[RESUMABLE])
@blp.response(204)
def delete_tus_upload(project_id: UUID, upload_id: UUID) -> None:
    """End an upload and forget what came; a file that it has become stays."""
    require_version()
    service(Resumable).end(current_actor(), project_id, upload_id)
