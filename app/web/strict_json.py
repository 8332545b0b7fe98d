"""JSON in, strictly; JSON out, fast.

What comes in is read as RFC 8259 in the profile of RFC 7493 (I-JSON): one document in UTF-8, no name twice in an
object, no lone surrogate, no number that the platform would bend. Python's own reader lets all of these pass or
fails in ways that become a 500 (traps T5 and T6, SEC-44). A NUL character is legal JSON and left to the fields.
"""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import orjson
from flask import Request, Response
from flask.json.provider import JSONProvider
from webargs import core
from webargs.flaskparser import FlaskParser, is_json_request

from app.core.errors import AppError, Code

MAX_DEPTH = 64
MAX_BRACKETS = 20_000
"""Opening ones. Each array is an object to Python, and a megabyte of empty ones costs most of a second."""
MAX_DIGITS = 19
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
_PAIR = 2
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHER_BYTES = bytes(set(range(256)) - set(b"[]{}"))


class MalformedJSON(AppError, ValueError):
    """The text is not JSON as this service reads it; the detail names the place and never quotes the text."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.malformed_json, detail)


def loads(text: str | bytes | bytearray | memoryview) -> Any:
    """Read one JSON document.

    Raises:
        MalformedJSON: for whatever is not strict JSON, nested deeper than 64, holds an integer outside 64 bits or more
            than 20,000 brackets, those in strings among them.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    brackets = raw.count(b"[") + raw.count(b"{")
    if brackets > MAX_BRACKETS:
        raise MalformedJSON(f"The JSON has more than {MAX_BRACKETS:,} brackets.")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedJSON(_where(error)) from None
    source = text if isinstance(text, str) else raw.decode()
    if brackets > MAX_DEPTH and _deeper_than(MAX_DEPTH, source):
        raise MalformedJSON(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    # orjson is done with syntax and encoding. It keeps the last of two equal names and turns a huge integer into a
    # float, so a second reader looks at these two; it builds nothing.
    _CHECK.decode(source)
    return value


def dumps(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> bytes:
    """Write one JSON document in UTF-8. Times become RFC 3339 UTC with milliseconds and ``Z``.

    Raises:
        TypeError: for what has no JSON form, a time without zone among it.
    """
    options = orjson.OPT_PASSTHROUGH_DATETIME
    if indent:
        options |= orjson.OPT_INDENT_2
    if sort_keys:
        options |= orjson.OPT_SORT_KEYS
    return orjson.dumps(value, default=_plain, option=options)


class StrictJSONProvider(JSONProvider):
    """Flask's JSON in and out: ``app.json = StrictJSONProvider(app)``."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return dumps(obj, indent=kwargs.get("indent"), sort_keys=kwargs.get("sort_keys", False)).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = dumps(self._prepare_response_obj(args, kwargs))
        return cast("type[Response]", self._app.response_class)(body, mimetype="application/json")


class StrictJSONParser(FlaskParser):
    """The argument parser for blueprints (``Blueprint.ARGUMENTS_PARSER``).

    webargs reads bodies with the standard library and not with the application's provider; this one is strict too.
    """

    def _raw_load_json(self, req: Request) -> Any:
        return loads(req.get_data(cache=True)) if is_json_request(req) else core.missing


def _where(error: orjson.JSONDecodeError) -> str:
    if not error.doc:  # orjson gives no position for an empty body or bytes that are not UTF-8
        return "The body is empty or not UTF-8; it must be one JSON document."
    return f"The body is not valid JSON: see line {error.lineno}, column {error.colno}."


def _deeper_than(levels: int, source: str) -> bool:
    """Whether arrays and objects lie in one another deeper than that, in text that is known to be JSON.

    Works on the brackets alone and takes the innermost pairs away, level by level: hostile input is met at the
    speed of ``bytes.replace``.
    """
    brackets = _STRING.sub(b"", source.encode()).translate(_BRACKETS, _OTHER_BYTES)
    for _ in range(levels):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) >= _PAIR and len(dict(pairs)) != len(pairs):
        raise MalformedJSON("An object in the JSON has the same name twice.")


def _refuse_huge_integer(digits: str) -> int:
    value = int(digits) if len(digits) <= MAX_DIGITS + 1 else None
    if value is None or not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        raise MalformedJSON(
            "An integer in the JSON does not fit into 64 bits; send large numbers as strings."
        )
    return value


_CHECK = json.JSONDecoder(object_pairs_hook=_refuse_repeated_names, parse_int=_refuse_huge_integer)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without zone has no place in an answer")
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
