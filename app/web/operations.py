"""What each route declares about itself: its name for clients, who may call it, what it can answer.

A route without a declaration is refused (deny by default), and a test walks the URL map for such (SEC-37).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask
from marshmallow import Schema

from app.core.access import Caller
from app.core.errors import Code

View = TypeVar("View", bound=Callable[..., Any])
ATTRIBUTE = "holdfast_operation"
DOCUMENTED = "x-operation"  # where the OpenAPI document carries the declaration until it is finished


@dataclass(frozen=True)
class Operation:
    """A declaration.

    Attributes:
        name: the operationId, frozen once released.
        caller: who may call it.
        codes: problems it can answer besides those of every route.
        takes_query: whether it declares query parameters; others are refused.
        limited: whether the general rate limits count it.
        optional_identity: public, but a valid access token is taken note of.
        resource: schema of the one versioned resource it answers: ETag, 304, and ``current`` in a 412.
        idempotent: takes an Idempotency-Key.
        conditional: takes If-Match.
        refresh_cookie: reads the refresh token of browsers.
        statuses: of codes that answer otherwise here than in the catalogue.
        while_leaving: open to accounts whose deletion is scheduled.
        without_factor: open to administrators who have no second factor yet.
        api_tokens: open to API tokens, ``read`` for GET and ``write`` for all else.
        counts_for: says whose limits count a request without a token: an account's id, as text, or nobody's.
        ahead: prepares what the view will ask of Redis, so that it comes along with the limit's round trip; called with the
            account's id and what the path names, before anything is decided.
    """

    name: str
    caller: Caller
    codes: tuple[Code, ...] = ()
    takes_query: bool = False
    limited: bool = True
    optional_identity: bool = False
    resource: type[Schema] | None = None
    idempotent: bool = False
    conditional: bool = False
    refresh_cookie: bool = False
    statuses: Mapping[Code, int] = field(default_factory=dict)
    while_leaving: bool = False
    without_factor: bool = False
    api_tokens: bool = False
    counts_for: Callable[[], str | None] | None = None
    ahead: Callable[..., None] | None = None


def declare(view: View, operation: Operation) -> View:
    """Attach a declaration to a view function."""
    setattr(view, ATTRIBUTE, operation)
    return view


def public(name: str, *, limited: bool = False) -> Callable[[View], View]:
    """Declare a view that anybody may call, outside the documented API: pages, health, well-known files."""
    return lambda view: declare(view, Operation(name, Caller.anyone, takes_query=True, limited=limited))


def for_operators(name: str) -> Callable[[View], View]:
    """Declare a view for the people who run the service: to others there is nothing here."""
    return lambda view: declare(view, Operation(name, Caller.operator, takes_query=True, limited=False))


def declared(app: Flask, endpoint: str | None) -> Operation | None:
    """The declaration behind an endpoint, or ``None``."""
    view = app.view_functions.get(endpoint or "")
    return getattr(view, ATTRIBUTE, None)


def declare_blueprint_views(app: Flask, *names: str) -> None:
    """Declare every view of a plain blueprint (pages, assets) as public."""
    for endpoint, view in app.view_functions.items():
        if endpoint.partition(".")[0] in names and not hasattr(view, ATTRIBUTE):
            declare(view, Operation(endpoint, Caller.anyone, takes_query=True, limited=False))
