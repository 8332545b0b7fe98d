"""The application's parts, as a route finds them."""

from typing import Any, TypeVar, cast

from flask import Request, g, request
from flask.ctx import _AppCtxGlobals
from flask.globals import _cv_app, _cv_request

from app.config import Settings
from app.core.access import Actor, Client
from app.core.errors import AppError, Code

Service = TypeVar("Service")
MAX_USER_AGENT = 300


def this_request() -> Request:
    """The request itself: Flask's proxies find it anew for each attribute, and take ten times as long as what they stand for."""
    return _cv_request.get().request


def this_g() -> _AppCtxGlobals:
    """``flask.g`` itself, as ``this_request``."""
    return _cv_app.get().g


def parts() -> Any:
    """What ``wiring`` built: services by class, settings, clock and the engines."""
    return _cv_app.get().app.extensions["holdfast"]


def settings() -> Settings:
    return cast("Settings", parts().settings)


def service(kind: type[Service]) -> Service:
    """The service of that class."""
    return cast("Service", parts().services[kind])


def current_actor() -> Actor:
    """Who asks.

    Raises:
        AppError: ``not_authenticated`` where the route let anybody in.
    """
    actor = this_g().get("actor")
    if actor is None:
        raise AppError(Code.not_authenticated, "Sign in first.")
    return cast("Actor", actor)


def optional_actor() -> Actor | None:
    """Who asks, if they said so; for public routes that treat both."""
    return cast("Actor | None", g.get("actor"))


def actor_if_sent() -> Actor | None:
    """As ``optional_actor``, for routes that do something else for whoever is signed in.

    Raises:
        AppError: what is wrong with an access token that was sent; ``forbidden`` for an API token.
    """
    error = g.get("token_error")
    if error is not None:
        raise error
    actor = optional_actor()
    if actor is not None and actor.scopes is not None:
        raise AppError(Code.forbidden, "An API token may not do this. Sign in.")
    return actor


def current_client(device_name: str | None = None) -> Client:
    """Where the request comes from; the address is the one that the trusted proxies saw (SEC-47)."""
    agent = _printable(request.user_agent.string)[:MAX_USER_AGENT]
    return Client(request.remote_addr or "", agent, device_name)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
