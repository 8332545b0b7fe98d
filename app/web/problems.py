"""The catalogue of problems: status, title and meaning of each code (RFC 9457)."""

from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, g, request

from app.core.errors import Code, FieldFault
from app.core.telemetry import request_id
from app.web.operations import declared

MEDIA_TYPE = "application/problem+json"
UNPROCESSABLE = 422  # these always list `errors`, be it empty


@dataclass(frozen=True)
class ProblemKind:
    status: int
    title: str


CATALOGUE: dict[Code, ProblemKind] = {
    Code.malformed_json: ProblemKind(400, "Malformed JSON"),
    Code.bad_request: ProblemKind(400, "Bad request"),
    Code.not_authenticated: ProblemKind(401, "Not signed in"),
    Code.token_expired: ProblemKind(401, "Access token expired"),
    Code.token_invalid: ProblemKind(401, "Access token not valid"),
    Code.session_revoked: ProblemKind(401, "Session ended"),
    Code.session_expired: ProblemKind(401, "Session expired"),
    Code.invalid_credentials: ProblemKind(401, "Wrong address or password"),
    Code.refresh_invalid: ProblemKind(401, "Refresh token not valid"),
    Code.refresh_reused: ProblemKind(401, "Refresh token used before"),
    Code.mfa_token_invalid: ProblemKind(401, "Second step not valid"),
    Code.forbidden: ProblemKind(403, "Not permitted"),
    Code.step_up_required: ProblemKind(403, "Prove your identity again"),
    Code.csrf_failed: ProblemKind(403, "Request from a foreign page"),
    Code.email_not_verified: ProblemKind(403, "Address not confirmed"),
    Code.account_suspended: ProblemKind(403, "Account suspended"),
    Code.account_deletion_scheduled: ProblemKind(403, "Account is being deleted"),
    Code.mfa_enrolment_required: ProblemKind(403, "Second factor needed"),
    Code.token_scope_insufficient: ProblemKind(403, "API token may not do this"),
    Code.invitation_email_mismatch: ProblemKind(403, "Invitation for another address"),
    Code.quota_exceeded: ProblemKind(403, "No room left"),
    Code.not_found: ProblemKind(404, "Not found"),
    Code.method_not_allowed: ProblemKind(405, "Method not allowed"),
    Code.request_in_progress: ProblemKind(409, "The same request is in progress"),
    Code.write_conflict: ProblemKind(409, "Conflict"),
    Code.project_archived: ProblemKind(409, "Project is archived"),
    Code.project_deleted: ProblemKind(409, "Project is in the trash"),
    Code.last_owner: ProblemKind(409, "A project needs its owner"),
    Code.already_member: ProblemKind(409, "Already a member"),
    Code.invitation_pending: ProblemKind(409, "Invited already"),
    Code.last_administrator: ProblemKind(409, "Last administrator"),
    Code.owns_shared_projects: ProblemKind(409, "Owns projects of others too"),
    Code.mfa_already_enabled: ProblemKind(409, "Second factor is on already"),
    Code.upload_incomplete: ProblemKind(409, "Upload not complete"),
    Code.token_expired_or_used: ProblemKind(410, "Expired or used"),
    Code.invitation_closed: ProblemKind(410, "Invitation no longer open"),
    Code.resync_required: ProblemKind(410, "Synchronise anew"),
    Code.version_conflict: ProblemKind(412, "Changed since you read it"),
    Code.unsupported_tus_version: ProblemKind(412, "Another version of tus"),
    Code.body_too_large: ProblemKind(413, "Body too large"),
    Code.file_too_large: ProblemKind(413, "File too large"),
    Code.uri_too_long: ProblemKind(414, "Address too long"),
    Code.unsupported_media_type: ProblemKind(415, "Unsupported media type"),
    Code.file_type_not_allowed: ProblemKind(415, "Files of this type are not taken"),
    Code.range_not_satisfiable: ProblemKind(416, "Range not satisfiable"),
    Code.headers_too_large: ProblemKind(431, "Headers too large"),
    Code.validation_failed: ProblemKind(422, "Not valid"),
    Code.invalid_cursor: ProblemKind(422, "Cursor not valid"),
    Code.invalid_code: ProblemKind(422, "Wrong code"),
    Code.checksum_mismatch: ProblemKind(422, "Content differs from its checksum"),
    Code.idempotency_key_reused: ProblemKind(422, "Idempotency key used for another request"),
    Code.token_transport_conflict: ProblemKind(422, "Refresh token sent twice"),
    Code.rate_limited: ProblemKind(429, "Too many requests"),
    Code.internal_error: ProblemKind(500, "Internal error"),
    Code.database_unavailable: ProblemKind(503, "Database unavailable"),
    Code.overloaded: ProblemKind(503, "Overloaded"),
    Code.read_only: ProblemKind(503, "Read-only"),
    Code.storage_unavailable: ProblemKind(503, "File storage unavailable"),
}


def body(code: Code, detail: str, *, fields: tuple[FieldFault, ...] = (), **extra: Any) -> dict[str, Any]:
    """The members of a problem, in the order people read them."""
    kind = CATALOGUE[code]
    members: dict[str, Any] = {
        "type": type_uri(code),
        "title": kind.title,
        "status": status_of(code),
        "detail": detail,
        "code": code.value,
        "request_id": request_id.get() or "",
    }
    if fields or kind.status == UNPROCESSABLE:
        members["errors"] = [
            {
                "location": fault.location,
                "field": fault.field,
                "code": fault.code.value,
                "detail": fault.detail,
                "params": dict(fault.params),
            }
            for fault in fields
        ]
    members.update(extra)
    return members


def status_of(code: Code) -> int:
    """The status here: an operation may answer a code with another one than the catalogue says."""
    operation = declared(current_app, request.endpoint)
    return operation.statuses.get(code, CATALOGUE[code].status) if operation else CATALOGUE[code].status


def type_uri(code: Code) -> str:
    """The page of the documentation that explains the code."""
    base = current_app.extensions["holdfast"].settings.base_url
    return f"{base}/docs/errors#{code.value}"


def problem(code: Code, detail: str, *, fields: tuple[FieldFault, ...] = (), **extra: Any) -> Response:
    """A whole answer."""
    g.problem_code = code.value
    content = body(code, detail, fields=fields, **extra)
    return Response(current_app.json.dumps(content), content["status"], content_type=MEDIA_TYPE)
