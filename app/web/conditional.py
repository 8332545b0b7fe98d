"""ETag, If-None-Match and If-Match (RFC 9110, section 13; SEC-51).

A tag is ``"<version>.<digest of the body>"``. Reading compares the whole tag; writing compares the version alone,
because what a client read may differ in what it was allowed or asked to see.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from flask import Response, current_app, request
from flask_smorest.utils import get_appcontext
from marshmallow import Schema

from app.core.versions import VersionConflictError
from app.web import problems
from app.web.current import this_request
from app.web.errors import told

TAG = re.compile(r'\s*(?:W/)?"(\d{1,18})(?:\.[0-9a-f]+)?"\s*')
REVALIDATE = "private, no-cache"


def entity_tag(version: int, body: bytes) -> str:
    return f'"{version}.{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def if_match() -> frozenset[int] | None:
    """The versions that the client's edit may be based on; ``None`` when it did not say.

    A tag that is none of ours matches no version, so the answer will be 412.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    found = (TAG.fullmatch(part) for part in header.split(","))
    return frozenset(int(match[1]) for match in found if match)


def tagged(view: Callable[..., Response], volatile: Collection[str] = ()) -> Callable[..., Response]:
    """Wrap an operation that answers one versioned resource: ETag, and 304 for who has it already.

    Args:
        volatile: fields that change by themselves, such as addresses that expire; the tag leaves them out.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        return _tag(view(*args, **kwargs), volatile)

    return wrapper


def telling_conflicts(schema: Schema) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Wrap an operation that takes If-Match: a conflict shows the resource as it is now.

    It stands outside whatever opens a transaction: an error that is caught inside one dooms it.

    Args:
        schema: of the resource, for the ``current`` of a conflict.
    """

    def decorate(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            try:
                return view(*args, **kwargs)
            except VersionConflictError as conflict:
                return _conflict(conflict, schema)

        return wrapper

    return decorate


def _tag(response: Response, volatile: Collection[str]) -> Response:
    if response.status_code == 204 or not response.is_json:
        return response
    body = response.get_data()
    resource = get_appcontext().get("result_dump") or current_app.json.loads(body)
    tag = entity_tag(resource["version"], _lasting(resource, volatile) if volatile else body)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = REVALIDATE
    if this_request().method in {"GET", "HEAD"} and _known(tag):
        response.status_code = 304
        response.response = []
        response.headers.pop("Content-Length", None)
    return response


def _lasting(resource: dict[str, Any], volatile: Collection[str]) -> bytes:
    """What of a resource is there to stay, as bytes."""
    return current_app.json.dumps(
        {name: resource[name] for name in resource if name not in volatile}
    ).encode()


def _known(tag: str) -> bool:
    """Weak comparison, as If-None-Match asks for."""
    header = this_request().environ.get("HTTP_IF_NONE_MATCH", "")
    if header == tag:
        return True
    known = {part.strip().removeprefix("W/") for part in header.split(",")}
    return tag in known or header.strip() == "*"


def _conflict(conflict: VersionConflictError, schema: Schema) -> Response:
    current = schema.dump(conflict.current)
    response = told(conflict)
    content = problems.body(conflict.code, conflict.detail, current=current)
    response.set_data(current_app.json.dumps(content))
    response.headers["ETag"] = entity_tag(
        current["version"], _lasting(current, getattr(schema, "VOLATILE", ()))
    )
    return response
