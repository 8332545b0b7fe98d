"""POST that stands for another method, for networks that let neither PATCH nor DELETE through.

The tus protocol demands it (https://tus.io/protocols/resumable-upload, X-HTTP-Method-Override). Nothing else takes part: on any other
address the header means nothing, so that what is allowed to a POST is decided for a POST.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
ONE_UPLOAD = re.compile(f"/api/v1/projects/{_UUID}/tus/{_UUID}")
HEADER = "HTTP_X_HTTP_METHOD_OVERRIDE"
MEANT = {"PATCH", "DELETE"}


class MethodOverride:
    """WSGI middleware that makes such a POST what it means, before anything looks at it.

    Args:
        app: the application.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        meant = environ.get(HEADER)
        if (
            environ["REQUEST_METHOD"] == "POST"
            and meant in MEANT
            and ONE_UPLOAD.fullmatch(environ.get("PATH_INFO", ""))
        ):
            environ["REQUEST_METHOD"] = meant
        return self._app(environ, start_response)
