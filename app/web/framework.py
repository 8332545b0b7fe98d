"""Flask, without what it looks up anew for each request and is the same for all of them."""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response
from werkzeug.datastructures import Headers
from werkzeug.http import is_entity_header
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host

from app.web.url_rules import LateRule

HOSTS_KEPT = 256
OF_HOST = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
AS_THEY_ARE, NOT_MODIFIED = {200, 201}, 304
LOCATIONS = {"location", "content-location"}


class Answer(Response):
    """A response whose headers go out as they are, where there is nothing to mend.

    Werkzeug makes new ones of them, looks at each for letters that may not stand there, which it did when they were set, and
    mends addresses and lengths.
    """

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """The headers as they go out; see ``werkzeug.Response.get_wsgi_headers``."""
        names = {name.lower() for name, _ in self.headers}
        kept = list(self.headers)
        if self.status_code == NOT_MODIFIED and not LOCATIONS & names:
            kept = [header for header in kept if not is_entity_header(header[0]) or header[0] == "Expires"]
        elif self.status_code not in AS_THEY_ARE or "content-length" not in names or LOCATIONS & names:
            return super().get_wsgi_headers(environ)
        headers = Headers()
        headers._list = kept  # noqa: SLF001 - no public way past the looking
        return headers


class Application(Flask):
    """See the module.

    It would also look at each view and hook in each request whether it is a coroutine: ours are plain functions.
    """

    url_rule_class = LateRule
    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask's; the host is examined once for all requests that name it.

        Raises:
            werkzeug.exceptions.SecurityError: it is not one of ``TRUSTED_HOSTS``.
        """
        if request is None or "HTTP_UPGRADE" in request.environ or self.config["SERVER_NAME"] is not None:
            return super().create_url_adapter(request)
        environ = request.environ
        request.trusted_hosts = trusted = self.config["TRUSTED_HOSTS"]
        request.host = host = _host(*[environ.get(name) for name in OF_HOST], trusted=tuple(trusted or ()))
        path = (
            environ.get("PATH_INFO", "").encode("latin1").decode(errors="replace")
        )  # as WSGI hands on bytes
        return self.url_map.bind(
            host.lower(), request.root_path, "", request.scheme, request.method, path,
            request.query_string.decode(errors="replace"),
        )  # fmt: skip


@lru_cache(maxsize=HOSTS_KEPT)
def _host(*told: str | None, trusted: Collection[str]) -> str:
    """Args: told: values of ``OF_HOST``."""
    return get_host(
        {name: value for name, value in zip(OF_HOST, told, strict=True) if value is not None}, trusted
    )
