"""What each problem code means and what a client does about it: for /docs/errors and docs/errors.md."""

from app.core.errors import Code

EXPLANATIONS: dict[Code, str] = {
    Code.malformed_json: "The body is not one strict JSON document: bad syntax, a name that stands twice, NaN, text that"
    " is not Unicode, nesting beyond 64 levels. Mend the client; do not retry.",
    Code.bad_request: "The request could not be understood at the level of HTTP: a host name we do not answer to, a bad"
    " header, a body in very many tiny chunks. Mend the client.",
    Code.not_authenticated: "No access token was sent. Sign in, or send `Authorization: Bearer ...`.",
    Code.token_expired: "The access token has run out, or a newer one replaced it. Refresh, then repeat the request.",
    Code.token_invalid: "The access token is damaged or not ours. Refresh; if that fails too, sign in.",
    Code.session_revoked: "The session was ended, here or on another device. Sign in again.",
    Code.session_expired: "The session was unused for too long or reached its longest life. Sign in again.",
    Code.invalid_credentials: "The address or the password is not right. Which of them is never told. In a step-up it is"
    " the password, after a passkey its answer: begin again. Changing a password answers it with 422, for the field"
    " `current_password`.",
    Code.refresh_invalid: "There was no refresh token, or not one of ours, or its session has ended. Drop it and sign in.",
    Code.refresh_reused: "A refresh token that was replaced came a second time, so the session was ended to be safe."
    " Drop the token and sign in. A client that retries a lost refresh with the same token never sees this.",
    Code.mfa_token_invalid: "The `mfa_token` has expired, was used, or was tried too often. Begin with the password.",
    Code.forbidden: "You are known, and you may not do this here.",
    Code.step_up_required: "This needs a proof of identity that is at most `max_age` seconds old. Prove it by one of"
    " `methods`, then repeat the request.",
    Code.csrf_failed: "The refresh cookie came without `X-CSRF-Token` or from an origin that is not in `CORS_ORIGINS`.",
    Code.email_not_verified: "The password is right, the address is not confirmed yet. Offer to send the mail again.",
    Code.account_suspended: "An administrator suspended the account.",
    Code.account_deletion_scheduled: "The account waits for its deletion. Offer to restore it (`restoreMe`); until then"
    " only reading it, its export and signing out are open.",
    Code.mfa_enrolment_required: "This needs a second factor. Administrators must have one for whatever they do, and"
    " recovery codes stand beside one. Enrol one first.",
    Code.token_scope_insufficient: "The API token lacks the scope for this: `read` for reading, `write` for all else.",
    Code.invitation_email_mismatch: "The invitation is for another address than that of this account. Sign in with the"
    " account that has the invited address, or be invited anew.",
    Code.quota_exceeded: "The project, or the account that owns it, has no room for the file; `scope` says which. Files in the trash"
    " count until they are removed for good. `uploads`: you have too many under way.",
    Code.not_found: "There is no such thing, or you may not know of it. A malformed id in a path answers the same.",
    Code.method_not_allowed: "The address exists and does not take this method; `Allow` lists those it takes.",
    Code.request_in_progress: "The first request with this Idempotency-Key still runs. Repeat it after `Retry-After`.",
    Code.write_conflict: "What you asked for conflicts with something that exists or happens at the same moment."
    " Read again, then decide.",
    Code.project_archived: "Archived projects are read-only. Unarchive it first.",
    Code.project_deleted: "The project is in the trash. Restore it first.",
    Code.last_owner: "A project always has one owner. Transfer it first, then leave.",
    Code.already_member: "Who has this address belongs to the project already.",
    Code.invitation_pending: "This address is invited already, and the invitation is open. Send it again, or revoke it.",
    Code.last_administrator: "The site needs an administrator. Make another one first.",
    Code.owns_shared_projects: "The account owns projects that others belong to; `projects` lists them. Transfer or"
    " delete them first.",
    Code.mfa_already_enabled: "A second factor of this kind is on already. Turn it off first.",
    Code.upload_incomplete: "The content has not arrived whole. Send the rest, then complete the upload again.",
    Code.token_expired_or_used: "The link, code or challenge is too old, was used, or was tried too often. Ask for"
    " a new mail where one can be had, or begin again with the passkey. The address of a file: read the file anew.",
    Code.invitation_closed: "The invitation was accepted, declined or revoked, has expired, or its project is gone. Ask for"
    " another one.",
    Code.resync_required: "The cursor of the change feed is older than what is kept, or of another data base. Begin without"
    " `since` and replace what you have.",
    Code.version_conflict: "The resource changed since you read it. `current` and `ETag` show how it is now: merge,"
    " then repeat with the new `If-Match`.",
    Code.unsupported_tus_version: "Resumable uploads speak tus 1.0.0: send `Tus-Resumable: 1.0.0`.",
    Code.body_too_large: "The body is larger than this route takes (1 MiB for JSON).",
    Code.file_too_large: "The file is larger than this server takes, which is `max` and `limits.upload_max_bytes` of `getMeta`; or"
    " more has come by tus than `Upload-Length` announced.",
    Code.uri_too_long: "The address is longer than 4,094 characters.",
    Code.unsupported_media_type: "The body must be JSON and say so: `Content-Type: application/json`. A file comes as"
    " `multipart/form-data`, a part of one by tus as `application/offset+octet-stream`.",
    Code.file_type_not_allowed: "Files of this type are not taken, or the content is not what name and declared type say. `detail`"
    " says which; `limits.content_types` of `getMeta` lists what is taken.",
    Code.range_not_satisfiable: "The file has no such part; `Content-Range` tells how long it is. Ask anew without"
    " `Range`.",
    Code.headers_too_large: "One header is longer than 8 KiB, or there are too many.",
    Code.validation_failed: "`errors` lists each refused field: where it was (`location`), its dotted name (`field`), a"
    " stable `code` and a sentence. Show them beside the fields.",
    Code.invalid_cursor: "The cursor is forged, or belongs to another list, other filters or another sort. Start anew"
    " without it.",
    Code.invalid_code: "The code is wrong, used or too old. Let the person try again. A code of a mail ends after five"
    " tries: offer a new mail. The second step and a step-up answer it with 401.",
    Code.checksum_mismatch: "What arrived is not what was announced: size or SHA-256 differ. Nothing was kept; send it anew.",
    Code.idempotency_key_reused: "This Idempotency-Key was used for a different request. Make a new key.",
    Code.token_transport_conflict: "The refresh token came in the body and in the cookie. Send it one way only.",
    Code.rate_limited: "Too many requests of this kind. Wait `retry_after` seconds (also in `Retry-After`);"
    " `RateLimit-Policy` tells the limit.",
    Code.internal_error: "A fault of ours; it was logged under `request_id`. Retrying later may help.",
    Code.database_unavailable: "The database cannot be reached. Retry after `Retry-After`, with the same Idempotency-Key.",
    Code.overloaded: "Too much at once. Retry after `Retry-After`, with the same Idempotency-Key.",
    Code.read_only: "The service does not take writes at the moment; reading works. Retry after `Retry-After`.",
    Code.storage_unavailable: "The file storage is full or does not answer. Nothing was changed; wait for `Retry-After`.",
}
