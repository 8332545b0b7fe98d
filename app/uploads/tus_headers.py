"""The headers of tus 1.0, read and written (https://tus.io/protocols/resumable-upload)."""

import base64
import binascii
from collections.abc import Iterator
from email.utils import format_datetime

from flask import Response, request

from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.uploads.resumable import Progress
from app.web.body_guard import ENVIRON_KEY

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
MEDIA_TYPE = "application/offset+octet-stream"
PIECE = 256 * 1024
MOST_DIGITS = 16
LONGEST_TYPE = 127
PRECONDITION_FAILED = 412


def require_version() -> None:
    """Refuse other versions of the protocol.

    Raises:
        AppError: ``unsupported_tus_version``.
    """
    if request.headers.get("Tus-Resumable") != VERSION:
        raise AppError(Code.unsupported_tus_version, f"Send Tus-Resumable: {VERSION}.")


def number(header: str, smallest: int) -> int:
    """A header that is a whole number.

    Raises:
        AppError: ``validation_failed``.
    """
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) >= smallest):
        raise _refused(header, FieldCode.invalid_format, f"A whole number, at least {smallest}.")
    return int(text)


def file_metadata() -> tuple[str, str | None]:
    """Name and declared type, as Upload-Metadata has them: ``filename`` or ``name``, ``filetype`` or ``type``.

    Raises:
        AppError: ``validation_failed``.
    """
    pairs = list(_pairs(request.headers.get("Upload-Metadata", "")))
    told = dict(pairs)
    name, declared = told.get("filename") or told.get("name"), told.get("filetype") or told.get("type")
    if not name:
        raise _refused("Upload-Metadata", FieldCode.required, "It must hold filename.")
    if len(told) < len(pairs):
        raise _refused("Upload-Metadata", FieldCode.invalid_format, "Each key once.")
    if declared and (len(declared) > LONGEST_TYPE or not declared.isprintable()):
        raise _refused("Upload-Metadata", FieldCode.invalid_format, "filetype must be a media type.")
    return name, declared


def body_in_pieces(limit: int) -> Iterator[bytes]:
    """The body, of the protocol's own type.

    Raises:
        AppError: ``unsupported_media_type``.
    """
    if request.mimetype != MEDIA_TYPE:
        raise AppError(Code.unsupported_media_type, f"Send Content-Type: {MEDIA_TYPE}.")
    body = request.environ[ENVIRON_KEY]
    body.limit = limit
    return iter(lambda: body.read(PIECE), b"")


def headers_of(progress: Progress) -> dict[str, str]:
    """Where an upload is."""
    return {
        "Upload-Offset": str(progress.offset),
        "Upload-Length": str(progress.size),
        "Upload-Expires": format_datetime(progress.expires_at, usegmt=True),
        "Cache-Control": "no-store",
    }


def spoken(response: Response, largest: int) -> Response:
    """Say which protocol this is; to who asks, or speaks another version, also what this server can."""
    response.headers["Tus-Resumable"] = VERSION
    if request.method == "OPTIONS" or response.status_code == PRECONDITION_FAILED:
        response.headers["Tus-Version"] = VERSION
        response.headers["Tus-Extension"] = EXTENSIONS
        response.headers["Tus-Max-Size"] = str(largest)
    return response


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            yield key, base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _refused(
                "Upload-Metadata", FieldCode.invalid_format, "Keys with values in base64."
            ) from None


def _refused(header: str, code: FieldCode, detail: str) -> AppError:
    fault = FieldFault(header, code, detail, "header")
    return AppError(Code.validation_failed, f"The header {header} is not valid.", fields=[fault])
