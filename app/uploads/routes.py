"""Files on their way in: by a form, or straight to the storage."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.files.schemas import File
from app.files.views import FileView
from app.uploads.direct import DirectUploads
from app.uploads.direct import StartedUpload as Started
from app.uploads.receiving import ReceivedFile, Receiving
from app.uploads.schemas import StartedUpload, UploadPage, UploadStart
from app.uploads.under_way import UploadsUnderWay
from app.web.blueprint import Blueprint
from app.web.content_first import received
from app.web.current import current_actor, service, settings
from app.web.multipart import FORM, IncomingFile
from app.web.openapi_headers import header_reference
from app.web.schemas import PageQuery

blp = Blueprint(
    "uploads",
    __name__,
    url_prefix="/api/v1",
    description="Files on their way in: by a form, by tus, or straight to the storage.",
)
FILES, UPLOADS = "/projects/<uuid:project_id>/files", "/projects/<uuid:project_id>/uploads"
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
    "POST", FILES, "uploadFile", caller=Caller.account, resource=File, idempotent=True, receive=receive_file, codes=SENT
)  # fmt: skip
@blp.doc(requestBody=FORM)
@blp.response(201, File, headers=header_reference("Location"))
def upload_file(project_id: UUID) -> tuple[FileView, dict[str, str]]:
    """Upload a file in one request. With an `Idempotency-Key` the same content counts as the same request."""
    del project_id
    return _created(service(Receiving).accept(current_actor(), received(ReceivedFile)))


# No Idempotency-Key: the answer holds a signed request. A start that is not completed is forgotten, with its room.
@blp.operation("POST", UPLOADS, "startUpload", caller=Caller.account, body=True, codes=BEGUN)
@blp.arguments(UploadStart)
@blp.response(201, StartedUpload)
def start_upload(data: dict[str, Any], project_id: UUID) -> Started:
    """Begin an upload that goes straight to the storage; `write_conflict` where files come through this server only."""
    return service(DirectUploads).start(current_actor(), project_id, **data)


@blp.operation(
    "POST", f"{UPLOADS}/<uuid:upload_id>/complete", "completeUpload", caller=Caller.account, resource=File,
    codes=(*BEGUN, Code.upload_incomplete, Code.checksum_mismatch),
)  # fmt: skip
@blp.response(201, File, headers=header_reference("Location"))
def complete_upload(project_id: UUID, upload_id: UUID) -> tuple[FileView, dict[str, str]]:
    """Make a file of what was sent to the storage, if it is what was announced."""
    return _created(service(DirectUploads).complete(current_actor(), project_id, upload_id))


@blp.operation(
    "GET", "/me/uploads", "listMyUploads", caller=Caller.account, query=True, codes=(Code.invalid_cursor,)
)
@blp.arguments(PageQuery, location="query")
@blp.response(200, UploadPage)
def list_my_uploads(query: dict[str, Any]) -> Page[Any]:
    """List my uploads under way in all projects, the newest first: resumable ones, and those that go straight to the storage."""
    return service(UploadsUnderWay).list_own(current_actor(), query["page"])


@blp.operation(
    "DELETE", "/me/uploads/<uuid:upload_id>", "deleteMyUpload", caller=Caller.account, codes=(Code.not_found,)
)
@blp.response(204)
def delete_my_upload(upload_id: UUID) -> None:
    """End one of my uploads and forget what came, also in a project that I have left since."""
    service(UploadsUnderWay).end(current_actor(), upload_id)
