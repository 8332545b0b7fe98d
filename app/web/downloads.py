"""Handing out a file: in pieces, under a name, never kept on the way and never run by a browser."""

from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import quote

from flask import Response, request


class Download(Protocol):
    """A file on its way out; ``plain`` is its name in ASCII."""

    @property
    def name(self) -> str: ...
    @property
    def plain(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def pieces(self) -> Iterator[bytes]: ...


def deliver_file(kind: str, tag: str, begin: Callable[[], Download]) -> Response:
    """The answer: 304 for who has the file, its headers alone for HEAD, else the file.

    Args:
        kind: media type.
        tag: ETag, without quotes.
        begin: called only where the file itself goes out.
    """
    if request.if_none_match.contains_weak(tag):
        return _dressed(Response(status=304), tag)
    if request.method == "HEAD":
        return _dressed(Response(content_type=kind), tag)
    found = begin()
    response = _dressed(Response(found.pieces, content_type=kind), tag)
    response.content_length = found.size
    # RFC 6266, with the name again as RFC 8187 wants it.
    names = f"filename=\"{found.plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"
    response.headers["Content-Disposition"] = f"attachment; {names}"
    return response


def _dressed(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response
