"""Our blueprint: one decorator declares an operation whole, and wraps the view in what every operation needs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema

from app.core.access import Caller
from app.core.errors import Code
from app.web import problems
from app.web.conditional import tagged, telling_conflicts
from app.web.idempotency import replayable
from app.web.operations import Operation, declare
from app.web.parser import Parser, refuse_all
from app.web.retries import retried
from app.web.schemas import Problem

View = Callable[..., Any]
EVERYWHERE = (Code.bad_request, Code.validation_failed, Code.rate_limited, Code.internal_error,
              Code.database_unavailable, Code.overloaded)  # fmt: skip
SIGNED_IN = (Code.not_authenticated, Code.token_expired, Code.token_invalid, Code.session_revoked,
             Code.account_suspended)  # fmt: skip
WITH_BODY = (Code.malformed_json, Code.body_too_large, Code.unsupported_media_type)


class Blueprint(SmorestBlueprint):
    """flask-smorest's, with our parser and the ``operation`` decorator."""

    ARGUMENTS_PARSER = Parser()

    def operation(
        self,
        method: str,
        rule: str,
        name: str,
        *,
        caller: Caller,
        codes: tuple[Code, ...] = (),
        body: bool = False,
        query: bool = False,
        resource: type[Schema] | None = None,
        idempotent: bool = False,
        conditional: bool = False,
        optional_identity: bool = False,
    ) -> Callable[[View], View]:
        """Declare an operation; stands above ``arguments`` and ``response``.

        Args:
            method: GET, POST, PATCH or DELETE.
            rule: the path below the blueprint's prefix.
            name: the operationId, camelCase verb and noun, frozen once released.
            caller: who may call it.
            codes: problems of its own, besides those that its other properties bring.
            body: whether it takes a JSON body.
            query: whether it declares query parameters; others are refused by name.
            resource: schema of the one versioned resource it answers: gives ETag, 304 and ``current``.
            idempotent: takes an Idempotency-Key.
            conditional: takes If-Match.
            optional_identity: public, but takes note of a valid access token.
        """
        declaration = Operation(
            name, caller, _all_codes(caller, codes, method, body, idempotent, conditional),
            takes_query=query, optional_identity=optional_identity,
        )  # fmt: skip

        def decorate(view: View) -> View:
            wrapped = _strict_query(view) if not query else view
            if resource is not None:
                wrapped = tagged(wrapped)
            if idempotent:
                wrapped = replayable(name)(wrapped)
            if resource is not None:
                wrapped = telling_conflicts(resource())(wrapped)
            if method != "GET":
                wrapped = retried(wrapped)
            wrapped = self.doc(
                **_document(declaration, view, idempotent=idempotent, conditional=conditional)
            )(wrapped)
            declare(wrapped, declaration)
            endpoint = view.__name__
            self.add_url_rule(rule, endpoint, wrapped, methods=[method])
            return wrapped

        return decorate


def _strict_query(view: View) -> View:
    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        refuse_all(request)
        return view(*args, **kwargs)

    return wrapper


def _all_codes(
    caller: Caller,
    own: tuple[Code, ...],
    method: str,
    body: bool,
    idempotent: bool,
    conditional: bool,
) -> tuple[Code, ...]:
    codes = [*EVERYWHERE, *own]
    if caller not in {Caller.anyone, Caller.operator}:
        codes += SIGNED_IN
    if caller == Caller.stepped_up:
        codes.append(Code.step_up_required)
    if body:
        codes += WITH_BODY
    if method != "GET":
        codes += [Code.read_only, Code.write_conflict]
    if idempotent:
        codes += [Code.request_in_progress, Code.idempotency_key_reused]
    if conditional:
        codes.append(Code.version_conflict)
    return tuple(dict.fromkeys(codes))


def _document(operation: Operation, view: View, *, idempotent: bool, conditional: bool) -> dict[str, Any]:
    """The parts of the OpenAPI operation that flask-smorest does not make by itself."""
    by_status: dict[int, list[Code]] = {}
    for code in operation.codes:
        by_status.setdefault(problems.CATALOGUE[code].status, []).append(code)
    document: dict[str, Any] = {
        "operationId": operation.name,
        "x-caller": operation.caller.value,
        "responses": {status: _error(codes) for status, codes in sorted(by_status.items())},
    }
    if operation.caller == Caller.anyone:
        document["security"] = [{}]
    parameters = [_IDEMPOTENCY] * idempotent + [_IF_MATCH] * conditional
    if parameters:
        document["x-header-parameters"] = parameters
    return document


def _error(codes: list[Code]) -> dict[str, Any]:
    listed = ", ".join(f"`{code.value}`" for code in codes)
    return {
        "description": listed,
        "content": {problems.MEDIA_TYPE: {"schema": Problem}},
    }


_IDEMPOTENCY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "A word of your choice; repeating the request with it has no second effect for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}  # fmt: skip
_IF_MATCH = {
    "name": "If-Match", "in": "header", "required": False,
    "description": "The ETag you read; the write is refused with 412 when the resource has changed since.",
    "schema": {"type": "string", "maxLength": 200},
    "example": '"7"',
}  # fmt: skip
