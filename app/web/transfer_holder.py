"""For whom a request counts before anybody has asked who it is: read from its head, and proved by nothing.

It decides who waits for whom, never who may what. Who claims to be somebody else is found out as soon as his turn comes,
before anything of a body is read, and has waited in that person's line for it.
"""

from collections.abc import Callable
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qs

import orjson

from app.core.address import network
from app.core.keys import unb64

claims: ContextVar[Callable[[str], bool] | None] = ContextVar("claims", default=None)
"""In a thread for transfers: says whom a transfer counts for, once that is known; whether there is a place for him."""

OfToken = Callable[[str], str | None]


def of_nobody(_token: str) -> None:
    """Where no token of a query names an account."""


def of_account(account: str) -> str:
    return f"account:{account}"


def of_address(address: str) -> str:
    return f"address:{network(address)}"


def holder_of(request: Any, client: Any, of_token: OfToken) -> str:
    """The account that a request says it comes from; else its credential, else the peer's address.

    Args:
        request: gunicorn's.
        client: the peer's address, as ``socket.accept`` gives it.
        of_token: the account that a token in a query names.
    """
    credential = next((value for name, value in request.headers if name == "AUTHORIZATION"), None)
    if credential:
        return _subject(credential) or f"credential:{blake2b(credential.encode()).hexdigest()}"
    account = of_token(_token(request.query))
    return of_account(account) if account else of_address(client[0] if isinstance(client, tuple) else "")


def _subject(credential: str) -> str | None:
    """Of a JWT; what else there is says nothing by itself."""
    try:
        return of_account(orjson.loads(unb64(credential.split(".")[1]))["sub"])
    except (ValueError, IndexError, TypeError, KeyError):
        return None


def _token(query: str) -> str:
    try:
        return parse_qs(query, max_num_fields=100).get("token", [""])[0]
    except ValueError:
        return ""
