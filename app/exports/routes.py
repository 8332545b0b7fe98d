"""A copy of one's data."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response

from app.core.access import Caller
from app.core.errors import Code
from app.exports.contents import ExportContents
from app.exports.schemas import Export
from app.exports.service import ExportService
from app.web.blueprint import Blueprint
from app.web.current import current_actor, current_client, service
from app.web.downloads import CONTENT_HEADERS, deliver_private
from app.web.openapi_headers import header_reference
from app.work.routes import job_location

blp = Blueprint("exports", __name__, url_prefix="/api/v1/me/exports", description="A copy of my data.")
ARCHIVE = {"type": "string", "format": "binary", "maxLength": 9_007_199_254_740_991}


@blp.operation("POST", "", "startExport", caller=Caller.stepped_up, idempotent=True, while_leaving=True)
@blp.response(202, Export, headers=header_reference("Location"))
def start_export() -> Any:
    """Have a copy of my data made. One at a time: while one is in the making, that one is answered."""
    export = service(ExportService).start(current_actor(), current_client())
    return export, job_location(export.id)


@blp.operation(
    "GET", "/<uuid:export_id>", "getExport", caller=Caller.account, api_tokens=False, while_leaving=True,
    codes=(Code.not_found,),
)  # fmt: skip
@blp.response(200, Export)
def get_export(export_id: UUID) -> Any:
    """See how far a copy is. It can be downloaded for some days; a newer one takes its place."""
    return service(ExportService).get(current_actor(), export_id)


@blp.operation(
    "GET", "/<uuid:export_id>/content", "downloadExport", caller=Caller.account, api_tokens=False,
    while_leaving=True,
    codes=(Code.not_found, Code.write_conflict, Code.read_only, Code.range_not_satisfiable, Code.storage_unavailable),
)  # fmt: skip
@blp.response(200, ARCHIVE, content_type="application/zip", headers=CONTENT_HEADERS)
@blp.alt_response(206, schema=ARCHIVE, content_type="application/zip", headers=CONTENT_HEADERS, success=True)
def download_export(export_id: UUID) -> Response:
    """Download a copy that is ready, whole or one `Range` of it: a zip of files, and of JSON with a page to read.

    Before, the answer is `write_conflict`.
    """
    contents, actor, client = service(ExportContents), current_actor(), current_client()
    return deliver_private(contents.whole(actor, export_id), partial(contents.note, actor, client, export_id))
