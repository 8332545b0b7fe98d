"""Handing out a file: in pieces, under a name, never run by a browser."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol
from urllib.parse import quote

from flask import Response, redirect, request
from werkzeug.datastructures import Range
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import wrap_file

from app.web.current import settings
from app.web.openapi_headers import header_references

CONTENT_HEADERS = header_references("ETag", "Content-Disposition", "Accept-Ranges", "Content-Range")
REVALIDATED, FOR_MINUTES = "private, no-cache", "private, max-age=300"


PIECE = 256 * 1024


class FilePart:
    """A part of a file, as a server wants it: one that can sends it from the file to the socket by itself (sendfile)."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        file.seek(start)
        self._file = file
        self._left = length
        self.fileno, self.tell, self.close = file.fileno, file.tell, file.close

    def read(self, size: int) -> bytes:
        """The next piece of it."""
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        return piece


class Ranged(Protocol):
    """Content that can be read from anywhere. See ``app.files.contents.Content``."""

    @property
    def size(self) -> int: ...
    @property
    def tag(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def plain(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def in_place(self) -> bool: ...
    @property
    def served_path(self) -> str | None: ...
    def look(self) -> None: ...
    def read(self, start: int, length: int) -> Iterator[bytes]: ...
    def open_plain(self) -> BinaryIO | None: ...
    def sign(self, disposition: str) -> str | None: ...


def deliver_content(
    content: Ranged,
    address: Callable[[], str | None] = lambda: None,
    *,
    redirect: bool = False,
    download: bool = False,
) -> Response:
    """The answer to somebody who is signed in.

    Args:
        content: what they may have.
        address: a signed address of it, for who wants to be sent there.
        redirect: whether they do.
        download: whether it is to be kept, also where it could be shown.
    """
    where = address() if redirect else None
    if where is not None:
        return _sent_on(content.sign(_disposition_of(content, download)) or where)
    return _delivered(content, REVALIDATED, download)


def deliver_addressed(content: Ranged, *, download: bool = False) -> Response:
    """The answer to a signed address: from the storage itself, where that has addresses of its own."""
    where = content.sign(_disposition_of(content, download))
    if where is not None:
        return _sent_on(where)
    response = _delivered(content, FOR_MINUTES, download)
    # Who has the address may show it on a page of any origin.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def deliver_private(content: Ranged, goes_out: Callable[[bool], None]) -> Response:
    """The answer with what is nobody else's: kept nowhere on the way, always a file to keep.

    Args:
        goes_out: called before content goes out, with whether it is from its beginning; not for who has it already, or
            looks only.
    """
    return _delivered(content, "no-store", download=True, goes_out=goes_out)


def disposition(name: str, plain: str, *, in_place: bool = False) -> str:
    """RFC 6266, with the name again as RFC 8187 wants it."""
    return f"{'inline' if in_place else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _disposition_of(content: Ranged, download: bool) -> str:
    return disposition(content.name, content.plain, in_place=content.in_place and not download)


def _sent_on(where: str) -> Response:
    response: Response = redirect(where, 302)  # type: ignore[assignment]  # Flask's response class at run time
    response.set_data(b"")
    response.headers["Cache-Control"] = "no-store"
    return response


def _delivered(
    content: Ranged, caching: str, download: bool, goes_out: Callable[[bool], None] = lambda _begins: None
) -> Response:
    """RFC 9110: first whether the client has it (13.2.2), then which part it wants (14.2)."""
    if request.if_none_match.contains_weak(content.tag):
        return _dressed(Response(status=304), content.tag, caching)
    part = _wanted_part(content)
    start, end = part or (0, content.size)
    response = _dressed(_with_body(content, start, end - start), content.tag, caching)
    if request.method != "HEAD":
        try:
            goes_out(start == 0)
        except BaseException:
            response.close()
            raise
    response.content_type = content.media_type
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = _disposition_of(content, download)
    if "X-Accel-Redirect" in response.headers:
        return response  # the server in front cuts the part out itself
    response.content_length = end - start
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
    return response


def _with_body(content: Ranged, start: int, length: int) -> Response:
    if request.method == "HEAD":
        content.look()
        return Response()
    path = content.served_path if settings().accel_redirect else None
    if path is not None:
        return Response(headers={"X-Accel-Redirect": settings().accel_redirect + quote(path)})
    file = content.open_plain()
    if file is None:
        return Response(content.read(start, length))
    part = FilePart(file, start, length)
    return Response(wrap_file(request.environ, part, PIECE), direct_passthrough=True)  # type: ignore[arg-type]  # it reads and closes, no more


def _wanted_part(content: Ranged) -> tuple[int, int] | None:
    """The one part that was asked for, end excluded; ``None`` for the whole.

    Several parts at once, and units that nobody knows, are answered by the whole, as RFC 9110 permits. HEAD knows no parts.

    Raises:
        RequestedRangeNotSatisfiable: the file is shorter than that.
    """
    asked: Range | None = request.range
    if asked is None or request.method == "HEAD":
        return None
    if asked.units != "bytes" or len(asked.ranges) != 1 or not _unchanged(content.tag):
        return None
    first, _ = asked.ranges[0]
    # More from the end than there is, is all of it (RFC 9110, 14.1.2).
    part = (0, content.size) if -first > content.size else asked.range_for_length(content.size)
    if part is None:
        raise RequestedRangeNotSatisfiable(content.size)
    return part


def _unchanged(tag: str) -> bool:
    """Whether If-Range names what is there now (RFC 9110, 13.1.5).

    A weak tag never does, nor a date: contents never change under an address.
    """
    asked = request.headers.get("If-Range")
    return asked is None or asked.strip() == f'"{tag}"'


def _dressed(response: Response, tag: str, caching: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = caching
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response
