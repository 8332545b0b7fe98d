"""A small HTTP client for the proof: JSON there and back, never through a proxy."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dev.containers.proof import Failed

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """Status 0 says that there was no answer at all."""

    status: int
    body: Any

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body)[:500]}"


def ask(method: str, url: str, body: object = None, *, token: str | None = None) -> Answer:
    """Send a request."""
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - loopback, by the callers
    try:
        try:
            with _OPENER.open(request, timeout=10) as reply:
                return _answer(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.read())
    except OSError as error:
        return Answer(0, str(error))


def _answer(status: int, raw: bytes) -> Answer:
    try:
        return Answer(status, json.loads(raw) if raw else None)
    except ValueError:
        return Answer(status, raw.decode(errors="replace"))


def must(status: int, answer: Answer) -> Any:
    """The body of an answer with the wanted status.

    Raises:
        Failed: with the answer when it is another.
    """
    if answer.status != status:
        raise Failed(f"wanted {status}, got {answer}")
    return answer.body


def until(what: str, look: Callable[[], Any], seconds: float = 30) -> Any:
    """Look again and again until something is found.

    Raises:
        Failed: when nothing is in time.
    """
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)
