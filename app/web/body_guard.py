"""A body limit that holds however the body is framed (SEC-45, trap T1).

Werkzeug's own ``MAX_CONTENT_LENGTH`` compares ``Content-Length``, but a chunked body has none: there its
``LimitedStream.readall`` stops at the limit without asking whether more follows, so the application sees a cut
body and answers 200. JSON followed by megabytes of spaces passes unseen. This guard asks for one byte more than
the limit, so the first byte too many is noticed.

The application must leave ``MAX_CONTENT_LENGTH`` at ``None`` (Flask's default): with a value Werkzeug would
put its own cutting stream in front of this one. A route with another limit sets it before the body is read:
``request.environ["holdfast.body"].limit = 25 * 2**20``.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_content_length

from app.core.errors import AppError, Code
from app.web.chunked_bodies import TinyChunksError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENVIRON_KEY = "holdfast.body"
STEP = 64 * 1024


class Source(Protocol):
    """The server's ``wsgi.input``, as far as it is used here."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, size: int, /) -> bytes: ...


class GuardedBody:
    """``wsgi.input`` that refuses to go past its limit.

    Attributes:
        limit: bytes that may be read; may be changed until reading begins.

    Args:
        source: the server's stream.
        limit: see above.
        declared: the value of ``Content-Length``, if there is one.
    """

    def __init__(self, source: Source, limit: int, declared: int | None) -> None:
        self.limit = limit
        self._source = source
        self._declared = declared
        self._taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read like a file.

        Raises:
            RequestEntityTooLarge: the body is longer than the limit, whether it says so or just goes on.
            ClientDisconnected: the client left in the middle of it.
            BadRequest: its chunks are malformed.
            AppError: ``bad_request`` where they are far too small.
        """
        if size is None or size < 0:
            return b"".join(self._pieces())
        return self._take(self._source.read, size)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read to the end of the line; raises as ``read`` does."""
        return self._take(self._source.readline, self.limit + 1 if size is None or size < 0 else size)

    def readlines(self, _hint: int | None = -1, /) -> list[bytes]:
        """Read all lines, whatever the hint. Raises as ``read`` does."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _pieces(self) -> Iterator[bytes]:
        while piece := self._take(self._source.read, STEP):
            yield piece

    def _take(self, read: Callable[[int], bytes], size: int) -> bytes:
        left = self.limit - self._taken
        if left < 0 or (self._declared or 0) > self.limit:
            raise RequestEntityTooLarge
        try:
            data = read(min(size, left + 1))
        except TinyChunksError as error:
            raise AppError(
                Code.bad_request, "The chunks of the body are far too small. Send more in each."
            ) from error
        except ParseException as error:
            raise BadRequest("The chunks of the body are malformed.") from error
        except (OSError, ValueError) as error:
            raise ClientDisconnected from error
        self._taken += len(data)
        if self._taken > self.limit:
            raise RequestEntityTooLarge
        if not data and size and self._taken < (self._declared or 0):
            raise ClientDisconnected  # half a body is no body, even where the half makes sense
        return data


class BodyGuard:
    """WSGI middleware that puts a ``GuardedBody`` in front of each request's body.

    Args:
        app: the application.
        default_limit: bytes; what holds unless the route sets another.
    """

    def __init__(self, app: "WSGIApplication", default_limit: int) -> None:
        self._app = app
        self._limit = default_limit

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        declared = get_content_length(environ) if "CONTENT_LENGTH" in environ else None
        body = GuardedBody(environ["wsgi.input"], self._limit, declared)
        environ["wsgi.input"] = environ[ENVIRON_KEY] = body
        return self._app(environ, start_response)
