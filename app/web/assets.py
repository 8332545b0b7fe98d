"""Scripts, styles and pictures of the service's own pages, under an address that changes with their content."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, request, url_for

from app.core.errors import not_found

STATIC = Path(__file__).parent / "static"

# Not from the system's table, which differs from one machine to the next.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True)
class _Asset:
    content: bytes
    content_type: str
    digest: str


def asset_url(name: str) -> str:
    """The address of a file in app/web/static, with the digest of its content in it.

    Raises:
        FileNotFoundError: there is no such file, so the template that names it is wrong.
    """
    return url_for("assets.get_asset", digest=_load(name).digest, name=name)


@blueprint.get("/assets/<digest>/<name>")
def get_asset(digest: str, name: str) -> Response:
    """Kept for a year under its own digest; under an old one (a page from before an update) it is served fresh."""
    try:
        asset = _load(name)
    except FileNotFoundError:
        raise not_found("file") from None
    response = Response(asset.content, content_type=asset.content_type)
    fresh = "public, max-age=31536000, immutable" if digest == asset.digest else "no-cache"
    response.headers["Cache-Control"] = fresh
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(asset.digest)
    response.make_conditional(request.environ)
    return response


def _load(name: str) -> _Asset:
    path = STATIC / name
    if path.suffix not in _TYPES or path.parent != STATIC:
        raise FileNotFoundError(name)
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> _Asset:  # noqa: ARG001 - an edited file is another key
    content = path.read_bytes()
    return _Asset(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:12])
