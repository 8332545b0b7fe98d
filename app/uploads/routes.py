"""Files on their way in: by a form, or straight to the storage."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.files.schemas import File
from app.files.views import FileView
from app.uploads.direct import DirectUploads
from app.uploads.direct import StartedUpload as Started
from app.uploads.receiving import ReceivedFile, Receiving
from app.uploads.schemas import StartedUpload, UploadStart
from app.web.blueprint import Blueprint
from app.web.content_first import received
from app.web.current import current_actor, service, settings
from app.web.multipart import FORM, IncomingFile
from app.web.openapi_headers import header_reference

blp = Blueprint(
    "uploads",
    __name__,
    url_prefix="/api/v1/projects/<uuid:project_id>",
    description="Files on their way in: by a form, by tus, or straight to the storage.",
)
BEGUN = (
    Code.not_found, Code.forbidden, Code.project_archived, Code.project_deleted, Code.quota_exceeded, Code.file_too_large,
    Code.file_type_not_allowed, Code.storage_unavailable,
)  # fmt: skip
SENT = (*BEGUN, Code.body_too_large, Code.unsupported_media_type)


def receive_file(project_id: UUID) -> ReceivedFile:
    """Take the file of the request in, before its Idempotency-Key is looked at: it is the content that counts."""
    incoming = IncomingFile(settings().upload_max_bytes)
    return service(Receiving).receive(current_actor(), project_id, incoming)


def _created(file: FileView) -> tuple[FileView, dict[str, str]]:
    return file, {"Location": f"/api/v1/projects/{file.project_id}/files/{file.id}"}


@blp.operation(
    "POST", "/files", "uploadFile", caller=Caller.account, resource=File, idempotent=True, receive=receive_file, codes=SENT
)  # fmt: skip
@blp.doc(requestBody=FORM)
@blp.response(201, File, headers=header_reference("Location"))
def upload_file(project_id: UUID) -> tuple[FileView, dict[str, str]]:
    """Upload a file in one request. With an `Idempotency-Key` the same content counts as the same request."""
    del project_id
    return _created(service(Receiving).accept(current_actor(), received(ReceivedFile)))


# No Idempotency-Key: the answer holds a signed request. A start that is not completed is forgotten, with its room.
@blp.operation("POST", "/uploads", "startUpload", caller=Caller.account, body=True, codes=BEGUN)
@blp.arguments(UploadStart)
@blp.response(201, StartedUpload)
def start_upload(data: dict[str, Any], project_id: UUID) -> Started:
    """Begin an upload that goes straight to the storage; `write_conflict` where files come through this server only."""
    return service(DirectUploads).start(current_actor(), project_id, **data)


@blp.operation(
    "POST", "/uploads/<uuid:upload_id>/complete", "completeUpload", caller=Caller.account, resource=File,
    codes=(*BEGUN, Code.upload_incomplete, Code.checksum_mismatch),
)  # fmt: skip
@blp.response(201, File, headers=header_reference("Location"))
def complete_upload(project_id: UUID, upload_id: UUID) -> tuple[FileView, dict[str, str]]:
    """Make a file of what was sent to the storage, if it is what was announced."""
    return _created(service(DirectUploads).complete(current_actor(), project_id, upload_id))
