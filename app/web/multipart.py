"""One file out of a form, piece by piece: it is never in memory whole (RFC 7578)."""

from collections.abc import Iterator

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.web.body_guard import ENVIRON_KEY

PART = "file"
PIECE = 256 * 1024
OVERHEAD = 64 * 1024
"""What boundaries and part headers may take besides the file."""
FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [PART],
                "additionalProperties": False,
                "properties": {
                    PART: {
                        "type": "string",
                        "format": "binary",
                        "maxLength": 9_007_199_254_740_991,
                        "description": "The file, with its name. `limits` of `getMeta` says how large and of what types.",
                    },
                },
            },
        },
    },
}
"""The request in the OpenAPI document."""
_HOW = "Send multipart/form-data with one part named file, which has a file name."
_UNKNOWN = "This part is not known here. The form has one part, named file."
_ONE = "Only one file at a time."


class IncomingFile:
    """The file that a request brings. Its head is read at once, its content when ``pieces`` is.

    Attributes:
        filename: as the client calls it.
        declared: the media type that the client says it has, if any.
        most: bytes that it has at most, as the length of the body tells; ``None`` where that is not told.
        least: bytes that it has if the form ends as forms do, with a boundary and a line break; as well.

    Raises:
        AppError: ``unsupported_media_type``, ``file_too_large``, ``validation_failed``, ``bad_request``.
    """

    def __init__(self, limit: int) -> None:
        """Args: limit: bytes of the largest file."""
        boundary = request.mimetype_params.get("boundary", "").encode("latin-1", "replace")
        if request.mimetype != "multipart/form-data" or not boundary:
            raise AppError(Code.unsupported_media_type, _HOW)
        if (request.content_length or 0) > limit + OVERHEAD:
            raise file_too_large(limit)
        self._body = request.environ[ENVIRON_KEY]
        self._body.limit = limit + OVERHEAD
        self._limit = limit
        self._decoder = MultipartDecoder(boundary)
        self._taken = 0
        self.filename, self.declared = self._head()
        self.most = self._most()
        ending = len(b"\r\n--") + len(boundary) + len(b"--\r\n")
        self.least = None if self.most is None else max(0, self.most - ending)

    def pieces(self) -> Iterator[bytes]:
        """The content, once.

        Raises:
            AppError: ``validation_failed`` where the form holds something else too, ``bad_request`` where it is broken.
        """
        more = True
        while more:
            event = self._event()
            if isinstance(event, Data):
                more = event.more_data
                if event.data:
                    yield event.data
        event = self._event()
        if not isinstance(event, Epilogue):
            name = getattr(event, "name", None) or ""
            raise _refused(name, FieldCode.unknown_field, _ONE if name == PART else _UNKNOWN)

    def _head(self) -> tuple[str, str | None]:
        """The name and declared type of the file."""
        while True:
            event = self._event()
            if isinstance(event, File) and event.name == PART:
                return event.filename, event.headers.get("Content-Type")
            if isinstance(event, Field) and event.name == PART:
                raise _refused(PART, FieldCode.wrong_type, "This must be a file, with a file name.")
            if isinstance(event, (Field, File)):
                raise _refused(event.name or "", FieldCode.unknown_field, _UNKNOWN)
            if isinstance(event, Epilogue):
                raise _refused(PART, FieldCode.required, "Send a file in the part named file.")

    def _most(self) -> int | None:
        if request.content_length is None:
            return None
        # What was taken and is not the file; the line break behind the head is still in the buffer.
        before = self._taken - len(self._decoder.buffer) + len(b"\r\n")
        return max(0, request.content_length - before)

    def _event(self) -> Data | Epilogue | Field | File:
        """The next part of the form that matters.

        Raises:
            AppError: ``bad_request``.
        """
        try:
            while True:
                event = self._decoder.next_event()
                if isinstance(event, (Data, Epilogue, Field, File)):
                    return event
                if isinstance(event, NeedData):
                    self._feed()
        except (ValueError, AttributeError):  # the decoder has no match where a part has no line break
            raise AppError(Code.bad_request, f"The form is broken. {_HOW}") from None

    def _feed(self) -> None:
        """Read on.

        Raises:
            AppError: ``bad_request``, ``file_too_large`` for a body that is longer than any form with such a file.
        """
        if len(self._decoder.buffer) > OVERHEAD + PIECE:
            raise AppError(Code.bad_request, f"The head of a part has no end. {_HOW}")
        try:
            data = self._body.read(PIECE)
        except RequestEntityTooLarge:
            raise file_too_large(self._limit) from None
        self._taken += len(data)
        self._decoder.receive_data(data or None)


def file_too_large(limit: int) -> AppError:
    """The refusal of a file that is larger than ``UPLOAD_MAX_BYTES``."""
    return AppError(Code.file_too_large, f"A file may have {limit:,} bytes at most.", extra={"max": limit})


def _refused(field: str, code: FieldCode, detail: str) -> AppError:
    fault = FieldFault(field[:100], code, detail)
    return AppError(Code.validation_failed, "The form has a part that is not valid.", fields=[fault])
