"""Files of a project: listed, read, renamed, trashed, handed out."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.files.contents import Contents
from app.files.schemas import (
    AddressQuery,
    ContentQuery,
    File,
    FilePage,
    FileQuery,
    FileUpdate,
    ThumbnailQuery,
)
from app.files.service import FileService
from app.files.views import FileView
from app.web.blueprint import Blueprint
from app.web.conditional import if_match
from app.web.current import current_actor, service
from app.web.downloads import CONTENT_HEADERS, deliver_addressed, deliver_content
from app.web.openapi_headers import header_reference

blp = Blueprint("files", __name__, url_prefix="/api/v1", description="Files of a project.")
FILES = "/projects/<uuid:project_id>/files"
ONE = f"{FILES}/<uuid:file_id>"
CHANGED = (Code.not_found, Code.forbidden, Code.project_archived, Code.project_deleted)
HANDED_OUT = (
    Code.not_found, Code.forbidden, Code.write_conflict, Code.range_not_satisfiable, Code.storage_unavailable,
)  # fmt: skip
BYTES = {"type": "string", "format": "binary", "maxLength": 9_007_199_254_740_991}


def addressee() -> str | None:
    """Whose limits count a signed address: a page of pictures must not use up those of everybody behind one router."""
    return service(Contents).addressee(request.args.get("token", ""))


@blp.operation(
    "GET", FILES, "listFiles", caller=Caller.account, query=True, codes=(Code.not_found, Code.invalid_cursor)
)
@blp.arguments(FileQuery, location="query")
@blp.response(200, FilePage)
def list_files(query: dict[str, Any], project_id: UUID) -> Page[FileView]:
    """List the files of a project, the newest first."""
    return service(FileService).list_of(current_actor(), project_id, query["filters"], query["page"])


@blp.operation("GET", ONE, "getFile", caller=Caller.account, resource=File, codes=(Code.not_found,))
@blp.response(200, File)
def get_file(project_id: UUID, file_id: UUID) -> FileView:
    """Read what is known of one file, also while it is in the trash."""
    return service(FileService).get(current_actor(), project_id, file_id)


@blp.operation(
    "PATCH", ONE, "renameFile", caller=Caller.account, body=True, resource=File, idempotent=True, conditional=True,
    codes=(*CHANGED, Code.file_type_not_allowed),
)  # fmt: skip
@blp.arguments(FileUpdate, example={"name": "north wall 2026.jpg"})
@blp.response(200, File)
def rename_file(data: dict[str, Any], project_id: UUID, file_id: UUID) -> FileView:
    """Give a file another name."""
    return service(FileService).rename(current_actor(), project_id, file_id, data["name"], if_match())


@blp.operation(
    "DELETE", ONE, "deleteFile", caller=Caller.account, resource=File, conditional=True, codes=CHANGED
)
@blp.response(204)
def delete_file(project_id: UUID, file_id: UUID) -> None:
    """Move a file to the trash of its project; it can be restored for 30 days, and takes room as long as it lies there."""
    service(FileService).trash(current_actor(), project_id, file_id, if_match())


@blp.operation("POST", f"{ONE}/restore", "restoreFile", caller=Caller.account, resource=File, codes=CHANGED)
@blp.response(200, File)
def restore_file(project_id: UUID, file_id: UUID) -> FileView:
    """Take a file out of the trash."""
    return service(FileService).restore(current_actor(), project_id, file_id)


@blp.operation("DELETE", f"{ONE}/permanently", "purgeFile", caller=Caller.stepped_up, codes=CHANGED)
@blp.response(204)
def purge_file(project_id: UUID, file_id: UUID) -> None:
    """Remove a file in the trash for good: its room is free at once. Admins of the project and its owner may."""
    service(FileService).purge(current_actor(), project_id, file_id)


@blp.operation("GET", f"{ONE}/content", "downloadFile", caller=Caller.account, query=True, codes=HANDED_OUT)
@blp.arguments(ContentQuery, location="query")
@blp.response(200, BYTES, content_type="*/*", headers=CONTENT_HEADERS)
@blp.alt_response(206, schema=BYTES, content_type="*/*", headers=CONTENT_HEADERS, success=True)
@blp.alt_response(
    302, description="With `redirect=true`.", headers=header_reference("Location"), success=True
)
def download_file(query: dict[str, Any], project_id: UUID, file_id: UUID) -> Response:
    """Download a file, whole or one `Range` of it."""
    return deliver_content(
        service(Contents).whole(current_actor(), project_id, file_id),
        lambda: service(FileService).get(current_actor(), project_id, file_id).content_url,
        **query,
    )


@blp.operation("GET", f"{ONE}/thumbnail", "getThumbnail", caller=Caller.account, query=True, codes=HANDED_OUT)
@blp.arguments(ThumbnailQuery, location="query")
@blp.response(200, BYTES, content_type="image/webp", headers=CONTENT_HEADERS)
@blp.alt_response(206, schema=BYTES, content_type="image/webp", headers=CONTENT_HEADERS, success=True)
def get_thumbnail(query: dict[str, Any], project_id: UUID, file_id: UUID) -> Response:
    """A small picture of a picture."""
    return deliver_content(service(Contents).preview(current_actor(), project_id, file_id, query["size"]))


@blp.operation(
    "GET", "/files/content", "downloadFileByUrl", caller=Caller.anyone, query=True, counts_for=addressee,
    codes=(*HANDED_OUT, Code.token_expired_or_used),
)  # fmt: skip
@blp.arguments(AddressQuery, location="query")
@blp.response(200, BYTES, content_type="*/*", headers=CONTENT_HEADERS)
@blp.alt_response(206, schema=BYTES, content_type="*/*", headers=CONTENT_HEADERS, success=True)
@blp.alt_response(
    302,
    description="To the storage, where that is elsewhere.",
    headers=header_reference("Location"),
    success=True,
)
def download_file_by_url(query: dict[str, Any]) -> Response:
    """What `content_url` and `thumbnail_url` lead to: no header is needed, and nothing works after some minutes."""
    return deliver_addressed(service(Contents).addressed(query["token"]), download=query["download"])
