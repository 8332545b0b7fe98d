"""Headers in the OpenAPI document: what answers carry, and what requests may."""

from typing import Any

from app.web.operations import Operation

HEADERS = "#/components/headers"
MAX_HEADER = 1_000


def _text(description: str, longest: int, example: str | None = None, **schema: Any) -> dict[str, Any]:
    header = {"description": description, "schema": {"type": "string", "maxLength": longest, **schema}}
    return header if example is None else {**header, "example": example}


COMPONENTS: dict[str, Any] = {
    "X-Request-ID": _text(
        "Names this request in our log; send your own (8 to 64 letters, digits, hyphens) to choose it.",
        64, "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a99", pattern="^[A-Za-z0-9-]{8,64}$",
    ),
    "RateLimit-Policy": _text(
        "The limit that counted this request: quota `q` in `w` seconds.", 200, '"reads";q=600;w=60'
    ),
    "RateLimit": _text(
        "What is left of it: `r` requests, `t` seconds until it starts afresh.", 200, '"reads";r=599;t=60'
    ),
    "Access-Control-Allow-Origin": _text(
        "Your page's origin, where it is allowed here; absent otherwise. Never `*`.", 300, "https://app.example.com"
    ),
    "Retry-After": {
        "description": "Seconds until trying again makes sense.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 315_360_000},
        "example": 30,
    },
    "WWW-Authenticate": _text(
        '`Bearer`; with `error="invalid_token"` where a token was sent (RFC 6750).', 300, 'Bearer realm="holdfast"'
    ),
    "ETag": _text(
        "Version and digest of the resource. Send it back in `If-None-Match` or `If-Match`.", 66, '"7.5c0f1e2a9b3d4c6e"'
    ),
    "Idempotency-Replayed": _text(
        "`true` where the stored answer of an earlier request with the same key was sent.", 4, enum=["true"]
    ),
    "Content-Disposition": _text(
        "That it is a file to keep, and its name (RFC 6266, RFC 8187).", 1_100, 'attachment; filename="export.zip"'
    ),
    "Accept-Ranges": _text("That one part of it may be asked for.", 10, "bytes"),
    "Content-Range": _text("Which part this is, with 206.", 100, "bytes 0-1023/48213"),
    "Upload-Offset": _text("Bytes that have arrived.", 16, "0"),
    "Upload-Length": _text("Bytes of the whole file.", 16, "48213"),
    "Upload-Expires": _text("Until when the upload may go on.", 40, "Fri, 01 May 2026 12:00:00 GMT"),
    "Tus-Resumable": _text("The version of the protocol.", 10, "1.0.0"),
    "Location": _text("Where the new resource is; with 202, where to ask how far it is.", 4_000, format="uri-reference"),
    "Set-Cookie": _text(
        "The refresh token, with `token_transport: cookie` alone: HttpOnly, SameSite=Lax, Path=/api/v1/auth.", 1_000
    ),
}  # fmt: skip
EVERYWHERE = ("X-Request-ID", "RateLimit-Policy", "RateLimit", "Access-Control-Allow-Origin")
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "A word of your choice. Repeating the request with it within 24 hours has no second effect and gets"
    " the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}  # fmt: skip
IF_MATCH = {
    "name": "If-Match", "in": "header", "required": False,
    "description": "The ETag you read. The write is refused with 412 where the resource has changed since.",
    "schema": {"type": "string", "maxLength": MAX_HEADER},
}  # fmt: skip
IF_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "required": False,
    "description": "The ETag you have. The answer is 304 without a body where nothing has changed.",
    "schema": {"type": "string", "maxLength": MAX_HEADER},
}  # fmt: skip
CSRF_TOKEN = {
    "name": "X-CSRF-Token", "in": "header", "required": False,
    "description": "Any value. Needed where the refresh token comes as a cookie, besides an allowed `Origin`.",
    "schema": {"type": "string", "maxLength": MAX_HEADER},
}  # fmt: skip


def header_parameters(declared: Operation, verb: str) -> list[dict[str, Any]]:
    """The headers that an operation takes note of, as OpenAPI parameters."""
    reads_resource = declared.resource is not None and verb.lower() == "get"
    return [
        *[IDEMPOTENCY_KEY] * declared.idempotent,
        *[IF_MATCH] * declared.conditional,
        *[IF_NONE_MATCH] * reads_resource,
        *[CSRF_TOKEN] * declared.refresh_cookie,
    ]


def header_reference(name: str) -> dict[str, Any]:
    """For the ``headers`` of a response: one of the components above."""
    return {name: {"$ref": f"{HEADERS}/{name}"}}


def header_references(*names: str) -> dict[str, Any]:
    """The same of several."""
    return {name: reference for each in names for name, reference in header_reference(each).items()}


def headers(*names: str) -> dict[str, Any]:
    """The headers of an answer: those of every one, and these."""
    return {
        name: reference
        for each in (*EVERYWHERE, *names)
        for name, reference in header_reference(each).items()
    }
