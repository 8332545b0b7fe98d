"""Our blueprint: one decorator declares an operation whole, and wraps the view in what every operation needs."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any

from flask import request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema

from app.core.access import Caller
from app.core.errors import Code
from app.web.conditional import tagged, telling_conflicts
from app.web.content_first import Received, received_first
from app.web.idempotency import replayable
from app.web.openapi_headers import header_parameters
from app.web.operations import DOCUMENTED, Operation, declare
from app.web.parser import Parser, refuse_all, refuse_long_headers
from app.web.retries import retried

View = Callable[..., Any]
EVERYWHERE = (Code.bad_request, Code.validation_failed, Code.rate_limited, Code.internal_error,
              Code.database_unavailable, Code.overloaded)  # fmt: skip
SIGNED_IN = (Code.not_authenticated, Code.token_expired, Code.token_invalid, Code.session_revoked,
             Code.account_suspended)  # fmt: skip
WITH_BODY = (Code.malformed_json, Code.body_too_large, Code.unsupported_media_type)


class Blueprint(SmorestBlueprint):
    """flask-smorest's, with our parser and the ``operation`` decorator."""

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, **_options: Any) -> Callable[[View], View]:
        """Refused: a route of the API says who may call it, which flask-smorest's own decorator cannot.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"{self.name}: declare {rule or '/'} by {type(self).__name__}.operation, which names its caller; see"
            " docs/add-a-feature.md"
        )

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
        refresh_cookie: bool = False,
        statuses: Mapping[Code, int] | None = None,
        while_leaving: bool = False,
        without_factor: bool = False,
        api_tokens: bool = True,
        receive: Callable[..., Received] | None = None,
        counts_for: Callable[[], str | None] | None = None,
        ahead: Callable[..., None] | None = None,
    ) -> Callable[[View], View]:
        """Declare an operation; stands above ``arguments`` and ``response``.

        Args:
            method: GET, HEAD, POST, PATCH or DELETE.
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
            refresh_cookie: reads the refresh cookie of browsers.
            statuses: of codes that answer otherwise here than in the catalogue.
            while_leaving: open to accounts whose deletion is scheduled.
            without_factor: open to administrators who have no second factor yet.
            api_tokens: open to API tokens too; only where ``caller`` is ``account``.
            counts_for: says whose limits count a request without a token.
            ahead: prepares what the view will ask of Redis; see ``Operation``.
            receive: takes in the file that the request brings, before anything else.
        """
        takes_tokens = api_tokens and caller == Caller.account
        own = (*codes, *_refusals(caller, while_leaving, without_factor, takes_tokens))
        declaration = Operation(
            name, caller, _all_codes(caller, own, method, body, query, idempotent, conditional),
            takes_query=query, optional_identity=optional_identity, resource=resource,
            idempotent=idempotent, conditional=conditional, refresh_cookie=refresh_cookie, statuses=statuses or {},
            while_leaving=while_leaving, without_factor=without_factor, api_tokens=takes_tokens, counts_for=counts_for,
            ahead=ahead,
        )  # fmt: skip

        def decorate(view: View) -> View:
            wrapped = tagged(view, getattr(resource, "VOLATILE", ())) if resource is not None else view
            if idempotent:
                wrapped = replayable(name)(wrapped)
            if resource is not None:
                wrapped = telling_conflicts(resource())(wrapped)
            if method != "GET":
                wrapped = retried(wrapped)
            if receive is not None:
                wrapped = received_first(receive)(wrapped)
            wrapped = _strict(wrapped, declaration, method)
            wrapped = self.doc(operationId=name, **{DOCUMENTED: declaration})(wrapped)
            declare(wrapped, declaration)
            endpoint = view.__name__
            self.add_url_rule(rule, endpoint, wrapped, methods=[method])
            return wrapped

        return decorate


def _strict(view: View, declaration: Operation, method: str) -> View:
    """Refuse parameters that the operation does not declare, and headers that are longer than it says."""
    bounded = tuple(parameter["name"] for parameter in header_parameters(declaration, method))

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not declaration.takes_query:
            refuse_all(request)
        refuse_long_headers(request, bounded)
        return view(*args, **kwargs)

    return wrapper


def _refusals(caller: Caller, while_leaving: bool, without_factor: bool, api_tokens: bool) -> Iterator[Code]:
    """What the guard may say to somebody it knows."""
    if caller in {Caller.anyone, Caller.operator}:
        return
    if caller == Caller.administrator or not api_tokens:
        yield Code.forbidden
    if not while_leaving:
        yield Code.account_deletion_scheduled
    if not without_factor:
        yield Code.mfa_enrolment_required
    if api_tokens:
        yield Code.token_scope_insufficient


def _all_codes(
    caller: Caller,
    own: tuple[Code, ...],
    method: str,
    body: bool,
    query: bool,
    idempotent: bool,
    conditional: bool,
) -> tuple[Code, ...]:
    codes = [*EVERYWHERE, *own]
    if caller not in {Caller.anyone, Caller.operator}:
        codes += SIGNED_IN
    if caller in {Caller.stepped_up, Caller.stepped_up_administrator}:
        codes.append(Code.step_up_required)
    if body:
        codes += WITH_BODY
    if query:
        codes.append(Code.uri_too_long)
    if method != "GET":
        codes += [Code.read_only, Code.write_conflict]
    if idempotent:
        codes += [Code.request_in_progress, Code.idempotency_key_reused]
    if conditional:
        codes.append(Code.version_conflict)
    return tuple(dict.fromkeys(codes))
