"""Uploads in two steps: the content first, outside of any transaction, then the use case with its Idempotency-Key (REL-02)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

from flask import Response, g

View = Callable[..., Response]
Something = TypeVar("Something", bound="Received")


class Received(Protocol):
    """Content that is in the storage and belongs to nobody yet."""

    @property
    def fingerprint(self) -> bytes:
        """What tells two uploads apart: the SHA-256 of the content, its name and type."""

    def settle(self) -> None:
        """Throw the content away unless a use case took it over."""


def received_first(receive: Callable[..., Received]) -> Callable[[View], View]:
    """Wrap an operation: what the request brings is received before anything else is done.

    Args:
        receive: called with the arguments of the address.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            g.received = receive(*args, **kwargs)
            try:
                return view(*args, **kwargs)
            finally:
                g.received.settle()

        return wrapper

    return decorate


def received(kind: type[Something]) -> Something:
    """What this request has brought."""
    assert isinstance(g.received, kind)
    return g.received
