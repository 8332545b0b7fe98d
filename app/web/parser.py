"""How arguments are read: strict JSON, no unknown or repeated parameters, faults as field problems."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.multidictproxy import MultiDictProxy
from werkzeug.exceptions import UnsupportedMediaType

from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.recent import Recent
from app.web.current import this_request
from app.web.faults import Fault
from app.web.openapi_headers import MAX_HEADER
from app.web.strict_json import StrictJSONParser, loads

LOCATIONS = {"json": "body", "query": "query", "headers": "header"}
DETAIL = "The request has a field that is not valid."
NO_BODY = "Send a JSON object with what is to change as the body."
MOST_TOLD = 100
MOST_READ = 1_000
QUERIES_KEPT, LONGEST_KEPT = 1_000, 200


class Parser(StrictJSONParser):
    """webargs for our blueprints."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._queries: Recent[tuple[Schema, bytes], Any] = Recent(QUERIES_KEPT)

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}

    def parse(self, argmap: Any, *args: Any, **options: Any) -> Any:
        """As webargs does, with one schema for all requests instead of one for each, and queries that came before read once."""
        schema = _one(argmap) if isinstance(argmap, type) else argmap
        if options.get("location") != "query":
            return super().parse(schema, *args, **options)
        key = (schema, this_request().query_string)
        known = self._queries.get(key)
        if known is None:
            known = super().parse(schema, *args, **options)
            if len(key[1]) <= LONGEST_KEPT and _is_fixed(known):
                self._queries.put(key, known)
        return dict(known) if type(known) is dict else known

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body, which must be JSON and say so (T9); no body at all is an empty object, but for who is to change something."""
        data = req.get_data(cache=True)
        if not data:
            if req.method == "PATCH" and not any(field.required for field in schema.fields.values()):
                raise AppError(
                    Code.validation_failed, NO_BODY, fields=[FieldFault("", FieldCode.required, NO_BODY)]
                )
            return {}
        if req.mimetype != "application/json":
            raise UnsupportedMediaType
        content = loads(data)
        # No schema has so many fields: what is left out changes nothing but the time that naming them would take.
        return dict(islice(content.items(), MOST_READ)) if isinstance(content, dict) else content

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        refuse_broken(req)
        refuse_repeated(req)
        return MultiDictProxy(req.args, schema)

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        messages: Any = error.messages
        faults = list(flatten(messages))[:MOST_TOLD]
        raise AppError(Code.validation_failed, DETAIL, fields=faults) from None


def _is_fixed(arguments: Any) -> bool:
    """Whether nobody can change them, so that several requests may have the same."""
    if type(arguments) is not dict:
        return False
    try:
        hash(tuple(arguments.values()))
    except TypeError:
        return False
    return True


@cache
def _one(schema: type[Schema]) -> Schema:
    return schema()


def refuse_broken(req: Request) -> None:
    """Bytes that are no text: werkzeug would put their escapes in their place, and those would be searched for."""
    try:
        unquote_to_bytes(req.query_string).decode()
    except UnicodeDecodeError:
        raise AppError(Code.bad_request, "The query is not UTF-8 text.") from None


def refuse_repeated(req: Request) -> None:
    """``a=1&a=2`` says two things; taking the first would hide one."""
    repeated = [name for name, values in req.args.lists() if len(values) > 1]
    if repeated:
        faults = [
            FieldFault(_short(name), FieldCode.invalid_format, "This parameter stands twice.", "query")
            for name in repeated[:MOST_TOLD]
        ]
        raise AppError(Code.validation_failed, DETAIL, fields=faults)


def refuse_all(req: Request) -> None:
    """For operations without query parameters: whatever is sent is unknown."""
    if req.query_string and req.args:
        faults = [
            FieldFault(_short(name), FieldCode.unknown_field, "This parameter is not known here.", "query")
            for name in list(req.args)[:MOST_TOLD]
        ]
        raise AppError(Code.validation_failed, DETAIL, fields=faults)


def refuse_long_headers(req: Request, names: Iterable[str]) -> None:
    """Nobody has a longer ETag; a list of a thousand would only cost time."""
    faults = [
        FieldFault(
            name, FieldCode.too_long, f"At most {MAX_HEADER} characters.", "header", {"max": MAX_HEADER}
        )
        for name in names
        if len(req.headers.get(name, "")) > MAX_HEADER
    ]
    if faults:
        raise AppError(Code.validation_failed, DETAIL, fields=faults)


def flatten(messages: Mapping[str, Any]) -> Iterator[FieldFault]:
    """marshmallow's nested messages as field faults with dotted names, the way React Hook Form wants them."""
    for location, errors in messages.items():
        yield from _walk(errors, LOCATIONS.get(location, location), "")


def _walk(errors: Any, location: str, path: str) -> Iterator[FieldFault]:
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            own = "" if name == "_schema" else _short(str(name))
            yield from _walk(inner, location, ".".join(filter(None, (path, own))))
    elif isinstance(errors, list):
        for inner in errors:
            yield from _walk(inner, location, path)
    else:
        code = errors.code if isinstance(errors, Fault) else FieldCode.invalid_format
        params = errors.params if isinstance(errors, Fault) else {}
        yield FieldFault(path, code, str(errors), location, params)


def _short(name: str) -> str:
    """Names come from the client; a long one is cut before it is told back."""
    return name[:100]
