"""What can go wrong, as codes that clients may rely on.

Business code raises ``AppError`` with a code from the closed list and a sentence that is safe to show. It knows
no HTTP status: app/web/errors.py turns the code into an RFC 9457 problem. docs/errors.md has a paragraph for each.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """The closed list of problem codes that this version can answer."""

    malformed_json = "malformed_json"
    bad_request = "bad_request"
    not_authenticated = "not_authenticated"
    token_expired = "token_expired"
    token_invalid = "token_invalid"
    session_revoked = "session_revoked"
    session_expired = "session_expired"
    invalid_credentials = "invalid_credentials"
    refresh_invalid = "refresh_invalid"
    refresh_reused = "refresh_reused"
    mfa_token_invalid = "mfa_token_invalid"
    forbidden = "forbidden"
    step_up_required = "step_up_required"
    csrf_failed = "csrf_failed"
    email_not_verified = "email_not_verified"
    account_suspended = "account_suspended"
    account_deletion_scheduled = "account_deletion_scheduled"
    mfa_enrolment_required = "mfa_enrolment_required"
    token_scope_insufficient = "token_scope_insufficient"
    invitation_email_mismatch = "invitation_email_mismatch"
    quota_exceeded = "quota_exceeded"
    not_found = "not_found"
    method_not_allowed = "method_not_allowed"
    request_in_progress = "request_in_progress"
    write_conflict = "write_conflict"
    project_archived = "project_archived"
    project_deleted = "project_deleted"
    last_owner = "last_owner"
    already_member = "already_member"
    invitation_pending = "invitation_pending"
    last_administrator = "last_administrator"
    owns_shared_projects = "owns_shared_projects"
    mfa_already_enabled = "mfa_already_enabled"
    upload_incomplete = "upload_incomplete"
    token_expired_or_used = "token_expired_or_used"
    invitation_closed = "invitation_closed"
    resync_required = "resync_required"
    version_conflict = "version_conflict"
    unsupported_tus_version = "unsupported_tus_version"
    body_too_large = "body_too_large"
    file_too_large = "file_too_large"
    uri_too_long = "uri_too_long"
    unsupported_media_type = "unsupported_media_type"
    file_type_not_allowed = "file_type_not_allowed"
    range_not_satisfiable = "range_not_satisfiable"
    headers_too_large = "headers_too_large"
    validation_failed = "validation_failed"
    invalid_cursor = "invalid_cursor"
    invalid_code = "invalid_code"
    checksum_mismatch = "checksum_mismatch"
    idempotency_key_reused = "idempotency_key_reused"
    token_transport_conflict = "token_transport_conflict"
    rate_limited = "rate_limited"
    internal_error = "internal_error"
    database_unavailable = "database_unavailable"
    overloaded = "overloaded"
    read_only = "read_only"
    storage_unavailable = "storage_unavailable"


class FieldCode(StrEnum):
    """The closed list of what can be wrong with one field."""

    required = "required"
    unknown_field = "unknown_field"
    wrong_type = "wrong_type"
    too_short = "too_short"
    too_long = "too_long"
    too_small = "too_small"
    too_large = "too_large"
    invalid_format = "invalid_format"
    invalid_choice = "invalid_choice"
    null_not_allowed = "null_not_allowed"
    password_too_common = "password_too_common"
    password_contains_context = "password_contains_context"
    password_breached = "password_breached"


class QuotaScope(StrEnum):
    """What is full, with ``quota_exceeded``: the project, the account that owns it, or the list of one's own uploads under way."""

    project = "project"
    account = "account"
    uploads = "uploads"


@dataclass(frozen=True)
class FieldFault:
    """One field that was refused: where it was sent, its dotted name, a code, a sentence, what the rule was."""

    field: str
    code: FieldCode
    detail: str
    location: str = "body"
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class AppError(Exception):
    """A use case ended without its effect, for a reason the client may know.

    Args:
        code: one of the closed list.
        detail: an English sentence, safe to show to anybody.
        fields: what is wrong with which field, for ``validation_failed`` and ``invalid_code``.
        extra: members added to the problem (``retry_after``, ``current`` ...).
        retry_after: seconds until trying again makes sense.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        fields: Sequence[FieldFault] = (),
        extra: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = tuple(fields)
        self.extra = dict(extra or {})
        self.retry_after = retry_after


def not_found(what: str = "resource") -> AppError:
    """The same answer whether the thing does not exist or the caller may not know of it (SEC-39)."""
    return AppError(Code.not_found, f"There is no such {what}.")


def invalid(field_name: str, code: FieldCode, detail: str, **params: Any) -> AppError:
    """A refusal of one field of the body."""
    fault = FieldFault(field_name, code, detail, params=params)
    return AppError(Code.validation_failed, "The request has a field that is not valid.", fields=[fault])
